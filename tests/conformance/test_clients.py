def test_live(live_hub):
    m = live_hub.add_member("First Bank", groups=["banks"], roles=["contributor"])
    r = live_hub.get("/taxii2/", m)
    assert r.status_code == 200, r.text
    print(r.text)

def test_local(local_hub):
    m = local_hub.add_member("First Bank", groups=["banks"], roles=["contributor"])
    r = local_hub.get("/taxii2/", m)
    assert r.status_code == 200, r.text
    print(r.text)
