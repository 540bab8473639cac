"""The reports API, as a reporting partner uses it."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.settings import load
from tests.live import LocalHub, TestMember, local

URL = "/api/v1/reports"
EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "examples"
EXAMPLE: dict[str, Any] = json.loads((EXAMPLES / "report.json").read_text("utf-8"))
PROBLEM = "application/problem+json"
numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("reports")) as made:
        yield made


@pytest.fixture(scope="module")
def partner(hub: LocalHub) -> TestMember:
    return hub.add_member("Report Fraud", "report-fraud", groups=("banks",), roles=("reporting-partner",))


def fresh(**head: Any) -> dict[str, Any]:
    """The example under a reference of its own."""
    report = copy.deepcopy(EXAMPLE)
    report["report"] |= {"reference": f"API-{next(numbers)}"} | head
    return report


def send(hub: LocalHub, member: TestMember | None, body: Any, **more: Any) -> Any:
    return hub.request("POST", URL, member, json=body, **more)


def outcome(hub: LocalHub, member: TestMember, answer: Any) -> dict[str, Any]:
    """The submission behind an answer, processed."""
    assert answer.status_code == 202, answer.text
    hub.work()
    found: dict[str, Any] = hub.get(answer.headers["Location"].removeprefix("http://localhost"), member).get_json()
    return found


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == PROBLEM
    problem: dict[str, Any] = answer.get_json(force=True)
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == answer.headers["X-Request-Id"]
    return problem


class TestTakenIn:
    def test_one(self, hub: LocalHub, partner: TestMember) -> None:
        report = fresh()
        answer = send(hub, partner, report)
        assert answer.status_code == 202
        pending = answer.get_json()
        assert (pending["state"], pending["total"], pending["done"]) == ("pending", 1, 0)
        assert answer.headers["Location"] == f"http://localhost/api/v1/submissions/{pending['id']}"
        done = outcome(hub, partner, answer)
        assert (done["state"], done["done"], done["failure"]) == ("complete", 1, None)
        assert done["finished_at"] >= done["received_at"]
        assert [(o["subject"], o["status"]) for o in done["outcomes"]] == [(report["report"]["reference"], "success")]
        assert done["counts"]["indicators"]["phone"] == 2

    def test_a_batch_tells_each_outcome(self, hub: LocalHub, partner: TestMember) -> None:
        good, amended = fresh(), fresh()
        outcome(hub, partner, send(hub, partner, amended))
        changed = copy.deepcopy(amended)
        changed["suspects"][0]["phone"] = "020 7946 0777"
        bad = fresh(nfib_code="99Z")
        extra = fresh() | {"colour": "red"}
        batch = {"reports": [good, bad, changed, extra, good, 17]}
        done = outcome(hub, partner, send(hub, partner, batch))
        assert (done["state"], done["total"], done["done"]) == ("complete", 6, 6)
        assert [(o["where"], o["status"]) for o in done["outcomes"]] == [
            ("reports[0]", "success"), ("reports[1]", "failure"), ("reports[2]", "success"), ("reports[3]", "failure"),
            ("reports[4]", "success"), ("reports[5]", "failure"),
        ]  # fmt: skip
        messages = [o["message"] for o in done["outcomes"]]
        assert messages[0] is None
        assert "reports[1].report.nfib_code" in messages[1]
        assert "amends" in messages[2]
        assert "reports[3].colour" in messages[3]
        assert "unchanged" in messages[4]
        counts = done["counts"]
        assert (counts["read"], counts["accepted"], counts["refused"]) == (6, 3, 3)
        assert (counts["new"], counts["updated"], counts["unchanged"]) == (1, 1, 1)

    def test_a_thousand(self, hub: LocalHub, partner: TestMember) -> None:
        head = {k: v for k, v in EXAMPLE["report"].items() if k not in ("reference", "narrative")}
        batch = [
            {"report": head | {"reference": f"K-{n}"}, "suspects": [{"phone": "020 7946 0500"}]} for n in range(1000)
        ]
        done = outcome(hub, partner, send(hub, partner, batch))
        assert (done["state"], done["total"], done["counts"]["new"]) == ("complete", 1000, 1000)
        assert done["counts"]["indicators"] == {"phone": 1}
        assert len(done["outcomes"]) == 1000

    def test_csv(self, hub: LocalHub, partner: TestMember) -> None:
        raw = (EXAMPLES / "reports.csv").read_bytes()
        answer = hub.request("POST", URL, partner, data=raw, content_type="text/csv; charset=utf-8")
        done = outcome(hub, partner, answer)
        assert done["state"] == "complete"
        assert {o["status"] for o in done["outcomes"]} == {"success"}
        assert done["counts"]["new"] == done["total"] >= 2

    def test_what_is_not_published_is_told(self, hub: LocalHub, partner: TestMember) -> None:
        report = fresh()
        report["suspects"] = [{"iban": "GB00NOPE", "phone": "020 7946 0601"}]
        del report["payments"], report["report"]["narrative"]
        done = outcome(hub, partner, send(hub, partner, report))
        [told] = done["outcomes"]
        assert told["status"] == "success"
        assert "suspects[0].iban is not published" in told["message"]
        assert done["counts"]["indicators"] == {"phone": 1}


class TestIdempotency:
    def test_the_same_key_and_body(self, hub: LocalHub, partner: TestMember) -> None:
        body, key = json.dumps(fresh()), {"Idempotency-Key": f"k-{next(numbers)}"}
        first, second = (
            hub.request("POST", URL, partner, data=body, content_type="application/json", headers=key) for _ in range(2)
        )
        assert first.status_code == second.status_code == 202
        assert first.get_json()["id"] == second.get_json()["id"]
        outcome(hub, partner, first)
        third = hub.request("POST", URL, partner, data=body, content_type="application/json", headers=key)
        assert third.get_json()["state"] == "complete"

    def test_the_same_key_and_another_body(self, hub: LocalHub, partner: TestMember) -> None:
        key = {"Idempotency-Key": f"k-{next(numbers)}"}
        assert send(hub, partner, fresh(), headers=key).status_code == 202
        problem = is_problem(send(hub, partner, fresh(), headers=key), 409)
        assert problem["where"] == "Idempotency-Key"

    def test_a_key_is_the_senders_own(self, hub: LocalHub, partner: TestMember) -> None:
        other = hub.add_member(f"Other {next(numbers)}", roles=("contributor",))
        key = {"Idempotency-Key": f"k-{next(numbers)}"}
        mine, theirs = send(hub, partner, fresh(), headers=key), send(hub, other, fresh(), headers=key)
        assert mine.get_json()["id"] != theirs.get_json()["id"]

    @pytest.mark.parametrize("key", ["", " ", "x" * 256, "tab\tin"])
    def test_a_bad_key(self, hub: LocalHub, partner: TestMember, key: str) -> None:
        assert (
            is_problem(send(hub, partner, fresh(), headers={"Idempotency-Key": key}), 400)["where"] == "Idempotency-Key"
        )

    def test_sent_twice_at_once(self, hub: LocalHub) -> None:
        """The first submissions of a new member, at once and with one key: one submission, no error."""
        for _ in range(5):
            member = hub.add_member(f"Hasty {next(numbers)}", roles=("reporting-partner",))
            body, key = json.dumps(fresh()), {"Idempotency-Key": "once"}

            def once(_: int, member: TestMember = member, body: str = body, key: Any = key) -> tuple[int, Any]:
                client = hub.app.test_client()
                answer = client.post(URL, data=body, content_type="application/json", headers={**member.headers, **key})
                hub.app.extensions["hub"].database._drop_raw()
                return answer.status_code, answer.get_json(force=True).get("id")

            with ThreadPoolExecutor(6) as pool:
                answers = set(pool.map(once, range(6)))
            assert len(answers) == 1, answers
            assert next(iter(answers))[0] == 202


class TestRefused:
    def test_faults_have_places_and_no_values(self, hub: LocalHub, partner: TestMember) -> None:
        report = fresh(kind="rumour", secret_field="CANARY-VALUE")
        report["suspects"][1]["shoe_size"] = "CANARY-VALUE"
        report["victim"]["date_of_birth"] = "CANARY-VALUE"
        answer = send(hub, partner, report)
        problem = is_problem(answer, 400)
        assert {f["where"] for f in problem["faults"]} == {
            "report.kind", "report.secret_field", "suspects[1].shoe_size", "victim.date_of_birth",
        }  # fmt: skip
        assert "CANARY-VALUE" not in answer.text

    @pytest.mark.parametrize(
        ("body", "media", "status"),
        [
            (b"", "application/json", 400),
            (b"  \n", "application/json", 400),
            (b"{", "application/json", 400),
            (b"\xff\xfe\x00", "application/json", 400),
            (b'{"report": {}, "report": {}}', "application/json", 400),
            (b"[" * 10_000 + b"]" * 10_000, "application/json", 400),
            (b"[]", "application/json", 400),
            (b"17", "application/json", 400),
            (b'"text"', "application/json", 400),
            (b"null", "application/json", 400),
            (b'{"reports": {}}', "application/json", 400),
            (b'{"reports": [], "more": 1}', "application/json", 400),
            (b'{"report": {"reference": NaN}}', "application/json", 400),
            (b"{}", "text/plain", 415),
            (b"{}", "application/xml", 415),
            (b"{}", "application/x-www-form-urlencoded", 415),
            (b"{}", None, 415),
            (b"a,b\n1,2\n", "text/csv", 400),
            (b"reference,kind\n", "text/csv", 400),
            (b'reference,kind\n"open', "text/csv", 400),
            (b"reference,reference\nA,B\n", "text/csv", 400),
            (b"\x00\x01", "text/csv", 400),
        ],
    )
    def test_bodies(self, hub: LocalHub, partner: TestMember, body: bytes, media: str | None, status: int) -> None:
        is_problem(hub.request("POST", URL, partner, data=body, content_type=media), status)

    def test_too_many(self, hub: LocalHub, partner: TestMember) -> None:
        assert send(hub, partner, [fresh()] * 1001).status_code in (400, 413)

    def test_too_large(self, hub: LocalHub, partner: TestMember) -> None:
        body = b" " * (load().server.max_body_bytes + 1)
        is_problem(hub.request("POST", URL, partner, data=body, content_type="application/json"), 413)

    def test_methods(self, hub: LocalHub, partner: TestMember) -> None:
        answer = hub.get(URL, partner)
        is_problem(answer, 405)
        assert "POST" in answer.headers["Allow"]

    def test_nothing_here(self, hub: LocalHub, partner: TestMember) -> None:
        is_problem(hub.get("/api/v1/nothing", partner), 404)


class TestWhoMay:
    def test_without_a_credential(self, hub: LocalHub) -> None:
        answer = send(hub, None, fresh())
        is_problem(answer, 401)
        assert "Basic" in answer.headers["WWW-Authenticate"]

    @pytest.mark.parametrize(
        ("role", "may_send", "may_look"),
        [
            ("reader", False, False), ("contributor", True, True), ("reporting-partner", True, True),
            ("primary-contact", False, True), ("analyst", False, True), ("auditor", False, False),
        ],
    )  # fmt: skip
    def test_roles(self, hub: LocalHub, role: str, may_send: bool, may_look: bool) -> None:
        member = hub.add_member(f"{role} {next(numbers)}", roles=(role,))
        answer = send(hub, member, fresh())
        assert answer.status_code == (202 if may_send else 403)
        if not may_send:
            is_problem(answer, 403)
        # 404, for there is no such submission; 403 for those that may not look at all.
        look = hub.get("/api/v1/submissions/00000000-0000-4000-8000-000000000000", member)
        assert look.status_code == (404 if may_look else 403)

    def test_anothers_submission_is_not_found(self, hub: LocalHub, partner: TestMember) -> None:
        other = hub.add_member(f"Curious {next(numbers)}", roles=("contributor",))
        submission = send(hub, partner, fresh()).get_json()["id"]
        theirs = hub.get(f"/api/v1/submissions/{submission}", other)
        nobodys = hub.get("/api/v1/submissions/00000000-0000-4000-8000-000000000000", other)
        assert is_problem(theirs, 404) | {"instance": ""} == is_problem(nobodys, 404) | {"instance": ""}
        assert hub.get(f"/taxii2/plain/status/{submission}/", other).status_code == 404
        is_problem(hub.get("/api/v1/submissions/not-an-id", other), 404)

    def test_bearer(self, hub: LocalHub, partner: TestMember) -> None:
        answer = send(hub, None, fresh(), headers={"Authorization": f"Bearer {partner.token}"})
        assert answer.status_code == 202

    def test_a_suspended_member(self, hub: LocalHub) -> None:
        member = hub.add_member(f"Suspended {next(numbers)}", roles=("contributor",))
        assert send(hub, member, fresh()).status_code == 202
        hub.suspend(member)
        is_problem(send(hub, member, fresh()), 401)


def test_the_openapi_document(hub: LocalHub) -> None:
    answer = hub.get("/api/openapi.json")
    assert answer.status_code == 200
    document = answer.get_json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    post = document["paths"][URL]["post"]
    assert set(post["requestBody"]["content"]) == {"application/json", "text/csv"}
    assert any(p["name"] == "Idempotency-Key" for p in post["parameters"])
    assert "202" in post["responses"]
    assert "/api/v1/submissions/{submission_id}" in document["paths"]
    assert set(document["components"]["securitySchemes"]) == {"basic", "bearer"}
    defined = document["components"]["schemas"]
    references = set(_references(document))
    assert references
    for reference in references:
        part = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step.replace("~1", "/").replace("~0", "~")]
        assert part, reference
    fields = defined["Report"]["properties"]
    assert {"report", "loss", "payments", "suspects", "victim"} <= set(fields)
    operations = [o["operationId"] for path in document["paths"].values() for o in path.values() if "operationId" in o]
    assert len(set(operations)) == len(operations)
    parameters = {p["name"] for p in document["paths"]["/api/v1/submissions/{submission_id}"].get("parameters", [])}
    parameters |= {
        p["name"] for p in document["paths"]["/api/v1/submissions/{submission_id}"]["get"].get("parameters", [])
    }
    assert "submission_id" in parameters


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == "$ref":
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)
