"""The private pre-check from the filing to the match: by a real server, a real client, and on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from hub import clock
from hub.audit.records import AuditEvent
from hub.checks.filings import filing
from hub.checks.filings.gateways import Basis, Gateway, Purpose
from hub.checks.precheck import keys as precheck_keys
from hub.checks.precheck.client import PrecheckClient, read_values
from hub.checks.precheck.evaluating import PURPOSE
from hub.checks.precheck.keys import published
from hub.checks.precheck.records import PrecheckOutput, PrecheckSet
from hub.checks.precheck.sets import DownloadedSet
from hub.checks.precheck.voprf import Blinded
from hub.checks.searching import quotas
from hub.clock import DAY
from hub.errors import IntegrityFailure, Unavailable
from hub.factory import upkeep
from hub.members import membership
from tests import filings
from tests.commands import Commands
from tests.live import LocalHub, TestMember, local, serving, wait_for

PARAMETERS = "/api/v1/precheck"
EVALUATIONS = "/api/v1/precheck/evaluations"
BASIS = Basis(Purpose.PAYEE_CHECK, Gateway.DPA_2018_SCH1_P14)
STATED = {"purpose": BASIS.purpose.value, "legal_gateway": BASIS.gateway.value}
WITH = ("--purpose", STATED["purpose"], "--gateway", STATED["legal_gateway"])
HEAD = json.dumps(STATED).encode().removesuffix(b"}") + b","
MULE = filings.account(20260001)
MULE_LINE = "20-20-15 20260001"


class InProcess(requests.Session):
    """A session of the client that goes straight into the application; keeps what was sent."""

    def __init__(self, hub: LocalHub, member: TestMember) -> None:
        super().__init__()
        self._hub, self._member = hub, member
        self.sent: list[bytes] = []

    def request(self, method: str, url: str, **more: Any) -> Any:  # type: ignore[override] # only what the client uses
        path = url.removeprefix("http://localhost")
        answer = self._hub.request(method, path, self._member, **{k: more[k] for k in more if k == "json"})
        self.sent.append(f"{method} {path} {json.dumps(more.get('json'))}".encode())
        found = requests.Response()
        found.status_code, found._content, found.url = answer.status_code, answer.data, url
        return found


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with local(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("Filing Bank", groups=["banks"], roles=["contributor", "reader"], clearance="amber+strict")


@pytest.fixture
def asker(hub: LocalHub) -> TestMember:
    return hub.add_member("Asking Bank", groups=["banks"], clearance="amber+strict")


def build(hub: LocalHub) -> Any:
    return upkeep.set_builder(hub.hub).run()


def parameters(hub: LocalHub, member: TestMember) -> Any:
    answer = hub.get(PARAMETERS, member)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def matched(hub: LocalHub, member: TestMember, *lines: str, kind: str | None = None) -> set[str]:
    """The values among ``lines`` that a pre-check by ``member`` finds."""
    asked, unreadable = read_values("\n".join(lines), kind)
    assert not unreadable
    keys = [one["public_key"] for one in parameters(hub, member)["epochs"]]
    found = PrecheckClient("http://localhost", InProcess(hub, member), keys, BASIS).run(asked)
    return {one.value for one, _ in found.matches}


def test_a_member_finds_what_another_has_filed(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    iban = {"iban": "GB33BUKB20201555555555"}
    filings.filed(hub, bank, filings.intelligence(subject=MULE), filings.intelligence(subject=iban))
    assert build(hub).evaluated == 2
    assert matched(hub, asker, MULE_LINE, "20-20-15 20260002", "+44 7700 900111") == {MULE_LINE}
    # A British IBAN and its sort code and account are one value, whichever was filed and is asked.
    assert matched(hub, asker, "20-20-15 55555555", "GB33BUKB20201555555555") == {
        "20-20-15 55555555", "GB33BUKB20201555555555",
    }  # fmt: skip


def test_nothing_that_is_sent_can_be_tried_out(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    """Neither the value in any form nor anything that is the same for the same value."""
    filings.filed(hub, bank, filings.intelligence(subject=MULE))
    build(hub)
    asked, _ = read_values(MULE_LINE)
    bodies = []
    for _ in range(2):
        session = InProcess(hub, asker)
        keys = [one["public_key"] for one in parameters(hub, asker)["epochs"]]
        assert PrecheckClient("http://localhost", session, keys, BASIS).run(asked).matches
        assert not any(form in sent for sent in session.sent for form in (b"20260001", b"20-20-15", b"202015"))
        bodies.append(next(sent for sent in session.sent if sent.startswith(b"POST")))
    assert bodies[0] != bodies[1]
    with hub.hub.database.reading() as session_:
        events = list(session_.scalars(select(AuditEvent).where(AuditEvent.action == "precheck:evaluate")))
    assert [json.loads(one.detail)["after"]["evaluations"] for one in events] == [1, 1]
    assert {one.actor for one in events} == {asker.member_id}
    after = json.loads(events[0].detail)["after"]
    assert (after["purpose"], after["gateway"]) == ("payee-check", "dpa-2018-sch1-para14")


def test_a_set_is_for_those_alone_who_may_see_its_filings(hub: LocalHub, bank: TestMember) -> None:
    """Not the group's, not the clearance's, not RED: neither named, nor given, nor found."""
    strict = hub.add_member("Strict", groups=["banks"], clearance="amber+strict")
    amber = hub.add_member("Amber", groups=["banks"], clearance="amber")
    outside = hub.add_member("Outside", groups=["insurers"], clearance="amber+strict")
    named = hub.add_member("Named", groups=["banks"], clearance="red")
    for tlp, number in (("amber", 31), ("amber+strict", 32)):
        filings.filed(hub, bank, filings.intelligence(subject=filings.account(number), tlp=tlp))
    red = filings.intelligence(subject=filings.account(33), tlp="red", recipients=[named.member_id])
    filings.filed(hub, bank, red)
    build(hub)
    lines = [f"20-20-15 000000{number}" for number in (31, 32, 33)]
    assert matched(hub, strict, *lines) == set(lines[:2])
    assert matched(hub, amber, *lines) == set(lines[:1])
    assert matched(hub, named, *lines) == set(lines[:2])
    assert matched(hub, outside, *lines) == set()
    assert parameters(hub, outside)["sets"] == []
    versions = [one["version"] for one in parameters(hub, strict)["sets"]]
    assert len(versions) >= 2
    for version in versions:
        path = f"{PARAMETERS}/sets/{version}"
        assert hub.get(path, strict).status_code == 200
        assert hub.get(path, outside).status_code == 404
        assert (
            hub.get(path, outside).get_json()["detail"]
            == hub.get(f"{PARAMETERS}/sets/no", outside).get_json()["detail"]
        )


NEVER = {
    "an impersonated victim": {"role": "impersonated-victim", "subject": {"phone": "+44 7700 900301"}},
    "a false identity": {"role": "false-identity", "subject": {"phone": "+44 7700 900302", "person": filings.PERSON}},
    "what is suspected to be false": {"grade": "1E:P", "subject": {"phone": "+44 7700 900303"}},
    "known fraud without its approval": {"subject": {"phone": "+44 7700 900304"}},
}


def test_what_nobody_is_told_of_is_in_no_set(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    """People and what only checking knows are no kinds of the pre-check at all."""
    for name, changes in NEVER.items():
        make = filings.known_fraud if "approval" in name else filings.intelligence
        filings.filed(hub, bank, make(**changes))
    # Somebody else takes a victim's number for a fraudster's.
    filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900301"}))
    filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900305", "person": filings.PERSON}))
    build(hub)
    lines = [f"+44 7700 90030{number}" for number in range(1, 6)]
    assert matched(hub, asker, *lines) == {"+44 7700 900305"}
    _, refused = read_values("QQ123456C\n", "nino")
    assert [one.reason for one in refused] == ["'nino' is not pre-checked"]
    with hub.hub.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PrecheckOutput)) == 1


def test_a_disputed_or_expired_filing_leaves_the_next_version(
    hub: LocalHub, bank: TestMember, asker: TestMember
) -> None:
    kept, disputed = filings.filed(
        hub, bank, filings.intelligence(subject=MULE), filings.intelligence(subject=filings.account(42))
    )
    lines = [MULE_LINE, "20-20-15 00000042"]
    build(hub)
    assert matched(hub, asker, *lines) == set(lines)
    before = {one["version"] for one in parameters(hub, asker)["sets"]}
    with hub.hub.database.unit_of_work() as session:
        filing.dispute(session, hub.hub.filings(), "hub", "hub", disputed, "the account's owner says so")
    built = build(hub)
    assert built.published == 2  # the filings' set, and that of the indicators made of them
    assert matched(hub, asker, *lines) == {MULE_LINE}
    assert not before & {one["version"] for one in parameters(hub, asker)["sets"]}
    with hub.hub.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PrecheckOutput)) == 1  # forgotten, not only left out
    with clock.as_of(clock.micros() + 400 * DAY):
        build(hub)
        assert matched(hub, asker, *lines) == set()
    assert kept


def test_nothing_changes_where_nothing_changed(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    filings.filed(hub, bank, filings.intelligence(subject=MULE))
    assert build(hub).published >= 1
    again = build(hub)
    assert (again.published, again.evaluated) == (0, 0)
    assert again.unchanged >= 1
    version = parameters(hub, asker)["sets"][0]["version"]
    answer = hub.get(f"{PARAMETERS}/sets/{version}", asker)
    etag = answer.headers["ETag"]
    assert "immutable" in answer.headers["Cache-Control"]
    assert len(DownloadedSet(answer.data)) == 1024  # one value
    assert hub.get(f"{PARAMETERS}/sets/{version}", asker, headers={"If-None-Match": etag}).status_code == 304


def membership_id(hub: LocalHub, group: str) -> int:
    with hub.hub.database.reading() as session:
        return next(iter(membership.group_ids(session, [group])))


def test_indicators_of_the_feeds_are_found_by_those_who_may_read_them(hub: LocalHub, asker: TestMember) -> None:
    hub.add_member("Somebody", groups=["insurers"])
    insurers = f"group:{membership_id(hub, 'insurers')}"
    hub.add_collection("private", read=[insurers])
    command = Commands(
        hub.settings.database_location,
        hub.settings.data_dir,
        HUB_INTAKE__RESERVED="publish",
        HUB_BASE_URL="http://localhost",
    )
    insurer = hub.add_member("Insurer", groups=["insurers"])
    for alias, number in (("fraud", "+447700900401"), ("private", "+447700900402")):
        path = hub.settings.data_dir / f"{alias}.txt"
        path.write_text(f"{number}\n")
        command("import", path, "--source", "a feed", "--collection", alias, "--tlp", "green")
    build(hub)
    lines = ["+447700900401", "+447700900402"]
    assert matched(hub, asker, *lines) == set(lines[:1])
    assert matched(hub, insurer, *lines) == set(lines)


def test_evaluations_are_counted_and_the_quota_ends_them(hub: LocalHub, asker: TestMember) -> None:
    build(hub)
    with hub.hub.database.unit_of_work() as session:
        quotas.set_quota(session, "operator", asker.member_id, PURPOSE, 3, 3)
    body = {**STATED, "epoch": 1, "blinded": _blinded(2)}
    assert parameters(hub, asker)["evaluations_left"] == 3
    assert hub.request("POST", EVALUATIONS, asker, json=body).status_code == 200
    assert parameters(hub, asker)["evaluations_left"] == 1
    refused = hub.request("POST", EVALUATIONS, asker, json=body)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert "evaluated" not in refused.text
    assert (
        hub.request("POST", EVALUATIONS, asker, json={**STATED, "epoch": 1, "blinded": _blinded(1)}).status_code == 200
    )
    assert parameters(hub, asker)["evaluations_left"] == 0


def _blinded(count: int) -> list[str]:
    return [published(one) for one in Blinded([f"phone:4477009{n:05d}".encode() for n in range(count)]).elements]


BAD = {
    "no JSON": (b"{", 400, ""),
    "no object": (b"[]", 400, "body"),
    "another field": (HEAD + b' "epoch": 1, "blinded": [], "values": ["x"]}', 400, "body"),
    "no batch": (HEAD + b' "epoch": 1, "blinded": []}', 400, "blinded"),
    "no list": (HEAD + b' "epoch": 1, "blinded": "a"}', 400, "blinded"),
    "no epoch": (HEAD + b' "epoch": true, "blinded": ["a"]}', 400, "epoch"),
    "an unknown epoch": (json.dumps({**STATED, "epoch": 9, "blinded": _blinded(1)}).encode(), 404, ""),
    "a huge epoch": (json.dumps({**STATED, "epoch": 2**40, "blinded": _blinded(1)}).encode(), 400, "epoch"),
    "no base64": (HEAD + b' "epoch": 1, "blinded": ["' + b"*" * 43 + b'"]}', 400, "blinded[0]"),
    "too short": (HEAD + b' "epoch": 1, "blinded": ["AAAA"]}', 400, "blinded[0]"),
    "no text": (HEAD + b' "epoch": 1, "blinded": [7]}', 400, "blinded[0]"),
    "no element": (HEAD + b' "epoch": 1, "blinded": ["' + b"_" * 42 + b'8"]}', 400, "blinded[0]"),
    "the identity": (HEAD + b' "epoch": 1, "blinded": ["' + b"A" * 43 + b'"]}', 400, "blinded[0]"),
    "too many": (json.dumps({**STATED, "epoch": 1, "blinded": _blinded(1) * 501}).encode(), 413, "blinded"),
}


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_bad_batches_are_refused_and_cost_nothing(hub: LocalHub, asker: TestMember) -> None:
    build(hub)
    left = parameters(hub, asker)["evaluations_left"]
    for name, (body, status, where) in BAD.items():
        answer = hub.request("POST", EVALUATIONS, asker, data=body, content_type="application/json")
        assert answer.status_code == status, (name, answer.text)
        assert answer.content_type == "application/problem+json"
        assert not where or where in answer.text, (name, answer.text)
    assert hub.request("POST", EVALUATIONS, asker, data=b"x", content_type="text/plain").status_code == 415
    assert parameters(hub, asker)["evaluations_left"] == left


def test_a_new_key_brings_new_sets_and_the_old_one_ends(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    filings.filed(hub, bank, filings.intelligence(subject=MULE))
    build(hub)
    old = parameters(hub, asker)["epochs"][0]
    with hub.hub.database.unit_of_work() as session:
        precheck_keys.rotate(session, hub.hub.vault, "operator", 14, "a drill")
    build(hub)
    both = parameters(hub, asker)
    assert [one["epoch"] for one in both["epochs"]] == [2, 1]
    assert {one["epoch"] for one in both["sets"]} == {1, 2}
    assert both["epochs"][1] == {**old, "refused_after": both["epochs"][1]["refused_after"]}
    assert both["epochs"][1]["refused_after"] is not None
    asked, _ = read_values(MULE_LINE)
    # Who has pinned the old key only goes on with it; who has pinned both takes the new one.
    for pins, epoch in (([old["public_key"]], 1), ([one["public_key"] for one in both["epochs"]], 2)):
        found = PrecheckClient("http://localhost", InProcess(hub, asker), pins, BASIS).run(asked)
        assert (found.epoch, len(found.matches)) == (epoch, 1)
    with clock.as_of(clock.micros() + 15 * DAY):
        refused = hub.request("POST", EVALUATIONS, asker, json={**STATED, "epoch": 1, "blinded": _blinded(1)})
        assert refused.status_code == 400
        assert "epoch 1 is over" in refused.text
        assert [one["epoch"] for one in parameters(hub, asker)["epochs"]] == [2]
        with pytest.raises(IntegrityFailure, match="pinned"):
            PrecheckClient("http://localhost", InProcess(hub, asker), [old["public_key"]], BASIS).run(asked)
        with hub.hub.database.unit_of_work() as session:
            precheck_keys.destroy(session, hub.hub.vault, precheck_keys.over(session, hub.hub.vault))
        with hub.hub.database.reading() as session:
            assert set(session.scalars(select(PrecheckSet.epoch))) == {2}
            assert set(session.scalars(select(PrecheckOutput.epoch))) == {2}
        with pytest.raises(IntegrityFailure, match="no key 1"):
            precheck_keys.open_key(hub.hub.vault, 1)


def test_a_client_trusts_only_what_is_pinned_and_proved(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    filings.filed(hub, bank, filings.intelligence(subject=MULE))
    build(hub)
    asked, _ = read_values(MULE_LINE)
    key = parameters(hub, asker)["epochs"][0]["public_key"]

    class Altered(InProcess):
        """A hub that cheats in one place."""

        def __init__(self, change: Any) -> None:
            super().__init__(hub, asker)
            self.change = change

        def request(self, method: str, url: str, **more: Any) -> Any:  # type: ignore[override] # only what the client uses
            answer = super().request(method, url, **more)
            answer._content = self.change(url, answer.content)
            return answer

    def run(change: Any, pins: list[str]) -> Any:
        return PrecheckClient("http://localhost", Altered(change), pins, BASIS).run(asked)

    assert run(lambda _, content: content, [key]).matches
    with pytest.raises(IntegrityFailure, match="pinned"):
        run(lambda _, content: content, ["A" * 43])

    def other_key(url: str, content: bytes) -> bytes:
        """Evaluates for this member under a key of its own, to know it again."""
        if not url.endswith("/evaluations"):
            return content
        document = json.loads(content)
        return json.dumps({**document, "evaluated": [published(Blinded([b"x"]).elements[0])]}).encode()

    with pytest.raises(IntegrityFailure, match="cannot be trusted"):
        run(other_key, [key])
    with pytest.raises(IntegrityFailure, match="not the one"):
        run(lambda url, content: content[:-1] + b"\x55" if "/sets/" in url else content, [key])
    with pytest.raises(Unavailable):
        run(lambda _, content: b"not JSON", [key])
    with pytest.raises(Unavailable):
        run(lambda _, content: b"{}", [key])


def test_the_command_against_a_served_hub(database_url: str, tmp_path: Path) -> None:
    """The worker builds the sets by itself; the command finds the one value, and says what it could not read."""
    data = tmp_path / "data"
    data.mkdir()
    with serving(database_url, data, environment={"HUB_PRECHECK__BUILD_EVERY_SECONDS": "0.5"}) as hub:
        bank = hub.add_member("Filing Bank", groups=["banks"], roles=["contributor"])
        asker = hub.add_member("Asking Bank", groups=["banks"])
        sent = requests.post(
            f"{hub.url}{filings.URL}", json=filings.intelligence(subject=MULE), auth=bank.auth, timeout=30
        )
        assert sent.status_code == 202, sent.text
        wait_for(lambda: hub.get(PARAMETERS, asker).json().get("sets"), 60, hub.said)
        values = tmp_path / "values.csv"
        values.write_text("kind,value\nbank-account,20-20-15 20260001\nphone,07700 900123\nphone,4111111111111111\n")
        key = hub.get(PARAMETERS, asker).json()["epochs"][0]["public_key"]
        command = Commands("", tmp_path)
        command.environment = {"PRECHECK_URL": hub.url, "PRECHECK_USER": asker.username, "PRECHECK_TOKEN": asker.token}
        ended = command.apart("precheck", values, *WITH, "--key", key, code=3)
        assert ended.document["matches"] == [
            {
                "line": 2,
                "kind": "bank-account",
                "value": "20-20-15 20260001",
                "sets": ended.document["matches"][0]["sets"],
            }
        ]
        assert (ended.document["values"], ended.document["evaluations"]) == (2, 2)
        assert [one["line"] for one in ended.document["unreadable"]] == [4]
        assert "4111" not in ended.out
        wrong = command("precheck", values, *WITH, "--key", "A" * 43, code=1)
        assert "pinned" in wrong.err
