"""Deleting an object: TAXII 2.1 section 5.7.

What the text leaves open is decided here: without a filter all versions go; only the member that added an object
may delete it; a deleted version may be added again and then stands at the end of the log.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from hub.audit.records import AuditEvent
from hub.ledger.records import Entry
from hub.provenance.blinding import EXTENSION_ID
from hub.provenance.encoding import b64u, unb64u
from hub.provenance.keys import PublishedKey, Role, jwks
from hub.provenance.verify import verify_bundle
from tests.live import TAXII_21, LocalHub, TestMember
from tests.objects import domain, indicator

V1, V2, V3 = "2024-01-01T00:00:00.000Z", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"
ONE = indicator(1)["id"]


def delete(hub: LocalHub, collection: str, member: TestMember, stix_id: str = ONE, **query: Any) -> int:
    """The status of a DELETE."""
    answer = hub.request("DELETE", f"{collection}/objects/{stix_id}/", member, query_string=query)
    assert answer.content_type == TAXII_21
    assert (answer.data == b"") == (answer.status_code == 200)
    return answer.status_code


def standing(hub: LocalHub, collection: str, member: TestMember, versions: str = "all") -> list[tuple[str, str]]:
    """(id, version) of the manifest."""
    found = hub.get(f"{collection}/manifest/", member, query_string={"match[version]": versions})
    return [(one["id"], one["version"]) for one in found.get_json(force=True).get("objects", [])]


@pytest.fixture
def filled(local_hub: LocalHub, contributor: TestMember, collection: str) -> str:
    """One object in three versions, and another one."""
    local_hub.add(
        f"{collection}/objects/", contributor, [indicator(1, V2), indicator(1, V3), indicator(1, V1), indicator(2)]
    )
    return collection


def test_5_7_a_deleted_object_is_nowhere(local_hub: LocalHub, contributor: TestMember, filled: str) -> None:
    """§5.7: after a 200 a GET is 404, and no manifest or objects result holds it; deleting it again is 404."""
    assert delete(local_hub, filled, contributor) == 200
    other = [(indicator(2)["id"], V1)]
    for base in (filled, filled.replace("plain", "signed")):
        for rest in ("", "versions/"):
            assert local_hub.get(f"{base}/objects/{ONE}/{rest}", contributor).status_code == 404
        for versions in ("all", "first", "last", V1, V3):
            assert ONE not in dict(standing(local_hub, base, contributor, versions))
            query = {"match[version]": versions, "match[id]": ONE}
            assert local_hub.get(f"{base}/objects/", contributor, query_string=query).data == b"{}"
        assert standing(local_hub, base, contributor) == other
    assert delete(local_hub, filled, contributor) == 404


@pytest.mark.parametrize(
    ("chosen", "left", "last", "first"),
    [
        ("last", [V2, V1], V2, V1),
        ("first", [V2, V3], V3, V2),
        (V2, [V3, V1], V3, V1),
        (f"{V1},{V3}", [V2], V2, V2),
        ("first,last", [V2], V2, V2),
        ("2024-02-01T00:00:00Z", [V3, V1], V3, V1),
        ("all", [], None, None),
    ],
)
def test_5_7_match_version_chooses(
    local_hub: LocalHub,
    contributor: TestMember,
    filled: str,
    chosen: str,
    left: list[str],
    last: str | None,
    first: str | None,
) -> None:
    """§5.7: only the chosen versions go; what is last and first follows from those that remain."""
    assert delete(local_hub, filled, contributor, **{"match[version]": chosen}) == 200

    def of_one(versions: str) -> list[str]:
        return [version for stix_id, version in standing(local_hub, filled, contributor, versions) if stix_id == ONE]

    assert of_one("all") == left
    assert of_one("last") == [one for one in [last] if one]
    assert of_one("first") == [one for one in [first] if one]
    listed = local_hub.get(f"{filled}/objects/{ONE}/versions/", contributor)
    assert listed.status_code == (200 if left else 404)
    assert listed.get_json(force=True).get("versions", []) == left


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"match[version]": "1999-01-01T00:00:00Z"}, 404),
        ({"match[spec_version]": "2.0"}, 404),
        ({"match[version]": "yesterday"}, 400),
        ({"match[version]": ""}, 400),
        ({"match[version]": "all,last"}, 400),
        ({"match[spec_version]": "x"}, 400),
        ({"match[spec_version]": "2.1", "match[version]": V1}, 200),
    ],
)
def test_5_7_filters_that_choose_nothing_delete_nothing(
    local_hub: LocalHub, contributor: TestMember, filled: str, query: dict[str, str], expected: int
) -> None:
    """§5.7: unknown is 404; §3.4: malformed is 400."""
    assert delete(local_hub, filled, contributor, **query) == expected
    assert len(standing(local_hub, filled, contributor)) == (3 if expected == 200 else 4)


@pytest.mark.parametrize("stix_id", ["nonsense", "indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77", "%00", "'--"])
def test_5_7_an_unknown_object_is_not_found(
    local_hub: LocalHub, contributor: TestMember, filled: str, stix_id: str
) -> None:
    """§5.7: 404."""
    assert delete(local_hub, filled, contributor, stix_id) == 404


@pytest.mark.parametrize(
    ("read", "write", "expected"),
    [([], [], 404), (["members"], [], 403), ([], ["members"], 403), (["members"], ["members"], 404)],
)
def test_5_7_the_permission_table(
    local_hub: LocalHub, contributor: TestMember, alias: str, read: list[str], write: list[str], expected: int
) -> None:
    """§5.7: false/false 404, true/false 403, false/true 403; true/true looks for the object."""
    local_hub.add_collection(f"{alias}-t", read=read, write=write)
    assert delete(local_hub, f"/taxii2/plain/collections/{alias}-t", contributor) == expected


def test_5_7_only_who_added_an_object_may_delete_it(
    local_hub: LocalHub, reader: TestMember, filled: str, alias: str
) -> None:
    """Another contributor is refused, and the hub's own objects stay."""
    other = local_hub.add_member(f"Other {alias}", groups=["banks"], roles=["contributor"])
    assert delete(local_hub, filled, other) == 403
    assert delete(local_hub, filled, reader) == 403
    assert len(standing(local_hub, filled, reader)) == 4
    shared = "/taxii2/plain/collections/shared"
    for stix_id, _ in standing(local_hub, shared, other):
        assert delete(local_hub, shared, other, stix_id) == 403


def test_5_7_what_one_may_not_see_cannot_be_told_from_what_is_not(
    local_hub: LocalHub, contributor: TestMember, collection: str, alias: str
) -> None:
    """An object above the member's clearance is 404 to it, not 403."""
    amber = indicator(1, object_marking_refs=["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"])
    assert local_hub.add(f"{collection}/objects/", contributor, [amber])["success_count"] == 1
    cleared_lower = local_hub.add_member(f"Lower {alias}", clearance="green", roles=["contributor"])
    assert delete(local_hub, collection, cleared_lower) == 404
    assert len(standing(local_hub, collection, contributor)) == 1


def test_5_7_paging_goes_on_over_a_deletion(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """§3.5: a next or an added_after that was taken before stays good; nothing that stands is skipped or repeated."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(n) for n in range(6)])
    path = f"{collection}/objects/"
    first = local_hub.get(path, contributor, query_string={"limit": 3})
    for gone in (2, 3):
        assert delete(local_hub, collection, contributor, indicator(gone)["id"]) == 200
    wanted = [indicator(4), indicator(5)]
    for query in (
        {"next": first.get_json(force=True)["next"]},
        {"added_after": first.headers["X-TAXII-Date-Added-Last"]},
    ):
        rest = local_hub.get(path, contributor, query_string=query)
        assert rest.get_json(force=True) == {"objects": wanted}


def test_5_7_more_and_then_nothing_after_deletions(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§3.5: allowed; the empty page still says where the client stands."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(n) for n in range(2)])
    path = f"{collection}/objects/"
    first = local_hub.get(path, contributor, query_string={"limit": 1})
    assert delete(local_hub, collection, contributor, indicator(1)["id"]) == 200
    rest = local_hub.get(path, contributor, query_string={"next": first.get_json(force=True)["next"]})
    assert (rest.status_code, rest.data) == (200, b"{}")


def test_a_deleted_version_may_come_again_and_stands_at_the_end(
    local_hub: LocalHub, contributor: TestMember, filled: str, alias: str
) -> None:
    """Who follows the feed finds it: a new place and date. The id stays with the source that it was of."""
    last = local_hub.get(f"{filled}/objects/", contributor).headers["X-TAXII-Date-Added-Last"]
    assert delete(local_hub, filled, contributor) == 200
    other = local_hub.add_member(f"Thief {alias}", groups=["banks"], roles=["contributor"])
    refused = local_hub.add(f"{filled}/objects/", other, [indicator(1, V1)])
    assert refused["failure_count"] == 1
    again = local_hub.add(f"{filled}/objects/", contributor, [indicator(1, V1), indicator(1, V1), indicator(1, V2)])
    assert again["success_count"] == 3
    new = local_hub.get(f"{filled}/objects/", contributor, query_string={"added_after": last})
    assert new.get_json(force=True) == {"objects": [indicator(1, V2)]}
    assert standing(local_hub, filled, contributor, "first")[1:] == [(ONE, V1)]
    assert delete(local_hub, filled, contributor, **{"match[version]": V2}) == 200
    assert standing(local_hub, filled, contributor) == [(indicator(2)["id"], V1), (ONE, V1)]


def test_an_unversioned_object_is_deleted_and_comes_again(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """By its id, or by the version that the manifest gives for it."""
    for _ in range(2):
        status = local_hub.add(f"{collection}/objects/", contributor, [domain(1)])
        version = status["successes"][0]["version"]
        assert standing(local_hub, collection, contributor, "last") == [(domain(1)["id"], version)]
        assert delete(local_hub, collection, contributor, domain(1)["id"], **{"match[version]": version}) == 200
    assert standing(local_hub, collection, contributor) == []


def entries_of_one(hub: LocalHub) -> list[Entry]:
    with hub.hub.database.reading() as session:
        return list(session.scalars(select(Entry).where(Entry.stix_id == ONE).order_by(Entry.seq)))


def test_the_log_keeps_what_was_deleted_and_who_did_it(
    local_hub: LocalHub, contributor: TestMember, filled: str
) -> None:
    """The log is append-only: the row stays; the audit log names the member, the object and the versions."""
    before = entries_of_one(local_hub)
    assert delete(local_hub, filled, contributor) == 200
    after = entries_of_one(local_hub)
    assert [(one.seq, one.body) for one in after[: len(before)]] == [(one.seq, one.body) for one in before]
    with local_hub.hub.database.reading() as session:
        found = select(AuditEvent).where(AuditEvent.action == "object:delete").order_by(AuditEvent.id.desc()).limit(1)
        event = session.scalars(found).one()
    assert (event.actor, event.subject) == (contributor.member_id, ONE)
    assert all(version in event.detail for version in (V1, V2, V3))


def test_the_log_says_that_a_version_was_deleted(local_hub: LocalHub, contributor: TestMember, filled: str) -> None:
    """One signed statement of ``op`` withdraw for each deleted version, in the chain of statements about the id."""
    before = entries_of_one(local_hub)
    assert delete(local_hub, filled, contributor, **{"match[version]": f"{V1},{V2}"}) == 200
    withdrawn = entries_of_one(local_hub)[len(before) :]
    assert [one.version for one in withdrawn] == [V2, V1]  # in the order in which they were added
    local_hub.add(f"{filled}/objects/", contributor, [indicator(1, V1)])
    again = entries_of_one(local_hub)[-1]
    chain = [before[-1], *withdrawn, again]
    receipts = [receipt_of(one) for one in chain]
    assert [one["op"] for one in receipts] == ["add", "withdraw", "withdraw", "add"]
    assert [one["idx"] for one in receipts] == [one.seq for one in chain]
    assert [one.get("prev") for one in receipts[1:]] == [one.statement for one in chain[:-1]]
    keys = jwks([PublishedKey(local_hub.hub.signer.public_jwk(), Role.HUB_RECEIPT, "hub", 0)])
    for one in withdrawn:
        (report,) = verify_bundle(one.body, keys, None, ["receipt"])
        assert (report.result, report.source) == ("sound", "member")
    # No reader is given one, by any way in.
    shown = local_hub.get(f"{filled.replace('plain', 'signed')}/objects/?match[version]=all", contributor)
    assert not {one.statement for one in withdrawn} & {_statement(one) for one in shown.get_json(force=True)["objects"]}


def receipt_of(entry: Entry) -> dict[str, Any]:
    """The payload of the receipt inside an entry's body."""
    return _payload(json.loads(entry.body))


def _payload(obj: dict[str, Any]) -> dict[str, Any]:
    return json.loads(unb64u(obj["extensions"][EXTENSION_ID]["receipt"].split(".")[1], where="receipt"))


def _statement(obj: dict[str, Any]) -> str:
    payload = obj["extensions"][EXTENSION_ID]["receipt"].split(".")[1]
    return b64u(sha256(unb64u(payload, where="receipt")).digest()).decode()


def test_a_page_that_a_client_holds_is_not_confirmed_after_a_deletion(
    local_hub: LocalHub, contributor: TestMember, filled: str
) -> None:
    """RFC 9110 section 13.1.2: its validator no longer matches, though nothing was added since."""
    held = local_hub.get(f"{filled}/objects/", contributor).headers["ETag"]
    again = {"If-None-Match": held}
    assert local_hub.get(f"{filled}/objects/", contributor, headers=again).status_code == 304
    assert delete(local_hub, filled, contributor) == 200
    answer = local_hub.get(f"{filled}/objects/", contributor, headers=again)
    assert answer.get_json(force=True) == {"objects": [indicator(2)]}
