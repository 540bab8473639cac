"""Adding objects and the status of it: TAXII 2.1 sections 4.3 and 5.5."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from hub.feeds import inbox
from hub.feeds.records import Submission
from tests.live import TAXII_21, LocalHub, TestMember
from tests.objects import domain, indicator, malware, statement


def counts(status: dict[str, Any]) -> tuple[int, int, int, int]:
    """(total, success, failure, pending)."""
    return tuple(status[f"{name}_count"] for name in ("total", "success", "failure", "pending"))


def test_5_5_a_post_is_accepted_and_its_status_can_be_followed(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§5.5, §4.3: 202 with a status resource; pending until the intake has run, then complete, and kept."""
    answer = local_hub.post(f"{collection}/objects/", contributor, [indicator(1), indicator(2)])
    assert answer.status_code == 202
    assert answer.content_type == TAXII_21
    status = answer.get_json(force=True)
    assert status["status"] == "pending"
    assert counts(status) == (2, 0, 0, 2)
    assert status["id"][14] == "4"
    path = f"/taxii2/plain/status/{status['id']}/"
    assert answer.headers["Location"] == f"http://localhost{path}"
    assert local_hub.get(path, contributor).get_json(force=True) == status
    local_hub.work()
    final = local_hub.get(path, contributor).get_json(force=True)
    assert final["status"] == "complete"
    assert final["request_timestamp"] == status["request_timestamp"]
    assert counts(final) == (2, 2, 0, 0)
    assert final["successes"] == [{"id": one["id"], "version": one["modified"]} for one in (indicator(1), indicator(2))]
    assert "failures" not in final
    assert "pendings" not in final


def test_4_3_another_members_status_is_not_found(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str
) -> None:
    """§4.3: gone, unknown or not one's own is the same 404."""
    status = local_hub.add(f"{collection}/objects/", contributor, [indicator(1)])
    for member, number in (
        (reader, status["id"]),
        (contributor, "6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"),
        (contributor, "x"),
        (contributor, status["id"].upper()),
    ):
        assert local_hub.get(f"/taxii2/plain/status/{number}/", member).status_code == 404


def test_5_5_each_object_has_its_own_outcome(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """§4.3.1, §5.5: partial failure is per object, each with a reason."""
    bad = [
        {"type": "indicator"},
        {"type": "no-such-type", "id": "no-such-type--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"},
        indicator("bad pattern", pattern="[nonsense"),
        indicator("bad version", modified="yesterday"),
        indicator("2.0", spec_version="2.0"),
        {"id": 7, "type": ["list"], "modified": {}},
        {},
        malware("name", name=None),
    ]
    status = local_hub.add(f"{collection}/objects/", contributor, [indicator(1), *bad, domain(1), statement(1)])
    assert counts(status) == (11, 3, 8, 0)
    assert len(status["failures"]) == 8
    for one in status["failures"]:
        assert set(one) == {"id", "version", "message"}
        assert one["message"]
        assert one["version"].endswith("Z")
        assert one["version"][:4].isdigit()
    assert [one["id"] for one in status["failures"]][:2] == ["objects[1]", bad[1]["id"]]
    found = local_hub.get(f"{collection}/objects/", contributor).get_json(force=True)["objects"]
    assert found == [indicator(1), domain(1), statement(1)]


def test_5_5_an_exact_duplicate_is_no_error_and_is_stored_once(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§5.5: also within one POST, also for objects without a version; date_added stays."""
    objects = [indicator(1), domain(1), statement(1)]
    first = local_hub.add(f"{collection}/objects/", contributor, objects + objects)
    assert counts(first) == (6, 6, 0, 0)
    before = local_hub.get(f"{collection}/manifest/", contributor).data
    second = local_hub.add(f"{collection}/objects/", contributor, objects)
    assert counts(second) == (3, 3, 0, 0)
    assert local_hub.get(f"{collection}/manifest/", contributor).data == before


def test_5_5_the_same_version_with_other_content_does_not_replace(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§5.5: refused for that object, with the reason; what stands stays. Equal instants are one version."""
    local_hub.add(f"{collection}/objects/", contributor, [malware(1, name="first"), domain(1)])
    status = local_hub.add(
        f"{collection}/objects/",
        contributor,
        [
            malware(1, name="second"),
            malware(1, modified="2024-01-01T00:00:00.000000Z", name="third"),
            domain(1, value="other.example"),
        ],
    )
    assert counts(status) == (3, 0, 3, 0)
    found = local_hub.get(f"{collection}/objects/", contributor).get_json(force=True)["objects"]
    assert found == [malware(1, name="first"), domain(1)]


def test_5_5_a_bundle_is_taken_too(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """Common clients send one (stix2's TAXIICollectionSink does)."""
    bundle = {"type": "bundle", "id": "bundle--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77", "objects": [indicator(1)]}
    answer = local_hub.request(
        "POST", f"{collection}/objects/", contributor, json=bundle, content_type="application/stix+json;version=2.1"
    )
    assert answer.status_code == 202
    local_hub.work()
    assert len(local_hub.get(f"{collection}/objects/", contributor).get_json(force=True)["objects"]) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", 400),
        (b"   ", 400),
        (b"{", 400),
        (b'{"objects": [{}]} x', 400),
        (b"\xef\xbb\xbf" + b'{"objects": [{}]}', 400),
        ('{"objects": [{}]}'.encode("utf-16"), 400),
        (b'{"objects": [{"id": "\xff"}]}', 400),
        (b'{"objects": [{"id": "\\ud800"}]}', 400),
        (b'{"objects": [{"id": "\\u0000"}]}', 400),
        (b'{"objects": [{}], "objects": [{}]}', 400),
        (b'{"objects": [{"a": 1, "a": 2}]}', 400),
        (b'{"objects": [{"a": NaN}]}', 400),
        (b'{"objects": [{"a": 1e400}]}', 400),
        (b'{"objects": [{"a": 1000000000000000000000000000000}]}', 400),
        (b'{"objects": [' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"]}", 400),
        (b'{"objects": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b"[]", 422),
        (b"7", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{}", 422),
        (b'{"objects": []}', 422),
        (b'{"objects": {}}', 422),
        (b'{"objects": null}', 422),
        (b'{"objects": [1]}', 422),
        (b'{"objects": [{}, null]}', 422),
        (b'{"more": true}', 422),
        (b'{"Objects": [{}]}', 422),
    ],
    ids=range(28),
)
def test_5_5_what_is_no_envelope_is_refused_whole(
    local_hub: LocalHub, contributor: TestMember, collection: str, body: bytes, expected: int
) -> None:
    """§5.5, §3.6: 400 for what is not I-JSON (§1.6.7), 422 for what is no envelope of objects; nothing is stored.

    Property names are exact, also in case (§3.8).
    """
    answer = local_hub.request("POST", f"{collection}/objects/", contributor, data=body, content_type=TAXII_21)
    assert answer.status_code == expected, answer.text
    assert answer.get_json(force=True)["http_status"] == str(expected)
    assert local_hub.work() == 0


def test_7_1_1_custom_properties_of_an_envelope_are_ignored(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§7.1.1: a server MAY ignore what it does not know; the objects are taken, and nothing of it comes back."""
    sent = {"x_other_note": "a", "more": False, "objects": [indicator("custom")]}
    path = f"{collection}/objects/"
    answer = local_hub.request("POST", path, contributor, json=sent, content_type=TAXII_21)
    assert answer.status_code == 202
    assert "x_other_note" not in answer.text
    local_hub.work()
    assert set(local_hub.get(path, contributor).get_json()) == {"objects"}


def test_4_3_a_submission_that_was_given_up_still_adds_up(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§4.3.1: complete means that nothing is pending: what was not reached is a failure, with the reason."""
    status = local_hub.post(f"{collection}/objects/", contributor, [indicator(1), indicator(2)]).get_json(force=True)
    with local_hub.hub.database.unit_of_work() as session:
        session.execute(
            update(Submission)
            .where(Submission.id == status["id"])
            .values(state=inbox.FAILED, failure="it could not be read", finished_at=1)
        )
    final = local_hub.get(f"/taxii2/plain/status/{status['id']}/", contributor).get_json(force=True)
    assert final["status"] == "complete"
    assert counts(final) == (2, 0, 2, 0)
    assert [one["id"] for one in final["failures"]] == ["objects[0]", "objects[1]"]
    assert {one["message"] for one in final["failures"]} == {"it could not be read"}


def test_5_5_too_many_objects_is_unprocessable(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """§4.2.1: a body of less than max_content_length MUST NOT be 413; §5.5: 422, and it says how many may come."""
    most = local_hub.settings.taxii.max_post_objects
    answer = local_hub.post(f"{collection}/objects/", contributor, [{}] * (most + 1))
    assert answer.status_code == 422
    assert str(most) in answer.get_json(force=True)["description"]


def test_5_5_a_reader_may_not_add(local_hub: LocalHub, reader: TestMember, collection: str) -> None:
    """§5.5: can_write false is 403."""
    assert local_hub.post(f"{collection}/objects/", reader, [indicator(1)]).status_code == 403
