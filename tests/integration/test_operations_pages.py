"""The operations pages: what they say is so, what they change holds at once and is in the audit log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from hub import clock
from hub.audit.records import AuditEvent
from hub.auth import Role
from hub.console import audit, indicators, naming, overview, seen
from hub.db.database import Database
from hub.errors import IntegrityFailure
from hub.feeds import catalogue
from hub.feeds.records import Feed, Quarantined
from hub.ledger import history
from hub.members.records import Credential, Member
from hub.stix.tlp import Tlp
from hub.web.services import EXTENSION
from tests.live import LocalHub, TestMember, local
from tests.operations import SCRIPT, id_of, staff, tell
from tests.people import Browser, add_person, text_of

CYBER = "/taxii2/signed/collections/cyber/objects/"


@dataclass(frozen=True, slots=True)
class Desk:
    """A hub with content, and its staff's browsers."""

    hub: LocalHub
    bank: TestMember
    insurer: TestMember
    small: TestMember
    analyst: Browser
    auditor: Browser
    administrator: Browser
    officer: Browser

    @property
    def database(self) -> Database:
        return self.hub.hub.database

    def events(self, action: str) -> list[dict[str, Any]]:
        """Everything that the audit log says of an action, the newest last."""
        with self.database.reading() as session:
            found = session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
            return [{"subject": one.subject, "actor": one.actor, **json.loads(one.detail)} for one in found]


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("operations")) as hub:
        bank = hub.add_member("First Bank", groups=("banks",), roles=("reader", "contributor"))
        insurer = hub.add_member(
            "Quiet Insurance", "insurer", groups=("banks",), roles=("contributor",), anonymous=True
        )
        small = hub.add_member("Small Shop", "payments", clearance="green")
        tell(hub, "evil.example\nworse.example\n198.51.100.7\n", "list-one")
        tell(hub, "indicator,classification\nhttps://evil.example/pay,phishing-kit\n", "list-two")
        tell(hub, "evil.example\nsecret.example\n", insurer, "amber", ("banks",))
        tell(hub, "secret.example\n", bank, "amber", ("banks",))
        yield Desk(
            hub, bank, insurer, small, *(staff(hub, role, f"The {role.value}") for role in (
                Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR, Role.VETTING_OFFICER,
            )),
        )  # fmt: skip


def good(answer: TestResponse) -> str:
    """What a page says that came."""
    assert answer.status_code == 200, answer.text[-2000:]
    return text_of(answer)


def refused(answer: TestResponse) -> str:
    """What a form says that was refused."""
    assert answer.status_code == 400, answer.status
    assert "There is a problem" in answer.text
    return text_of(answer)


def led_on(answer: TestResponse) -> str:
    """Where a form leads that was taken."""
    assert answer.status_code == 303, text_of(answer)
    return str(answer.location)


class TestOverview:
    def test_says_what_there_is(self, desk: Desk) -> None:
        answer = desk.analyst.get("/console/")
        said = good(answer)
        assert "Indicators in force 5 " in said
        assert "Active members 3 of 3" in said
        assert re.search(r"list-one.* 3 ", said)

    def test_every_chart_has_a_title_a_description_and_a_table(self, desk: Desk) -> None:
        page = desk.analyst.get("/console/").text
        charts = re.findall(r'<svg class="hub-chart".*?</svg>', page, re.DOTALL)
        assert len(charts) >= 4
        for chart in charts:
            title, told = re.search(
                r"<title id=\"[\w-]+\">(.+?)</title><desc id=\"[\w-]+\">(.+?)</desc>", chart
            ).groups()
            assert title and told
            assert f'<caption class="govuk-table__caption govuk-table__caption--s">{title}</caption>' in page

    def test_a_chart_and_its_table_say_the_same(self, desk: Desk) -> None:
        with desk.database.reading() as session, desk.hub.app.app_context():
            charts = {chart.name: chart for chart, _ in overview._charts(session, clock.micros())}
        objects = charts["objects"]
        stored = desk.database.select("SELECT COUNT(*) FROM entry WHERE stream_id <> 0")[0][0]
        assert sum(one.figures[-1] for one in objects.series) == stored > 0, "all of it was added today"
        assert [int(figure.replace(",", "")) for figure in objects.rows[-1][1]] == [
            one.figures[-1] for one in objects.series
        ]
        assert not any(figure for one in objects.series for figure in one.figures[:-1])

    def test_names_no_anonymous_member_beside_what_it_has_sent(self, desk: Desk) -> None:
        with desk.database.reading() as session, desk.hub.app.app_context():
            charts = {chart.name: chart for chart, _ in overview._charts(session, clock.micros())}
        for name in ("sources", "balance"):
            assert "Quiet Insurance" not in charts[name].labels
        assert "Anonymous (insurer)" in charts["sources"].labels

    def test_shows_the_queues_of_the_role_alone(self, desk: Desk) -> None:
        tell(desk.hub, "10.9.9.9\n", "queue-feed")
        assert "Values in quarantine" in good(desk.analyst.get("/console/"))
        assert "Values in quarantine" not in good(desk.officer.get("/console/"))


class TestSearch:
    @pytest.mark.parametrize(
        "written",
        ["evil.example", "EVIL[.]example", "evil dot example", "evil(.)example", "hxxps[:]//evil[.]example/pay"],
    )
    def test_reads_a_value_as_it_was_written(self, desk: Desk, written: str) -> None:
        said = good(desk.analyst.get("/console/indicators", query_string={"text": written}))
        expected = "url https://evil.example/pay" if "pay" in written else "domain evil.example"
        assert f"Read as {expected}" in said
        assert "worse.example" not in said

    def test_finds_by_id_part_kind_source_label_and_state(self, desk: Desk) -> None:
        def found(**asked: str) -> set[str]:
            page = desk.analyst.get("/console/indicators", query_string=asked)
            assert page.status_code == 200
            return set(map(unescape, re.findall(r"/console/indicators/indicator--[\w-]+\">([^<]+)</a>", page.text)))

        assert found(text=id_of(desk.hub, "worse.example")) == {"worse.example"}
        assert found(text="orse.exam") == {"worse.example"}
        assert found(kind="ipv4") == {"198.51.100.7"}
        assert found(label="phishing-kit") == found(kind="url") == {"https://evil.example/pay"}
        assert found(label="phishing") == set(), "a part of a label is another label"
        with desk.database.reading() as session:
            numbers = {name: number for number, name in naming.open_sources(session).items()}
        assert found(source=str(numbers["list-two"])) == {"https://evil.example/pay"}
        assert "evil.example" in found(state="valid") and found(state="revoked") == found(state="expired") == set()

    def test_offers_no_anonymous_source(self, desk: Desk) -> None:
        page = desk.analyst.get("/console/indicators").text
        assert "list-one" in page and "First Bank" in page
        assert "Quiet Insurance" not in page and "Anonymous" not in page

    @pytest.mark.parametrize("asked", [{"text": "x"}, {"kind": "colour"}, {"state": "mad"}, {"source": "99999"}])
    def test_says_what_is_wrong(self, desk: Desk, asked: dict[str, str]) -> None:
        refused(desk.analyst.get("/console/indicators", query_string=asked))

    @pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 30])
    def test_takes_any_place_to_go_on_from(self, desk: Desk, before: str) -> None:
        assert desk.analyst.get("/console/indicators", query_string={"before": before}).status_code == 200

    def test_gives_pages(self, desk: Desk) -> None:
        tell(desk.hub, "".join(f"p{number}.paged.example\n" for number in range(60)), "paged")
        first = desk.analyst.get("/console/indicators", query_string={"text": "paged.example"})
        [later] = re.findall(r'href="([^"]+)" rel="next"', first.text)
        second = desk.analyst.get(unescape(later))
        rows = [re.findall(r">(p\d+\.paged\.example)</a>", page.text) for page in (first, second)]
        assert [len(one) for one in rows] == [50, 10] and len({*rows[0], *rows[1]}) == 60


class TestOneIndicator:
    def page(self, desk: Desk, value: str) -> str:
        return good(desk.analyst.get(f"/console/indicators/{id_of(desk.hub, value)}"))

    def test_says_who_said_what(self, desk: Desk) -> None:
        said = self.page(desk, "evil.example")
        assert "[domain-name:value = 'evil.example']" in said
        assert re.search(r"list-one \w\w TLP:CLEAR", said)
        assert re.search(r"Anonymous \(insurer\) \w\w TLP:AMBER banks", said)

    def test_names_no_anonymous_member(self, desk: Desk) -> None:
        page = desk.analyst.get(f"/console/indicators/{id_of(desk.hub, 'evil.example')}").text
        chooser = re.search(r"<select[^>]* name=\"member\".*?</select>", page, re.DOTALL)
        assert "Quiet Insurance" not in page.replace(chooser[0], "") and desk.insurer.member_id not in page.replace(
            chooser[0], ""
        )

    def test_shows_each_version_with_its_receipt_verified(self, desk: Desk) -> None:
        with desk.database.reading() as session:
            kept = history.versions(session, [id_of(desk.hub, "evil.example")])
        assert len(kept) >= 2 and [one.latest for one in kept] == [True] + [False] * (len(kept) - 1)
        page = desk.analyst.get(f"/console/indicators/{id_of(desk.hub, 'evil.example')}").text
        assert page.count(">Holds</strong>") >= len(kept) and "Does not hold" not in page

    def test_a_receipt_that_does_not_hold_is_told(self, desk: Desk) -> None:
        with desk.database.reading() as session:
            [kept] = history.versions(session, [id_of(desk.hub, "worse.example")])
        with desk.hub.app.app_context():
            sound = indicators.read_version(kept)
            forged = indicators.read_version(replace(kept, body=kept.body.replace(b"worse.example", b"wurst.example")))
        assert sound.report.result == "sound" and sound.report.key_status == "valid"
        assert forged.report.result == "invalid" and forged.report.reason

    def test_what_nobody_says_any_more_is_revoked_and_its_history_stays(self, desk: Desk) -> None:
        tell(desk.hub, "brief.example\n", "brief-feed")
        parts = desk.hub.hub.intake()
        with desk.database.unit_of_work() as session:
            from hub.feeds import sources
            from hub.stix.values import Kind, Value

            parts.merger.retract(
                session, sources.named(session, "brief-feed", "2B"), [Value(Kind.DOMAIN, "brief.example")]
            )
        said = self.page(desk, "brief.example")
        assert "Revoked Yes" in said and "Nobody says it any more" in said

    def test_opinions_show_as_text(self, desk: Desk) -> None:
        target = id_of(desk.hub, "worse.example")
        opinion = {
            "type": "opinion", "spec_version": "2.1", "id": "opinion--00000000-0000-4000-8000-000000000077",
            "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "opinion": "agree",
            "explanation": f"{SCRIPT} seen here too", "object_refs": [target],
        }  # fmt: skip
        desk.hub.add("/taxii2/plain/collections/shared/objects/", desk.bank, [opinion])
        page = desk.analyst.get(f"/console/indicators/{target}").text
        assert SCRIPT not in page and "&lt;script&gt;alert(1)&lt;/script&gt; seen here too" in page

    def test_who_received_it_is_for_those_alone_who_may_trace(self, desk: Desk) -> None:
        assert "Who was given it" not in self.page(desk, "evil.example")
        both = Browser(desk.hub).sign_in(add_person(desk.hub, "both@hub.test", [Role.ANALYST, Role.AUDITOR]))
        assert "Who was given it" in good(both.get(f"/console/indicators/{id_of(desk.hub, 'evil.example')}"))

    @pytest.mark.parametrize("stix_id", ["indicator--x", "x", "indicator--00000000-0000-4000-8000-000000000000"])
    def test_there_is_none(self, desk: Desk, stix_id: str) -> None:
        assert desk.analyst.get(f"/console/indicators/{stix_id}").status_code == 404
        assert desk.analyst.get(f"/console/indicators/{stix_id}/seen").status_code == 404


class TestWhatAMemberSees:
    def seen(self, desk: Desk, value: str, member_id: str) -> TestResponse:
        where = f"/console/indicators/{id_of(desk.hub, value)}/seen"
        return desk.analyst.get(where, query_string={"member": member_id})

    @pytest.mark.parametrize("value", ["evil.example", "secret.example", "worse.example"])
    def test_is_what_taxii_gives_it(self, desk: Desk, value: str) -> None:
        for member in (desk.bank, desk.insurer, desk.small):
            page = self.seen(desk, value, member.member_id)
            assert page.status_code == 200
            asked = {"match[id]": id_of(desk.hub, value), "match[version]": "all"}
            given = desk.hub.get(CYBER, member, query_string=asked)
            objects = given.get_json(force=True).get("objects", []) if given.status_code == 200 else []
            rows = re.findall(r"<tr.*?</tr>", page.text, re.DOTALL)
            rows = [row for row in rows if ">indicator</th>" in row]
            told = {re.search(r"hub-version\">([^<]+)<", row)[1] for row in rows if ">Seen<" in row}
            assert told == {one["modified"] for one in objects}, (member.name, value)

    def test_shows_the_bytes_that_it_is_given(self, desk: Desk) -> None:
        page = self.seen(desk, "evil.example", desk.bank.member_id)
        shown = [unescape(text) for text in re.findall(r'<pre class="hub-code">(.*?)</pre>', page.text)]
        [shown] = [text for text in shown if json.loads(text)["type"] == "indicator"]
        given = desk.hub.get(CYBER, desk.bank, query_string={"match[id]": id_of(desk.hub, "evil.example")})
        assert shown in given.text

    def test_says_by_which_part_of_the_rule_not(self, desk: Desk) -> None:
        said = good(self.seen(desk, "secret.example", desk.small.member_id))
        assert "the TLP: TLP:AMBER is above the member's clearance" in said
        assert "the groups: the member is in none of the object's sharing groups" in said
        outside = desk.hub.add_member("Outside", clearance="amber")
        said = good(self.seen(desk, "secret.example", outside.member_id))
        assert "the groups:" in said and "the TLP: TLP:" not in said

    def test_says_that_nobody_of_its_audiences_reads_the_collection(self, desk: Desk) -> None:
        opinion = {
            "type": "opinion", "spec_version": "2.1", "id": "opinion--00000000-0000-4000-8000-000000000078",
            "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "opinion": "agree",
            "object_refs": [id_of(desk.hub, "evil.example")], "object_marking_refs": [Tlp.CLEAR.marking_id],
        }  # fmt: skip
        desk.hub.add_collection("closed", read=["role:contributor"])
        desk.hub.add("/taxii2/plain/collections/closed/objects/", desk.bank, [opinion])
        with desk.database.reading() as session:
            kept = history.versions(session, [opinion["id"]])
            small = session.get_one(Member, desk.small.member_id)
            bank = session.get_one(Member, desk.bank.member_id)
            with desk.hub.app.app_context():
                [to_small] = seen.by_member(session, small, kept).versions
                [to_bank] = seen.by_member(session, bank, kept).versions
        assert not to_small.visible and to_small.given is None
        assert to_small.reasons == ["the collection: the member is in no audience that reads it"]
        assert to_bank.visible and to_bank.reasons == [] and to_bank.given == kept[0].body

    def test_a_member_that_is_not_active_gets_nothing(self, desk: Desk) -> None:
        gone = desk.hub.add_member("Gone Bank")
        assert "Seen" in good(self.seen(desk, "worse.example", gone.member_id))
        desk.hub.suspend(gone)
        said = good(self.seen(desk, "worse.example", gone.member_id))
        assert "Nothing: the member is suspended" in said and "Not seen" in said

    def test_a_role_that_does_not_read_gets_nothing(self, desk: Desk) -> None:
        partner = desk.hub.add_member("Partner", "report-fraud", roles=("reporting-partner",))
        said = good(self.seen(desk, "worse.example", partner.member_id))
        assert "no role of the member reads collections" in said

    def test_asks_for_a_member_that_there_is(self, desk: Desk) -> None:
        assert "Choose a member" in refused(self.seen(desk, "evil.example", "nobody"))


class TestQuarantine:
    def held(self, desk: Desk, value: str, by: TestMember | str = "held-feed") -> int:
        tell(desk.hub, f"{value}\n", by)
        with desk.database.reading() as session:
            return session.scalars(
                select(Quarantined.id).where(Quarantined.value == value).order_by(Quarantined.id.desc())
            ).first()

    def test_lists_the_value_source_reason_and_where(self, desk: Desk) -> None:
        self.held(desk, "10.1.1.1")
        said = good(desk.analyst.get("/console/quarantine", query_string={"text": "10.1.1.1"}))
        assert re.search(r"10\.1\.1\.1 ipv4 held-feed the address is private line 1", said)

    def test_release_publishes(self, desk: Desk) -> None:
        number = self.held(desk, "10.1.1.2")
        where = f"/console/quarantine/{number}"
        led_on(desk.analyst.send(where, {"action": "release", "why": "we saw it attack"}))
        assert "10.1.1.2" in good(desk.analyst.get("/console/indicators", query_string={"text": "10.1.1.2"}))
        [event] = [one for one in desk.events("quarantine:release") if one["subject"] == f"quarantine:{number}"]
        assert event["why"] == "we saw it attack" and event["before"] == {"state": "held"}

    def test_edit_and_replay_publishes_the_other_value(self, desk: Desk) -> None:
        number = self.held(desk, "10.1.1.3")
        fields = {"value": "198[.]51.100.33", "kind": "ipv4", "reason": "a typing error of the source"}
        led_on(desk.analyst.send(f"/console/quarantine/{number}/edit", fields, page=f"/console/quarantine/{number}"))
        assert id_of(desk.hub, "198.51.100.33")
        assert "In its place was published ipv4 198.51.100.33" in good(
            desk.analyst.get(f"/console/quarantine/{number}")
        )

    def test_an_edit_that_is_no_value_is_refused_at_its_field(self, desk: Desk) -> None:
        number = self.held(desk, "10.1.1.4")
        fields = {"value": "nonsense", "kind": "ipv4", "reason": "why not"}
        answer = desk.analyst.send(f"/console/quarantine/{number}/edit", fields, page=f"/console/quarantine/{number}")
        refused(answer)
        assert 'value="nonsense"' in answer.text

    def test_several_at_once_each_for_itself(self, desk: Desk) -> None:
        numbers = [self.held(desk, f"10.1.2.{number}") for number in (1, 2, 3)]
        led_on(desk.analyst.send(f"/console/quarantine/{numbers[0]}", {"action": "release", "why": "first"}))
        fields = {"entry": [str(number) for number in numbers[1:]], "action": "reject", "why": "noise"}
        led_on(desk.analyst.send("/console/quarantine/decide", fields, page="/console/quarantine"))
        assert "2 values rejected" in good(desk.analyst.get("/console/quarantine"))
        fields = {"entry": ["999999", str(self.held(desk, "10.1.2.9"))], "action": "reject", "why": "noise"}
        said = refused(desk.analyst.send("/console/quarantine/decide", fields, page="/console/quarantine"))
        assert "Entry 999999: there is no such entry" in said and "1 of 2 rejected" in said

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"action": "release", "why": "x"}, "Choose at least one value"),
            ({"entry": "1", "action": "burn", "why": "x"}, "Choose release or reject"),
            ({"entry": "1", "action": "reject"}, "Enter the reason"),
        ],
    )
    def test_asks_for_what_is_missing(self, desk: Desk, fields: dict[str, str], said: str) -> None:
        assert said in refused(desk.analyst.send("/console/quarantine/decide", fields, page="/console/quarantine"))

    def test_names_no_anonymous_source(self, desk: Desk) -> None:
        number = self.held(desk, "10.1.3.1", desk.insurer)
        for where in ("/console/quarantine", f"/console/quarantine/{number}"):
            page = desk.analyst.get(where).text
            assert "Anonymous (insurer)" in page
            assert "Quiet Insurance" not in page and desk.insurer.member_id not in page


class TestRefusedInput:
    def test_shows_why_and_whose(self, desk: Desk) -> None:
        bad = {"type": "indicator", "id": "indicator--00000000-0000-4000-8000-000000000099", "spec_version": "2.1"}
        answer = desk.hub.post("/taxii2/plain/collections/shared/objects/", desk.insurer, [bad])
        desk.hub.work()
        number = answer.get_json(force=True)["id"]
        listed = desk.analyst.get("/console/refused")
        assert f"/console/refused/{number}" in listed.text
        page = desk.analyst.get(f"/console/refused/{number}")
        assert "Anonymous (insurer)" in good(page) and "required" in good(page)
        for text in (listed.text, page.text):
            assert "Quiet Insurance" not in text and desk.insurer.member_id not in text

    @pytest.mark.parametrize("number", ["x", "00000000-0000-4000-8000-000000000000"])
    def test_there_is_none(self, desk: Desk, number: str) -> None:
        assert desk.analyst.get(f"/console/refused/{number}").status_code == 404


class TestFeeds:
    @pytest.fixture
    def feed(self, desk: Desk) -> Iterator[str]:
        with desk.database.unit_of_work() as session:
            entry = {"protocol": "http", "url": "http://127.0.0.1:1/x", "tlp": "clear", "every": "6h", "licence": "CC0"}
            catalogue.add(session, {"name": "far-away", **entry}).next_run_at = clock.micros() + 10**12
        yield "far-away"
        with desk.database.unit_of_work() as session:
            session.delete(session.get_one(Feed, "far-away"))

    def test_run_now_makes_it_due_and_waits_for_nothing(self, desk: Desk, feed: str) -> None:
        led_on(desk.analyst.send(f"/console/feeds/{feed}/run", page=f"/console/feeds/{feed}"))
        with desk.database.reading() as session:
            kept = session.get_one(Feed, feed)
            assert kept.next_run_at == 0 and kept.failures == 0, "nothing was fetched by the page"
        assert "is due: a worker runs it next" in good(desk.analyst.get(f"/console/feeds/{feed}"))
        assert desk.events("feed:run")[-1]["subject"] == feed

    def test_switch_off_needs_a_reason_and_is_audited(self, desk: Desk, feed: str) -> None:
        where = f"/console/feeds/{feed}"
        assert "Enter the reason" in refused(desk.administrator.send(f"{where}/switch", {"to": "off"}, page=where))
        led_on(desk.administrator.send(f"{where}/switch", {"to": "off", "why": f"too noisy {SCRIPT}"}, page=where))
        event = desk.events("feed:switch")[-1]
        assert (event["before"], event["after"]) == ({"enabled": True}, {"enabled": False})
        assert "This feed is switched off" in refused(desk.administrator.send(f"{where}/run", page=where))
        assert "Off" in good(desk.administrator.get("/console/feeds"))


FIELDS = {"title": "Own things", "description": "", "default_tlp": "green", "why": "the board asked for it"}


class TestCollectionsAndGroups:
    def test_a_new_collection_holds_what_its_objects_refer_to(self, desk: Desk) -> None:
        fields = {**FIELDS, "alias": "own-things", "read": ["members"], "write": ["role:contributor"]}
        led_on(desk.administrator.send("/console/collections/new", fields))
        answer = desk.hub.get("/taxii2/plain/collections/own-things/objects/", desk.bank)
        assert {one["type"] for one in answer.get_json(force=True)["objects"]} >= {"identity", "marking-definition"}
        assert desk.events("collection:add")[-1]["after"]["read"] == ["members"]

    def test_who_may_read_changes_at_the_next_request(self, desk: Desk) -> None:
        number = desk.hub.add_collection("narrowing")
        reads = "/taxii2/plain/collections/narrowing/objects/"
        assert desk.hub.get(reads, desk.small).status_code == 200
        (group,) = desk.database.select("SELECT id FROM sharing_group WHERE name = 'banks'")[0]
        fields = {**FIELDS, "read": [f"group:{group}"], "read_member": desk.small.member_id}
        where = f"/console/collections/{number}"
        led_on(desk.administrator.send(where, {**fields, "read_member": ""}))
        assert desk.hub.get(reads, desk.small).status_code == 404
        assert desk.hub.get(reads, desk.bank).status_code == 200
        led_on(desk.administrator.send(where, fields))
        assert desk.hub.get(reads, desk.small).status_code == 200
        event = desk.events("collection:change")[-1]
        assert event["after"]["read"] == [f"group:{group}", f"member:{desk.small.member_id}"]
        assert event["why"] == "the board asked for it"

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"title": ""}, "Enter a title"),
            ({"default_tlp": "red"}, "Choose a TLP"),
            ({"read": ["role:king"]}, "Choose from the list"),
            ({"alias": "a b"}, "An alias is"),
            ({"alias": "fraud"}, "exists already"),
            ({"why": ""}, "Enter the reason"),
        ],
    )
    def test_says_what_is_wrong(self, desk: Desk, fields: dict[str, Any], said: str) -> None:
        sent = {**FIELDS, "alias": "another", "read": ["members"], **fields}
        assert said in refused(desk.administrator.send("/console/collections/new", sent))

    def test_out_of_a_group_at_the_next_request(self, desk: Desk) -> None:
        leaver = desk.hub.add_member("Leaver", groups=("banks",))
        asked = {"match[id]": id_of(desk.hub, "secret.example")}
        assert desk.hub.get(CYBER, leaver, query_string=asked).get_json(force=True).get("objects")
        (group,) = desk.database.select("SELECT id FROM sharing_group WHERE name = 'banks'")[0]
        where = f"/console/groups/{group}"
        led_on(
            desk.administrator.send(f"{where}/leave", {"member": leaver.member_id, "why": "asked to leave"}, page=where)
        )
        assert not desk.hub.get(CYBER, leaver, query_string=asked).get_json(force=True).get("objects")
        assert desk.events("group:leave")[-1] | {"actor": ""} == {
            "subject": leaver.member_id, "actor": "", "before": {"group": "banks"}, "after": {"group": None},
            "why": "asked to leave",
        }  # fmt: skip
        again = {"member": leaver.member_id, "why": "x"}
        assert desk.administrator.send(f"{where}/leave", again, page=where).status_code == 404

    def test_a_group_has_a_name_of_its_own(self, desk: Desk) -> None:
        fields = {"name": "Wallet desks", "why": "crypto"}
        led_on(desk.administrator.send("/console/groups", fields))
        assert "exists already" in refused(
            desk.administrator.send("/console/groups", {**fields, "name": "WALLET desks"})
        )


class TestAudit:
    def listed(self, desk: Desk, **asked: str) -> list[str]:
        page = desk.auditor.get("/console/audit", query_string=asked)
        assert page.status_code == 200
        return re.findall(r"<td class=\"govuk-table__cell\">([a-z-]+:[a-z-]+)</td>", page.text)

    def test_filters(self, desk: Desk) -> None:
        assert set(self.listed(desk, action="member:")) == {"member:add-without-vetting"} | (
            {"member:status"} if desk.events("member:status") else set()
        )
        assert set(self.listed(desk, actor="The administrator")) <= {
            "collection:add", "collection:change", "group:add", "group:leave", "feed:switch", "session:begin",
        }  # fmt: skip
        assert self.listed(desk, subject=desk.bank.member_id)
        today = clock.now().strftime("%Y-%m-%d")
        assert self.listed(desk, since=today, until=today)
        assert not self.listed(desk, until="2020-01-01")
        assert not self.listed(desk, action="%")

    def test_a_day_that_is_none_is_told(self, desk: Desk) -> None:
        assert "Enter a day like" in refused(desk.auditor.get("/console/audit", query_string={"since": "yesterday"}))

    def test_one_event(self, desk: Desk) -> None:
        desk.administrator.send("/console/groups", {"name": "Event desks", "why": "to look at"})
        [(number,)] = desk.database.select("SELECT id FROM audit_event WHERE subject = 'Event desks'")
        said = good(desk.auditor.get(f"/console/audit/{number}"))
        assert "The administrator, hub staff" in said and "Why to look at" in said
        assert desk.auditor.get("/console/audit/999999").status_code == 404

    def test_export_is_what_the_filter_finds_and_is_an_event(self, desk: Desk) -> None:
        answer = desk.auditor.send("/console/audit/export", {"action": "member:"}, page="/console/audit")
        assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
        lines = [json.loads(line) for line in answer.data.splitlines()]
        stored = desk.database.select("SELECT id FROM audit_event WHERE action LIKE ? ORDER BY id", ["member:%"])
        assert [line["id"] for line in lines] == [row[0] for row in stored] and lines
        assert desk.events("audit:export")[-1]["after"] == {"action": "member:"}

    def test_verify(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        led_on(desk.auditor.send("/console/audit/verify", page="/console/audit"))
        assert re.search(r"The chain of [\d,]+ events is whole", good(desk.auditor.get("/console/audit")))

        def altered(_: object) -> int:
            raise IntegrityFailure("the audit log has been altered here", where="event 7")

        monkeypatch.setattr(audit.export, "verify", altered)
        said = refused(desk.auditor.send("/console/audit/verify", page="/console/audit"))
        assert "the audit log has been altered here: event 7" in said

    def test_who_received_what(self, desk: Desk) -> None:
        target = id_of(desk.hub, "secret.example")
        desk.hub.get(CYBER, desk.bank, query_string={"match[id]": target})
        desk.hub.app.extensions[EXTENSION].disclosures.flush()
        said = good(desk.auditor.get("/console/audit/disclosures", query_string={"id": target}))
        assert "First Bank" in said and "Small Shop" not in said
        assert "secret.example" not in said, "no content"
        assert "First Bank cyber" in good(desk.auditor.get("/console/audit/disclosures"))
        unknown = {"id": "indicator--00000000-0000-4000-8000-000000000000"}
        assert "holds no such version" in refused(desk.auditor.get("/console/audit/disclosures", query_string=unknown))


class TestMembers:
    def test_the_file_has_people_keys_and_polls(self, desk: Desk) -> None:
        add_person(desk.hub, "jo@first.test", [Role.PRIMARY_CONTACT], desk.bank.member_id, name="Jo Quill")
        desk.hub.get(CYBER, desk.bank)
        desk.hub.app.extensions[EXTENSION].disclosures.flush()
        said = good(desk.officer.get(f"/console/members/{desk.bank.member_id}"))
        for part in ("Jo Quill jo@first.test primary-contact Active", desk.bank.username, "cyber"):
            assert part in said
        assert desk.officer.get("/console/members/nobody").status_code == 404

    def test_dormant_people_and_ending_keys_are_queues(self, desk: Desk) -> None:
        asleep = add_person(desk.hub, "zed@first.test", [Role.READER], desk.bank.member_id, name="Zed Sleeper")
        with desk.database.unit_of_work() as session:
            from hub.members import people
            from hub.members.people_records import Person

            people.move(session, session.get_one(Person, asleep.person_id), people.DORMANT, "rule")
            session.execute(
                update(Credential)
                .where(Credential.username == desk.small.username)
                .values(expires_at=clock.micros() + 5 * 86_400_000_000)
            )
        said = good(desk.officer.get("/console/cases"))
        assert "Zed Sleeper First Bank zed@first.test" in said
        assert re.search(rf"{desk.small.username} – Small Shop", said)
        assert "Dormant people" in good(desk.officer.get("/console/"))


class TestStoredScripts:
    def test_show_as_text_everywhere(self, desk: Desk) -> None:
        tell(
            desk.hub,
            f'indicator,classification\nscripted.example,"{SCRIPT}"\n10.7.7.7,x\n',
            f"feed {SCRIPT}",
            name=f"{SCRIPT}.csv",
        )
        administrator, analyst, auditor = desk.administrator, desk.analyst, desk.auditor
        administrator.send("/console/groups", {"name": f"g {SCRIPT}", "why": SCRIPT})
        fields = {"alias": "scripted", "title": SCRIPT, "description": SCRIPT, "default_tlp": "green", "why": SCRIPT}
        led_on(administrator.send("/console/collections/new", {**fields, "read": ["members"]}))
        with desk.database.unit_of_work() as session:
            session.execute(update(Member).where(Member.id == desk.small.member_id).values(name=f"Small {SCRIPT}"))
            entry = {"protocol": "http", "url": f"http://127.0.0.1:1/{SCRIPT}", "tlp": "clear", "every": "6h"}
            catalogue.add(session, {"name": "scripted", "licence": SCRIPT, **entry})
            [held] = session.scalars(select(Quarantined.id).where(Quarantined.value == "10.7.7.7"))
            number = session.scalar(select(AuditEvent.id).where(AuditEvent.subject == f"g {SCRIPT}"))
            (group,) = session.execute(select(AuditEvent.detail).where(AuditEvent.id == number)).one()
        led_on(analyst.send(f"/console/quarantine/{held}", {"action": "reject", "why": SCRIPT}))
        one = id_of(desk.hub, "scripted.example")
        collection = desk.database.select("SELECT id FROM collection WHERE alias = 'scripted'")[0][0]
        pages = [
            (analyst, "/console/"), (analyst, f"/console/indicators/{one}"), (analyst, "/console/indicators"),
            (analyst, f"/console/indicators/{one}/seen?member={desk.small.member_id}"),
            (analyst, f"/console/indicators?text={SCRIPT}"), (analyst, "/console/quarantine?state=rejected"),
            (analyst, f"/console/quarantine/{held}"), (analyst, "/console/feeds/scripted"), (analyst, "/console/feeds"),
            (administrator, f"/console/collections/{collection}"), (analyst, "/console/collections"),
            (analyst, "/console/groups"), (analyst, f"/console/groups/{json.loads(group)['after']['id']}"),
            (auditor, f"/console/audit/{number}"), (auditor, "/console/audit"),
            (auditor, f"/console/audit?actor={SCRIPT}"), (analyst, f"/console/members/{desk.small.member_id}"),
        ]  # fmt: skip
        shown = 0
        for browser, where in pages:
            page = browser.get(where).text
            assert "<script>alert" not in page, where
            shown += "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert shown >= 15, "the pages do show what was entered"
