"""What every page of the console promises: headers, tokens of forms, escaping, no way out of the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.console.furniture import not_ours
from hub.errors import InvalidInput
from hub.members import passwords
from hub.members.second_factor import new_secret, step_of
from tests.engines import SQLite
from tests.live import LocalHub, local
from tests.people import COOKIE, PASSWORD, TOKEN, Browser, add_person, text_of

SCRIPT = "<script>alert(1)</script>\"'&"


@pytest.fixture
def contact(local_hub: LocalHub, request: pytest.FixtureRequest) -> Browser:
    """A primary contact who is signed in."""
    name = re.sub(r"\W", "-", request.node.name).lower()[:50]
    member = local_hub.add_member(f"Bank {name}")
    person = add_person(local_hub, f"{name.strip('-')}@bank.test", ["primary-contact"], member.member_id)
    return Browser(local_hub).sign_in(person)


def test_headers_of_a_page(contact: Browser) -> None:
    answer = contact.get("/console/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy  # none at all, by default-src
    for part in ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    again = contact.get("/console/").headers["Content-Security-Policy"]
    assert again != policy  # a nonce of its own


def test_the_style_sheet_is_small_and_ours(contact: Browser) -> None:
    page = contact.get("/console/")
    sheet = contact.get(re.search(r'rel="stylesheet" href="([^"]+)"', page.text)[1])
    assert sheet.status_code == 200
    assert "immutable" in sheet.headers["Cache-Control"]
    assert len(page.data) + len(sheet.data) < 150_000
    text = sheet.text.lower()
    assert "gds transport" not in text
    assert "@font-face" not in text
    assert "url(" not in text


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
def test_a_form_without_its_token_is_refused(contact: Browser, token: str | None) -> None:
    contact.get("/console/account")
    fields = {} if token is None else {"csrf_token": token}
    answer = contact.client.post("/console/people/attest", data=fields)
    assert answer.status_code == 400
    assert "sent from another browser" in text_of(answer)


def test_a_token_is_good_in_its_own_session_only(local_hub: LocalHub, contact: Browser) -> None:
    other = Browser(local_hub).sign_in(add_person(local_hub, "other-token@bank.test", ["auditor"]))
    fields = {"csrf_token": other.token("/console/account")}
    assert contact.get("/console/account").status_code == 200
    assert contact.client.post("/console/people/attest", data=fields).status_code == 400
    # Not even with the other browser's half of it.
    half = other.client.get_cookie("hub-form", path="/console").value
    contact.client.set_cookie("hub-form", half, path="/console")
    assert contact.client.post("/console/people/attest", data=fields).status_code == 400


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 400), ("same-site", 400), ("same-origin", 303), ("none", 303)]
)
def test_a_form_from_another_site_is_refused(contact: Browser, site: str, status: int) -> None:
    answer = contact.send("/console/people/attest", page="/console/people", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status


def test_signing_in_takes_a_token_too(local_hub: LocalHub) -> None:
    answer = local_hub.app.test_client().post("/console/sign-in", data={"email": "a@b.test", "password": "x"})
    assert answer.status_code == 400


def test_cookies(local_hub: LocalHub) -> None:
    cookie = local_hub.app.test_client().get("/console/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("hub-form=")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/console"):
        assert part in cookie


def test_cookies_over_tls(sqlite: SQLite, tmp_path: Path) -> None:
    with sqlite.migrated() as url, local(url, tmp_path, base_url="https://hub.test") as hub:
        person = add_person(hub, "tls@bank.test", ["auditor"])
        client = hub.app.test_client()
        page = client.get("/console/sign-in", base_url="https://hub.test")
        cookies = page.headers.getlist("Set-Cookie")
        fields = {"csrf_token": TOKEN.search(page.text)[1], "email": person.email, "password": PASSWORD}
        cookies += client.post("/console/sign-in", base_url="https://hub.test", data=fields).headers.getlist(
            "Set-Cookie"
        )
        assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-hub-form", "__Host-hub-session"}
        for cookie in cookies:
            assert "Secure; HttpOnly; Path=/; SameSite=" in cookie
            assert "Domain" not in cookie


def test_scripts_show_as_text(local_hub: LocalHub, contact: Browser) -> None:
    name, label = f"Eve {SCRIPT}", f"Key {SCRIPT}"
    fields = {"name": name, "email": "eve@bank.test", "roles": "reader"}
    assert contact.send("/console/people/invite", fields).status_code == 303
    shown = [contact.send("/console/keys/new", {"label": label, "days": ""})]
    shown += [contact.get(path) for path in ("/console/people", "/console/keys")]
    shown += [contact.send("/console/keys/new", {"label": SCRIPT * 9, "days": ""})]
    shown += [contact.client.get("/console/", headers={"User-Agent": SCRIPT})]
    shown += [Browser(local_hub).get(f"/console/sign-in?next=/console/{SCRIPT}")]
    for answer in shown:
        # The sign-in page has a script of its own, by its nonce.
        assert re.findall(r"<script(?! src=\"/console/static/passkeys\.js\?v=[0-9a-f]{16}\" nonce=)", answer.text) == []
        assert "alert(1)</" not in answer.text
    assert sum("&lt;script&gt;" in answer.text for answer in shown) >= 4


@pytest.mark.parametrize(
    "path",
    ["//evil.test", "https://evil.test/console/", "/console/../..//evil.test", "/console\\evil", "/other", "",
     "/console/\r\nX: y", "javascript:alert(1)", "/console/\x00"],
)  # fmt: skip
def test_there_is_no_way_out(path: str) -> None:
    assert not_ours(path)


@pytest.mark.parametrize(
    ("wanted", "gets"), [("/console/account", "/console/account"), ("//evil.test/", "/console/"), ("", "/console/")]
)
def test_after_signing_in_one_is_where_one_wanted_to_be(local_hub: LocalHub, wanted: str, gets: str) -> None:
    person = add_person(local_hub, f"onward-{len(wanted)}@bank.test", ["auditor"])
    browser = Browser(local_hub)
    assert browser.get("/console/account").location == "/console/sign-in?next=/console/account"
    code = browser.send("/console/sign-in", {"email": person.email, "password": PASSWORD, "next": wanted})
    assert browser.send(code.location, {"code": person.code, "next": wanted}).location == gets


def test_an_unknown_page_is_a_page(contact: Browser) -> None:
    answer = contact.get("/console/nothing-here")
    assert answer.status_code == 404
    assert answer.content_type == "text/html; charset=utf-8"
    assert "<h1" in answer.text
    assert "Sign out" in answer.text
    assert contact.client.delete("/console/keys").status_code == 405


def test_a_stranger_cookie_is_no_session(local_hub: LocalHub) -> None:
    for value in ("x", "é" * 10, "a" * 3000):
        browser = Browser(local_hub)
        browser.client.set_cookie(COOKIE, value, path="/console")
        assert browser.get("/console/").status_code == 303


@pytest.mark.parametrize("password", ["short", "a" * 129, "aaaaaaaaaaaaaaaa", "password1234", "sam.reed-is-here"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        passwords.hashed(password, "sam.reed@bank.test")


def test_codes_that_are_none(local_hub: LocalHub) -> None:
    secret = new_secret()
    for code in ("", "12345", "1234567", "abcdef", "१२३४५६", "1" * 5000):
        assert step_of(secret, code, 0) is None
