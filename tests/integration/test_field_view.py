"""The field view: parts of an object that a reader may not see are left out, on every way out, and provably so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from hub import clock
from hub.auth import Role
from hub.ledger.disclosures import told
from hub.members.records import Member
from hub.members.vetting import grants
from hub.members.vetting.party import Party, person
from hub.provenance.blinding import EXTENSION_ID, disclosure_digest
from hub.provenance.verify import verify_bundle
from hub.stix.downconvert import id20
from hub.stix.markings import PERSONAL_DATA_ID
from hub.stix.tlp import AMBER_ID, AMBER_STRICT_ID, GREEN_ID, TLP1_AMBER_ID, Tlp
from hub.web.services import EXTENSION
from tests.engines import DatabaseEngine
from tests.live import LocalHub, TestMember, local
from tests.objects import T0, domain, indicator, malware
from tests.people import Browser, add_person, text_of

ALIAS = "parts"
ROOTS = {
    "signed": f"/taxii2/signed/collections/{ALIAS}/objects/",
    "plain": f"/taxii2/plain/collections/{ALIAS}/objects/",
    "2.0": f"/taxii/root/collections/{ALIAS}/objects/",
}
SECRET = 'Zq7 hidden Ünïcode \\ "value"'
OFFICER = person("officer", [Role.VETTING_OFFICER], email="officer@hub.test")
APPROVER = person("approver", [Role.APPROVER], email="approver@hub.test")
OFFICER_OF_DATA = Party("dpo", frozenset(), email="dpo@hub.test")


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    """A hub on each product in turn, with a collection whose objects are GREEN where they do not say otherwise."""
    officer = {"data_protection_officer": "dpo@hub.test"}
    with database_engine.migrated() as url, local(url, tmp_path, vetting=officer) as found:
        found.add_collection(ALIAS)
        yield found


@pytest.fixture
def source(hub: LocalHub) -> TestMember:
    """Who adds objects: in the banks' group, cleared for everything."""
    return hub.add_member("Source Bank", groups=["banks"], clearance="amber+strict", roles=["contributor"])


def marked(ref: str, *selectors: str) -> dict[str, Any]:
    return {"marking_ref": ref, "selectors": list(selectors)}


def add(hub: LocalHub, source: TestMember, *objects: dict[str, Any]) -> None:
    status = hub.add(ROOTS["plain"], source, objects)
    assert status["success_count"] == len(objects), status


def given(hub: LocalHub, member: TestMember, root: str = "plain", **query: str) -> dict[str, Any]:
    """What a member is given of the collection, by id."""
    accept = {"headers": {"Accept": "*/*"}} if root == "2.0" else {}
    answer = hub.get(ROOTS[root], member, query_string=query, **accept)
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.get_json(force=True).get("objects", [])}


def keys(hub: LocalHub) -> Any:
    return hub.get("/.well-known/jwks.json").get_json(force=True)


def verified(hub: LocalHub, obj: dict[str, Any]) -> tuple[str, str | None, int]:
    (report,) = verify_bundle(json.dumps(obj).encode(), keys(hub), None, ["receipt"])
    return report.result, report.reason, report.hidden


def grant_personal_data(hub: LocalHub, member: TestMember, days: int = 30) -> int:
    with hub.hub.database.unit_of_work() as session:
        asked = grants.ask(
            session, session.get_one(Member, member.member_id), OFFICER, kind="personal-data", value="victims",
            purpose="To find mule accounts", days=days, lawful_basis="Legitimate interests",
        )  # fmt: skip
    for voice in (APPROVER, OFFICER_OF_DATA):
        with hub.hub.database.unit_of_work() as session:
            grants.approve(session, grants.hold(session, asked.id), voice, "as asked", hub.settings.vetting)
    return asked.id


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("ref", [AMBER_ID, TLP1_AMBER_ID], ids=["TLP 2", "TLP 1"])
def test_the_part_is_left_out_and_not_the_object(hub: LocalHub, source: TestMember, root: str, ref: str) -> None:
    """On each API root; for too low a clearance, and for the wrong group."""
    obj = malware(1, description=SECRET, x_note="x", granular_markings=[marked(ref, "description")])
    add(hub, source, obj)
    insider = hub.add_member("Insider", groups=["banks"])
    stix_id = id20(obj["id"]) if root == "2.0" else obj["id"]
    assert given(hub, insider, root)[stix_id]["description"] == SECRET
    for other in (hub.add_member("Low", groups=["banks"], clearance="green"), hub.add_member("Outsider")):
        seen = given(hub, other, root)[stix_id]
        assert seen["name"] == obj["name"]
        assert "description" not in seen
        assert "granular_markings" not in seen
        assert SECRET[:10] not in hub.get(ROOTS[root], other, headers={"Accept": "*/*"}).text


@pytest.mark.parametrize("root", ROOTS)
def test_the_disclosure_ledger_says_what_was_given_without_parts(hub: LocalHub, source: TestMember, root: str) -> None:
    plain, marked_one = malware(1), malware(2, description=SECRET, granular_markings=[marked(AMBER_ID, "description")])
    add(hub, source, plain, marked_one, malware(3))
    insider, low = (
        hub.add_member(name, groups=["banks"], clearance=clearance)
        for name, clearance in (("In", "amber"), ("Low", "green"))
    )
    for reader in (insider, low, low):  # the third time from the page cache
        given(hub, reader, root)

    def lacking(obj: dict[str, Any]) -> dict[str, bool]:
        hub.app.extensions[EXTENSION].disclosures.flush()
        with hub.hub.database.reading() as session:
            (version,) = told(session, obj["id"])
        return {one.member_id: one.redacted for one in version.received}

    assert lacking(marked_one) == {insider.member_id: False, low.member_id: True}
    assert lacking(plain) == {insider.member_id: False, low.member_id: False}
    auditor = Browser(hub).sign_in(add_person(hub, "auditor@hub.test", ["auditor"]))
    page = text_of(auditor.get("/console/audit/disclosures", query_string={"id": marked_one["id"]}))
    assert re.search(r"Low \d+ \w+ 20\d\d, \d\d:\d\d UTC Without the parts that it may not see", page), page
    assert re.search(r" In \d+ \w+ 20\d\d, \d\d:\d\d UTC Whole", page), page
    # Once it was given the whole, it has had the whole.
    with hub.hub.database.unit_of_work() as session:
        session.get_one(Member, low.member_id).clearance = int(Tlp.AMBER)
    given(hub, low, root)
    assert lacking(marked_one) == {insider.member_id: False, low.member_id: False}


def test_a_redacted_view_is_vouched_for(hub: LocalHub, source: TestMember) -> None:
    """`hub verify` on what a member pulled; and what a member could do to it."""
    parts = [
        marked(AMBER_ID, "description", "labels.[0]"),
        marked(GREEN_ID, "name"),
        {"lang": "en", "selectors": ["name"]},
    ]
    obj = malware(1, description=SECRET, labels=["b", "a"], confidence=50, granular_markings=parts)
    add(hub, source, obj)
    full = given(hub, hub.add_member("Insider", groups=["banks"]), "signed")[obj["id"]]
    seen = given(hub, hub.add_member("Low", clearance="green"), "signed")[obj["id"]]
    assert verified(hub, full) == ("sound", None, 0)
    assert verified(hub, seen) == ("sound", None, 3)
    assert seen["granular_markings"] == parts[1:]
    view = seen["extensions"][EXTENSION_ID]
    assert view["set"] == ["granular_markings"]
    assert "seed" not in view

    def changed(**members: Any) -> dict[str, Any]:
        return {**seen, "extensions": {EXTENSION_ID: {**view, **members}}}

    def without(name: str) -> dict[str, Any]:
        return {**seen, "extensions": {EXTENSION_ID: {n: v for n, v in view.items() if n != name}}}

    salts = view["salts"]
    digest = _digest(salts["confidence"], "confidence", 50)
    fewer = {name: salt for name, salt in salts.items() if name != "confidence"}
    hides_more = changed(salts=fewer, hidden=sorted([*view["hidden"], digest]))
    del hides_more["confidence"]
    fraud = [
        {**seen, "name": "Another"},
        {**seen, "description": "made up"},
        {**seen, "granular_markings": parts[1:2]},
        {name: value for name, value in seen.items() if name != "confidence"},
        hides_more,
        *(without(name) for name in ("view", "hidden", "salts", "set")),
        changed(hidden=view["hidden"][::-1]),
        changed(hidden=view["hidden"][1:]),
        changed(hidden=[*view["hidden"], view["hidden"][0]]),
        changed(set=["name"]),
        changed(set=[]),
        changed(seed=full["extensions"][EXTENSION_ID]["seed"]),
        changed(view=full["extensions"][EXTENSION_ID]["receipt"]),
        changed(hidden=7),
        changed(salts=[]),
        changed(set=7),
        changed(view=7),
    ]
    found = [verified(hub, each) for each in fraud]
    assert [result for result, _, _ in found] == ["invalid"] * len(fraud), found


def test_the_token_of_one_view_does_not_serve_another(hub: LocalHub, source: TestMember) -> None:
    """Two readers of the same object lack different parts; neither's token covers the other's view."""
    parts = [marked(AMBER_ID, "description"), marked(AMBER_STRICT_ID, "labels")]
    obj = malware(1, description=SECRET, labels=["a"], granular_markings=parts)
    add(hub, source, obj)
    low = given(hub, hub.add_member("Low", clearance="green"), "signed")[obj["id"]]
    middle = given(hub, hub.add_member("Middle", groups=["banks"]), "signed")[obj["id"]]
    assert ("labels" in middle, "description" in middle) == (False, True)
    assert [verified(hub, one)[0] for one in (low, middle)] == ["sound", "sound"]
    stolen = json.loads(json.dumps(low))
    stolen["extensions"][EXTENSION_ID]["view"] = middle["extensions"][EXTENSION_ID]["view"]
    assert verified(hub, stolen)[0] == "invalid"


def test_the_key_of_views_must_be_published_for_views(hub: LocalHub, source: TestMember) -> None:
    obj = malware(1, description=SECRET, granular_markings=[marked(AMBER_ID, "description")])
    add(hub, source, obj)
    seen = given(hub, hub.add_member("Low", clearance="green"), "signed")[obj["id"]]
    published = keys(hub)
    assert sorted(key["role"] for key in published["keys"]) == ["hub-receipt", "hub-view"]
    only = {**published, "keys": [key for key in published["keys"] if key["role"] == "hub-receipt"]}
    as_other = {**published, "keys": [{**key, "role": "hub-receipt"} for key in published["keys"]]}
    late = {
        **published,
        "keys": [{**key, "until_idx": 0} if key["role"] == "hub-view" else key for key in published["keys"]],
    }
    for wrong in (only, as_other, late):
        (report,) = verify_bundle(json.dumps(seen).encode(), wrong, None, [])
        assert report.result == "invalid", report


@pytest.mark.parametrize(
    "obj",
    [
        indicator(1, granular_markings=[marked(AMBER_ID, "pattern")]),
        malware(1, granular_markings=[marked(AMBER_ID, "modified")]),
        malware(1, revoked=False, granular_markings=[marked(AMBER_ID, "revoked")]),
        malware(1, object_marking_refs=[GREEN_ID], granular_markings=[marked(AMBER_ID, "object_marking_refs")]),
        malware(1, granular_markings=[marked(AMBER_ID, "is_family")]),
        domain(1, granular_markings=[marked(AMBER_ID, "value")]),
        malware(1, x_a={"b": 1}, extensions={"extension-definition--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77": {
            "extension_type": "toplevel-property-extension"}}, granular_markings=[marked(AMBER_ID, "extensions")]),
    ],
    ids=["pattern", "modified", "revoked", "markings", "required", "observable", "extension"],
)  # fmt: skip
def test_what_an_object_cannot_lack_withholds_it(hub: LocalHub, source: TestMember, obj: dict[str, Any]) -> None:
    """Its id, its count and its versions are then as absent as those of one that is not there."""
    add(hub, source, obj)
    insider, other = hub.add_member("Insider", groups=["banks"]), hub.add_member("Outsider")
    assert obj["id"] in given(hub, insider)
    assert obj["id"] not in given(hub, other)
    assert hub.get(f"{ROOTS['plain']}{obj['id']}/", other).status_code == 404
    assert obj["id"] not in hub.get(ROOTS["plain"].replace("objects", "manifest"), other).text


def test_two_parts_of_which_one_must_stay(hub: LocalHub, source: TestMember) -> None:
    """A file has a name or a hash: who may see neither is not given the object, who may see one is."""
    stix_id = "file--" + domain(1)["id"].partition("--")[2]
    parts = [marked(AMBER_ID, "name"), marked(AMBER_STRICT_ID, "hashes")]
    obj = {"type": "file", "spec_version": "2.1", "id": stix_id, "name": "a.exe", "hashes": {"MD5": "0" * 32},
           "size": 7, "granular_markings": parts}  # fmt: skip
    add(hub, source, obj)
    assert stix_id not in given(hub, hub.add_member("Low", groups=["banks"], clearance="green"))
    seen = given(hub, hub.add_member("Middle", groups=["banks"]))[stix_id]
    assert ("name" in seen, "hashes" in seen) == (True, False)


def test_values_of_a_marked_pattern_go_no_further(hub: LocalHub, source: TestMember) -> None:
    """The hub's own indicator of the value is as narrow as the pattern; personal data makes none."""
    narrow = indicator(1, granular_markings=[marked(AMBER_ID, "pattern")])
    personal = indicator(2, granular_markings=[marked(PERSONAL_DATA_ID, "pattern")])
    add(hub, source, narrow, personal)
    outsider, insider = hub.add_member("Outsider"), hub.add_member("Insider", groups=["banks"])
    everywhere = dict.fromkeys((one["alias"] for one in _collections(hub, insider)), "")
    for alias in everywhere:
        for member in (outsider, insider):
            everywhere[alias] += hub.get(f"/taxii2/plain/collections/{alias}/objects/", member).text
    text = "".join(everywhere.values())
    assert narrow["pattern"] in text
    assert personal["pattern"] not in text
    seen = "".join(hub.get(f"/taxii2/plain/collections/{alias}/objects/", outsider).text for alias in everywhere)
    assert narrow["pattern"] not in seen


def test_personal_data_needs_a_grant_that_lives(hub: LocalHub, source: TestMember) -> None:
    """Field and whole object; the grant's end holds at that instant, and its revocation at the next request."""
    part = malware(1, description=SECRET, granular_markings=[marked(PERSONAL_DATA_ID, "description")])
    whole = malware(2, object_marking_refs=[GREEN_ID, PERSONAL_DATA_ID])
    fixed = indicator(3, granular_markings=[marked(PERSONAL_DATA_ID, "pattern")])
    add(hub, source, part, whole, fixed)
    with time_machine.travel(clock.now(), tick=False) as time:
        member = hub.add_member("Granted", clearance="amber+strict", groups=["banks"])

        def sees() -> tuple[bool, bool, bool]:
            found = given(hub, member, "signed")
            assert verified(hub, found[part["id"]])[0] == "sound"
            return "description" in found[part["id"]], whole["id"] in found, fixed["id"] in found

        assert sees() == (False, False, False)
        grant_personal_data(hub, member, days=1)
        assert sees() == (True, True, True)
        time.shift(86_400 - 1)
        assert sees() == (True, True, True)
        time.shift(1)
        assert sees() == (False, False, False)
        second = grant_personal_data(hub, member)
        assert sees() == (True, True, True)
        with hub.hub.database.unit_of_work() as session:
            grants.revoke(session, grants.hold(session, second), OFFICER, "misused")
        assert sees() == (False, False, False)


def test_caches_keep_readers_apart(hub: LocalHub, source: TestMember) -> None:
    """Who sees more never validates a page for who sees less, nor the other way round; the same view is shared."""
    add(hub, source, malware(1, description=SECRET, granular_markings=[marked(AMBER_ID, "description")]))
    insider, low, other = (
        hub.add_member("Insider", groups=["banks"]), hub.add_member("Low", clearance="green"), hub.add_member("Other"),
    )  # fmt: skip
    for url in ROOTS.values():
        tags = {}
        for member in (insider, low, other):
            answer = hub.get(url, member, headers={"Accept": "*/*"})
            tags[member.name] = answer.headers["ETag"]
            again = hub.get(url, member, headers={"Accept": "*/*", "If-None-Match": answer.headers["ETag"]})
            assert again.status_code == 304
        assert tags["Insider"] != tags["Low"]
        assert tags["Low"] == tags["Other"]
        crossed = hub.get(url, low, headers={"Accept": "*/*", "If-None-Match": tags["Insider"]})
        assert crossed.status_code == 200
        assert SECRET[:10] not in crossed.text


def test_a_clearance_that_changes_changes_the_next_page(hub: LocalHub, source: TestMember) -> None:
    obj = malware(1, description=SECRET, granular_markings=[marked(AMBER_ID, "description")])
    add(hub, source, obj)
    member = hub.add_member("Rising", groups=["banks"], clearance="green")
    assert "description" not in given(hub, member)[obj["id"]]
    with hub.hub.database.unit_of_work() as session:
        session.get_one(Member, member.member_id).clearance = 2
    assert "description" in given(hub, member)[obj["id"]]


def test_selectors_that_select_nothing_are_refused(hub: LocalHub, source: TestMember) -> None:
    """STIX 2.1 section 7.2.3; and RED is for no collection."""
    for selectors in (["nothing"], ["name.[0]"], ["labels.[1]"], ["extensions"]):
        status = hub.add(
            ROOTS["plain"], source, [malware(1, labels=["a"], granular_markings=[marked(AMBER_ID, *selectors)])]
        )
        assert "selects nothing" in status["failures"][0]["message"]


def test_versions_and_their_order_stay(hub: LocalHub, source: TestMember) -> None:
    """A version whose parts are marked and one whose are not; manifest and versions are the same for all."""
    first = malware(1, description=SECRET, granular_markings=[marked(AMBER_ID, "description")])
    second = malware(1, "2024-02-01T00:00:00.000Z", description="told to all")
    add(hub, source, first, second)
    member = hub.add_member("Low", clearance="green")
    answer = hub.get(f"{ROOTS['signed']}{first['id']}/", member, query_string={"match[version]": "all"})
    shown = answer.get_json(force=True)["objects"]
    assert [one.get("description") for one in shown] == [None, "told to all"]
    reports = verify_bundle(answer.data, keys(hub), None, ["receipt"])
    assert [report.result for report in reports] == ["sound", "sound"]
    listed = hub.get(f"{ROOTS['signed']}{first['id']}/versions/", member).get_json(force=True)["versions"]
    assert listed == [T0, "2024-02-01T00:00:00.000Z"]


def _collections(hub: LocalHub, member: TestMember) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.get("/taxii2/plain/collections/", member).get_json(force=True)["collections"]
    return found


def _digest(salt: str, path: str, value: Any) -> str:
    return disclosure_digest(salt.encode(), json.dumps(path).encode(), json.dumps(value).encode()).decode()
