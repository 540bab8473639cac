"""Single indicators by the API: looked up as TAXII would give them, posted as a member without STIX would."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from hub.auth import Permission
from hub.feeds import lookup
from hub.feeds.records import Submission
from hub.ledger import pages
from hub.ledger.collections import all_collections
from hub.ledger.disclosures import last_polls, told
from hub.ledger.pages import Query
from hub.ledger.records import Disclosure, Entry
from hub.members.credentials import authenticate, token_hash
from hub.members.membership import group_ids
from hub.stix.tlp import AMBER_ID, Tlp
from hub.web.services import EXTENSION
from tests.live import LocalHub, TestMember, local
from tests.objects import indicator

URL = "/api/v1/indicators"
LOOK_UP = f"{URL}/look-up"
NONE = "indicator--00000000-0000-5000-8000-000000000000"
numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("indicators")) as made:
        yield made


@pytest.fixture(scope="module")
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("Posting Bank", groups=["banks", "north"], roles=["contributor"])


@pytest.fixture(scope="module")
def outsider(hub: LocalHub) -> TestMember:
    """Cleared as high as any, in no group of the bank's."""
    return hub.add_member("Outsider", clearance="amber+strict", groups=["telcos"], roles=["contributor"])


def fresh() -> str:
    return f"name{next(numbers)}.example"


def post(hub: LocalHub, member: TestMember, rows: list[Any], **more: Any) -> dict[str, Any]:
    """The finished submission of posted values."""
    answer = hub.request("POST", URL, member, json={"indicators": rows, **more})
    assert answer.status_code == 202, answer.text
    hub.work()
    done: dict[str, Any] = hub.get(answer.headers["Location"].removeprefix("http://localhost"), member).get_json()
    assert done["state"] == "complete", done
    return done


def ask(hub: LocalHub, member: TestMember, **asked: Any) -> list[dict[str, Any]]:
    answer = hub.get(URL, member, query_string=asked)
    assert answer.status_code == 200, answer.text
    answers: list[dict[str, Any]] = answer.get_json()["answers"]
    return answers


def is_problem(answer: Any, where: str, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.get_json(force=True)["where"] == where, answer.text


class TestLookedUp:
    def test_any_spelling_in_the_order_asked(self, hub: LocalHub, bank: TestMember) -> None:
        name, seen = fresh(), {"first_seen": "2026-01-02", "labels": ["Phishing"], "confidence": 60}
        post(hub, bank, [{"value": name, **seen}, {"value": "020 7946 0101", "kind": "phone"}])
        spelled = [name.upper().replace(".", "[.]"), "no value at all", "unknown" + name, "+44 (0)20 7946-0101", name]
        answers = ask(hub, bank, value=spelled)
        assert [one["asked"] for one in answers] == spelled
        assert [one["value"] for one in answers] == [name, None, "unknown" + name, "442079460101", name]
        assert [len(one["indicators"]) for one in answers] == [1, 0, 0, 1, 1]
        assert [one["invalid"] is None for one in answers] == [True, False, True, True, True]
        assert "is of no kind" in answers[1]["invalid"]
        (found,) = answers[0]["indicators"]
        assert (found["kind"], found["value"], found["labels"], found["tlp"]) == ("domain", name, ["phishing"], "green")
        assert (found["valid_from"], found["revoked"], found["withheld"]) == ("2026-01-02T00:00:00.000Z", False, False)
        assert found["collections"] == ["cyber"]
        assert answers[3]["indicators"][0]["collections"] == ["fraud"]

    def test_it_says_what_the_object_says_that_it_links_to(self, hub: LocalHub, bank: TestMember) -> None:
        name = fresh()
        post(hub, bank, [{"value": name}])
        (found,) = ask(hub, bank, value=name)[0]["indicators"]
        answer = hub.get(found["object"].removeprefix("http://localhost"), bank)
        (obj,) = answer.get_json(force=True)["objects"]
        same = ("id", "pattern", "confidence", "valid_from", "valid_until", "created", "modified", "created_by_ref")
        assert {key: found[key] for key in same} == {key: obj[key] for key in same}

    def test_by_id_and_by_body(self, hub: LocalHub, bank: TestMember) -> None:
        name = fresh()
        post(hub, bank, [{"value": name}])
        (one,) = ask(hub, bank, value=name)
        stix_id = one["indicators"][0]["id"]
        by_id = ask(hub, bank, id=[NONE, stix_id, "indicator--x", "malware" + stix_id[9:]])
        assert [len(each["indicators"]) for each in by_id] == [0, 1, 0, 0]
        assert by_id[1]["indicators"] == one["indicators"]
        assert [each["invalid"] is None for each in by_id] == [True, True, False, False]
        for body in ({"values": [name]}, {"ids": [stix_id]}, {"values": [name], "kind": "domain"}):
            answer = hub.request("POST", LOOK_UP, bank, json=body)
            assert answer.status_code == 200, answer.text
            assert answer.get_json()["answers"][0]["indicators"] == one["indicators"]
            assert answer.headers["Cache-Control"] == "no-store"

    def test_a_card_number_is_not_repeated(self, hub: LocalHub, bank: TestMember) -> None:
        answer = hub.get(URL, bank, query_string={"value": "4111 1111 1111 1111"})
        (one,) = answer.get_json()["answers"]
        assert "card" in one["invalid"]
        assert "1111 1111" not in answer.text

    def test_what_came_back_and_what_is_revoked(self, hub: LocalHub, bank: TestMember) -> None:
        obj = indicator(f"taken back {next(numbers)}", object_marking_refs=[Tlp.GREEN.marking_id])
        path = "/taxii2/plain/collections/shared/objects/"
        hub.add(path, bank, [obj])
        value = obj["pattern"].split("'")[1]
        before = ask(hub, bank, value=value)[0]["indicators"]
        assert {one["id"]: one["collections"] for one in before} == {
            obj["id"]: ["shared"],
            before[0]["id"]: ["cyber"],
        }
        hub.add(path, bank, [{**obj, "modified": "2025-01-01T00:00:00.000Z", "revoked": True}])
        first = before[0]["id"]
        (revoked,) = ask(hub, bank, id=first)[0]["indicators"]
        assert revoked["revoked"] is True
        post(hub, bank, [{"value": value}])
        again = [one for one in ask(hub, bank, value=value)[0]["indicators"] if one["id"] != obj["id"]]
        assert [one["revoked"] for one in again] == [False]
        assert again[0]["id"] != first

    @pytest.mark.parametrize(
        ("query", "where"),
        [
            ("", "value"), ("value=a.example&id=" + NONE, "value"), ("kind=domain", "value"),
            ("value=a.example&kind=colour", "kind"), ("value=a.example&kind=domain&kind=url", "kind"),
            (f"id={NONE}&kind=domain", "kind"), ("values=a.example", "values"), ("value=a.example&x-y=1", "query"),
            ("&".join(["value=a.example"] * 101), "value"), ("&".join([f"id={NONE}"] * 101), "id"),
        ],
    )  # fmt: skip
    def test_bad_questions(self, hub: LocalHub, bank: TestMember, query: str, where: str) -> None:
        is_problem(hub.get(URL, bank, query_string=query), where)

    @pytest.mark.parametrize(
        ("body", "where"),
        [
            (b'{"values": ["a.example"], "values": []}', "values"), (b'{"values": ["a\\u0000"]}', "values[0]"),
            (b'{"values": [1]}', "values[0]"), (b'{"values": "a.example"}', "values"), (b"[]", "body"),
            (b'{"values": ["a.example"], "more": 1}', "body"), (b'{"values": ["a.example"], "kind": 1}', "kind"),
            (b"{}", "values"), (json.dumps({"ids": [NONE] * 101}).encode(), "ids"),
        ],
    )  # fmt: skip
    def test_bad_bodies(self, hub: LocalHub, bank: TestMember, body: bytes, where: str) -> None:
        is_problem(hub.request("POST", LOOK_UP, bank, data=body, content_type="application/json"), where)

    def test_huge_and_odd_texts_are_invalid_and_nothing_more(self, hub: LocalHub, bank: TestMember) -> None:
        odd = [
            "x" * 100_000,
            "\x00",
            "",
            "\u202e",
            "[" * 5000,
            "a" * 300 + ".example",
            "http://[::1",
            "%",
            "' OR 1=1--",
        ]
        answer = hub.request("POST", LOOK_UP, bank, json={"values": [one for one in odd if one != "\x00"]})
        assert answer.status_code == 200
        assert all(one["invalid"] and not one["indicators"] for one in answer.get_json()["answers"])
        assert len(answer.text) < 10_000
        assert hub.get(URL, bank, query_string={"value": "\x00"}).status_code == 200


class TestWhoSeesWhat:
    def test_hidden_is_as_unknown(self, hub: LocalHub, bank: TestMember, outsider: TestMember) -> None:
        name, other = fresh(), fresh()
        post(hub, bank, [{"value": name}], tlp="amber")
        stix_id = ask(hub, bank, value=name)[0]["indicators"][0]["id"]
        hidden, unknown = ask(hub, outsider, value=[name, other])
        assert {**hidden, "asked": other, "value": other} == unknown
        by_id = ask(hub, outsider, id=[stix_id, NONE])
        assert {**by_id[0], "asked": NONE} == by_id[1]

    def test_everybody_sees_what_the_rule_says(self, hub: LocalHub) -> None:
        """Labels, groups and collections against a plain oracle, and against TAXII."""
        readers = {"open": ["members"], "club": [f"group:{_group(hub, 'o1')}"]}
        for alias, read in readers.items():
            hub.add_collection(alias, read=read, write=["members"])
        authors = {
            groups: hub.add_member(f"Author {groups}", clearance="red", groups=groups, roles=["contributor"])
            for groups in (("o1",), ("o2",), ("o1", "o2"))
        }
        placed: dict[str, tuple[str, Tlp, tuple[str, ...]]] = {}
        for alias, tlp, groups in itertools.product(
            readers, (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT), authors
        ):
            if alias == "club" and "o1" not in groups:
                continue
            obj = indicator(f"oracle {alias} {tlp} {groups}", object_marking_refs=[tlp.marking_id])
            hub.add(f"/taxii2/plain/collections/{alias}/objects/", authors[groups], [obj])
            placed[obj["id"]] = (alias, tlp, groups)
        for clearance, own in itertools.product(("clear", "green", "amber", "amber+strict"), ((), ("o1",), ("o2",))):
            reader = hub.add_member(f"Reader {clearance} {own}", clearance=clearance, groups=own)
            expected = {
                stix_id
                for stix_id, (alias, tlp, groups) in placed.items()
                if (alias == "open" or "o1" in own)
                and tlp <= Tlp.parse(clearance)
                and (tlp <= Tlp.GREEN or set(own) & set(groups))
            }
            answers = ask(hub, reader, id=sorted(placed))
            seen = {one["asked"] for one in answers if one["indicators"]}
            assert seen == expected, (clearance, own)
            assert {one["id"] for each in answers for one in each["indicators"]} == seen
            by_taxii = set()
            for alias in readers:
                page = hub.get(f"/taxii2/plain/collections/{alias}/objects/", reader, query_string={"limit": 100})
                if page.status_code == 200:
                    by_taxii |= {one["id"] for one in page.get_json(force=True).get("objects", [])}
            assert seen == by_taxii & set(placed)

    def test_by_value_members_own_objects_too_where_they_may_be_read(
        self, hub: LocalHub, bank: TestMember, outsider: TestMember
    ) -> None:
        green, amber = (
            indicator(
                f"own {tlp} {next(numbers)}", object_marking_refs=[tlp.marking_id], pattern=f"[url:value = '{url}']"
            )
            for tlp, url in ((Tlp.GREEN, "http://own.example/"), (Tlp.AMBER, "http://own.example/"))
        )
        hub.add("/taxii2/plain/collections/shared/objects/", bank, [green, amber])
        ids = {one["id"] for one in ask(hub, bank, value="hxxp://OWN[.]example")[0]["indicators"]}
        assert {green["id"], amber["id"]} < ids
        assert len(ids) == 3
        assert {one["id"] for one in ask(hub, outsider, value="http://own.example/")[0]["indicators"]} == {green["id"]}

    def test_a_hidden_part_is_left_out(self, hub: LocalHub, bank: TestMember, outsider: TestMember) -> None:
        obj = indicator(
            f"marked {next(numbers)}", object_marking_refs=[Tlp.GREEN.marking_id], labels=["Zq7-secret"], confidence=77,
            granular_markings=[{"marking_ref": AMBER_ID, "selectors": ["labels", "confidence"]}],
        )  # fmt: skip
        hub.add("/taxii2/plain/collections/shared/objects/", bank, [obj])
        (whole,) = ask(hub, bank, id=obj["id"])[0]["indicators"]
        assert (whole["labels"], whole["confidence"], whole["withheld"]) == (["Zq7-secret"], 77, False)
        answer = hub.get(URL, outsider, query_string={"id": obj["id"]})
        (part,) = answer.get_json()["answers"][0]["indicators"]
        assert (part["labels"], part["confidence"], part["withheld"]) == ([], None, True)
        assert "Zq7" not in answer.text
        assert _received(hub, obj["id"]) == {bank.member_id: False, outsider.member_id: True}

    def test_a_key_that_may_not_pull_and_a_suspended_member(self, hub: LocalHub, bank: TestMember) -> None:
        partner = hub.add_member("Partner", "report-fraud", groups=["banks"], roles=["reporting-partner"])
        assert hub.get(URL, partner, query_string={"value": "a.example"}).status_code == 403
        gone = hub.add_member("Gone", roles=["contributor"])
        assert ask(hub, gone, value="a.example")
        hub.suspend(gone)
        assert hub.get(URL, gone, query_string={"value": "a.example"}).status_code == 401
        assert hub.request("POST", URL, gone, json={"indicators": [{"value": "a.example"}]}).status_code == 401

    def test_a_key_that_may_only_write_sees_nothing(self, hub: LocalHub, bank: TestMember) -> None:
        obj = indicator(f"written {next(numbers)}")
        hub.add("/taxii2/plain/collections/shared/objects/", bank, [obj])
        stix_id, parts = obj["id"], hub.app.extensions[EXTENSION]
        with hub.hub.database.reading() as session:
            whole = authenticate(session, token_hash(bank.token), bank.username)
        bounded = replace(whole, permissions=frozenset({Permission.TAXII_WRITE, Permission.REPORTS_SUBMIT}))
        seen = [
            lookup.Reader(parts.database, parts.views, each, parts.views.head()).seen([stix_id])
            for each in (whole, bounded)
        ]
        assert [list(one.indicators) for one in seen] == [[stix_id], []]


class TestDisclosed:
    def test_a_look_up_is_named_and_brings_nobody_further(self, hub: LocalHub, bank: TestMember) -> None:
        reader, name = hub.add_member(f"Curious {next(numbers)}", groups=["banks"]), fresh()
        post(hub, bank, [{"value": name}, {"value": "020 7946 0102", "kind": "phone"}], tlp="amber")
        stix_id = ask(hub, bank, value=name)[0]["indicators"][0]["id"]
        hub.request("HEAD", URL, reader, query_string={"value": name})
        assert reader.member_id not in _received(hub, stix_id)
        hub.get("/taxii2/plain/collections/cyber/objects/", reader, query_string={"limit": 1})
        cursor = _cursors(hub, reader)["cyber"]
        ask(hub, reader, value=[name, "020 7946 0102"])
        assert _received(hub, stix_id)[reader.member_id] is False
        assert _cursors(hub, reader)["cyber"] == cursor
        hub.get("/taxii2/plain/collections/cyber/objects/", reader)
        ask(hub, reader, value=name)  # noted together
        assert _cursors(hub, reader)["cyber"] > cursor
        noted = _noted(hub, reader)
        assert noted == {"cyber": 4, "fraud": 1}
        ask(hub, reader, value=fresh())
        assert _noted(hub, reader) == noted

    def test_who_looked_up_and_says_it_at_once_is_an_echo(self, hub: LocalHub, bank: TestMember) -> None:
        name = fresh()
        post(hub, bank, [{"value": name}])
        echoing = hub.add_member(f"Echo {next(numbers)}", groups=["banks"], roles=["contributor"])
        before = ask(hub, echoing, value=name)[0]["indicators"][0]["confidence"]
        post(hub, echoing, [{"value": name, "labels": ["repeated"]}])
        (after,) = ask(hub, echoing, value=name)[0]["indicators"]
        assert after["labels"] == ["repeated"]
        assert after["confidence"] == before
        independent = hub.add_member(f"Independent {next(numbers)}", groups=["banks"], roles=["contributor"])
        post(hub, independent, [{"value": name}])
        assert ask(hub, bank, value=name)[0]["indicators"][0]["confidence"] > before


class TestPosted:
    def test_each_row_has_its_outcome(self, hub: LocalHub, bank: TestMember) -> None:
        name = fresh()
        rows = [{"value": name}, {"value": "n/a"}, {"value": "192.168.7.7"}, {"value": name.upper(), "labels": ["x"]}]
        done = post(hub, bank, rows)
        assert (done["kind"], done["total"], done["done"]) == ("indicators", 4, 4)
        assert [(one["where"], one["status"], one["subject"]) for one in done["outcomes"]] == [
            ("indicators[0]", "success", name), ("indicators[1]", "refused", "n/a"),
            ("indicators[2]", "quarantined", "192.168.7.7"), ("indicators[3]", "success", name),
        ]  # fmt: skip
        assert done["outcomes"][3]["message"] == "adds to what you said before"
        again = post(hub, bank, rows)
        assert [one["message"] for one in again["outcomes"]][0::3] == ["already here, unchanged"] * 2
        assert (again["counts"]["unchanged"], again["counts"].get("new")) == (2, None)

    def test_nobody_learns_by_posting_what_is_hidden(
        self, hub: LocalHub, bank: TestMember, outsider: TestMember
    ) -> None:
        hidden, unknown = fresh(), fresh()
        post(hub, bank, [{"value": hidden}], tlp="amber+strict")
        first, second = (post(hub, outsider, [{"value": value}]) for value in (hidden, unknown))
        assert first["counts"] == second["counts"]
        assert first["outcomes"] == [{**second["outcomes"][0], "subject": hidden}]
        answers = ask(hub, outsider, value=[hidden, unknown])
        assert [len(one["indicators"]) for one in answers] == [0, 1]

    def test_whom_it_is_for(self, hub: LocalHub, bank: TestMember) -> None:
        north = hub.add_member(f"North {next(numbers)}", groups=["north"])
        banker = hub.add_member(f"Banker {next(numbers)}", groups=["banks"])
        narrow, wide = fresh(), fresh()
        post(hub, bank, [{"value": narrow}], tlp="amber", groups=["north"])
        post(hub, bank, [{"value": wide}], tlp="amber")
        assert [len(one["indicators"]) for one in ask(hub, north, value=[narrow, wide])] == [1, 1]
        assert [len(one["indicators"]) for one in ask(hub, banker, value=[narrow, wide])] == [0, 1]
        for name in ("telcos", "no such group"):
            answer = hub.request("POST", URL, bank, json={"indicators": [{"value": wide}], "groups": ["north", name]})
            is_problem(answer, "groups[1]")

    def test_it_stands_when_a_report_of_the_same_is_withdrawn(self, hub: LocalHub, bank: TestMember) -> None:
        phone, reference = "020 7946 0777", f"W-{next(numbers)}"
        head = {"reference": reference, "kind": "crime", "reporter_kind": "victim", "nfib_code": "3A",
                "reported_at": "2026-01-02T10:00:00Z"}  # fmt: skip
        assert hub.request("POST", "/api/v1/reports", bank, json={"report": head, "suspects": [{"phone": phone}]})
        post(hub, bank, [{"value": phone}])
        hub.request("DELETE", f"/api/v1/reports/{reference}", bank)
        hub.work()
        (found,) = ask(hub, bank, value=phone)[0]["indicators"]
        assert found["revoked"] is False

    def test_the_same_key(self, hub: LocalHub, bank: TestMember) -> None:
        key = {"Idempotency-Key": f"key-{next(numbers)}"}
        body = {"indicators": [{"value": fresh()}]}
        first, second = (hub.request("POST", URL, bank, json=body, headers=key) for _ in range(2))
        assert first.get_json()["id"] == second.get_json()["id"]
        other = hub.request("POST", URL, bank, json={"indicators": [{"value": fresh()}]}, headers=key)
        is_problem(other, "Idempotency-Key", 409)
        is_problem(hub.request("POST", URL, bank, json=body, headers={"Idempotency-Key": " "}), "Idempotency-Key")

    @pytest.mark.parametrize(
        ("body", "status", "where"),
        [
            (b'{"indicators": [{"value": "a.example", "value": "b.example"}]}', 400, "indicators[0].value"),
            (b'{"indicators": [{"value": "a\\u0000.example"}]}', 400, "indicators[0].value"),
            (b'{"indicators": [{"value": "a.example", "colour": 1}]}', 400, "indicators[0].colour"),
            (b'{"indicators": [{"value": 5}]}', 400, "indicators[0].value"),
            (json.dumps({"indicators": [{"value": "x" * 8193}]}).encode(), 400, "indicators[0].value"),
            (json.dumps({"indicators": [{"value": "a.example"}] * 10_000}).encode(), 413, "indicators"),
            (b'{"indicators": [{"value": "a.example"}], "tlp": "red"}', 400, "tlp"),
            (b"{", 400, "line 1 column 2"),
        ],
    )
    def test_bad_bodies(self, hub: LocalHub, bank: TestMember, body: bytes, status: int, where: str) -> None:
        before = _submissions(hub)
        is_problem(hub.request("POST", URL, bank, data=body, content_type="application/json"), where, status)
        assert _submissions(hub) == before

    def test_other_media_and_nothing(self, hub: LocalHub, bank: TestMember) -> None:
        for path in (URL, LOOK_UP, "/api/v1/sightings"):
            assert hub.request("POST", path, bank, data=b"a", content_type="text/csv").status_code == 415
            assert hub.request("POST", path, bank, data=b" ", content_type="application/json").status_code == 400

    def test_a_thousand(self, hub: LocalHub, bank: TestMember) -> None:
        done = post(hub, bank, [{"value": f"t{n}.thousand.example"} for n in range(1000)])
        assert (done["counts"]["new"], len(done["outcomes"])) == (1000, 1000)
        assert [one["where"] for one in done["outcomes"]] == [f"indicators[{n}]" for n in range(1000)]


def test_a_look_up_reads_indexes_alone(hub: LocalHub, bank: TestMember) -> None:
    """The statement of each collection goes by the index on ids, however many entries the member sees there."""
    post(hub, bank, [{"value": f"p{n}.plan.example"} for n in range(1000)])
    with hub.hub.database.reading() as session:
        ids = tuple(session.scalars(select(Entry.stix_id).limit(100)))
    sql, values = pages._by_id(pages.OBJECT_COLUMNS, (1, 2), Query(2, 100, ids=ids), 0, 10**9, 101)
    address = hub.settings.database_url
    if hub.hub.database.product == "sqlite":
        with closing(sqlite3.connect(Path(address.removeprefix("sqlite:///")))) as connection:
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert plan[0].endswith("USING INDEX sqlite_autoindex_entry_1 (collection_no=? AND stix_id=?)"), plan
            found = lookup.PRESENT.replace("(…)", "(SELECT value FROM json_each(?))")
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {found}", ["[]"])]
            assert "(key=?)" in plan[0], plan
    else:
        with psycopg.connect(address) as connection:
            connection.execute("ANALYZE")
            told_by = connection.execute("EXPLAIN " + sql.replace("?", "%s"), values).fetchall()
            plan = [row[0] for row in told_by]
            assert any("entry_collection_no_stix_id_version_key" in row for row in plan), plan
            assert not any("Seq Scan on entry" in row for row in plan), plan


def _group(hub: LocalHub, name: str) -> int:
    hub._add_groups([name])
    with hub.hub.database.reading() as session:
        (number,) = group_ids(session, [name])
    return number


def _received(hub: LocalHub, stix_id: str) -> dict[str, bool]:
    """The members that were given any version of an object, and whether never the whole of it."""
    hub.app.extensions[EXTENSION].disclosures.flush()
    with hub.hub.database.reading() as session:
        return {one.member_id: one.redacted for each in told(session, stix_id) for one in each.received}


def _cursors(hub: LocalHub, member: TestMember) -> dict[str, int]:
    """How far a member has come in each collection that it asked for."""
    hub.app.extensions[EXTENSION].disclosures.flush()
    with hub.hub.database.reading() as session:
        aliases = {one.no: one.alias for one in all_collections(session)}
        own = [one for one in last_polls(session) if one.member_id == member.member_id]
        return {aliases[one.collection_no]: one.cursor for one in own}


def _noted(hub: LocalHub, member: TestMember) -> dict[str, int]:
    """How often a member was given something of each collection."""
    hub.app.extensions[EXTENSION].disclosures.flush()
    with hub.hub.database.reading() as session:
        aliases = {one.no: one.alias for one in all_collections(session)}
        rows = session.scalars(select(Disclosure.collection_no).where(Disclosure.member_id == member.member_id))
        return dict(Counter(aliases[number] for number in rows))


def _submissions(hub: LocalHub) -> int:
    with hub.hub.database.reading() as session:
        return len(session.scalars(select(Submission.id)).all())
