"""Vetting through its pages, as applicants, sponsors and the hub's people use them: plain HTML, no JavaScript."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.auth import Role
from hub.members import membership
from hub.members.people_records import OutgoingMessage
from hub.members.records import Member
from hub.members.vetting import agreements, cases, emergencies
from hub.members.vetting.records import Agreement, Evidence, VettingCase
from tests.engines import SQLite
from tests.live import LocalHub, local
from tests.people import Browser, add_person, text_of
from tests.vetting import PDF

DOORS = Path(__file__).parent.parent / "golden" / "vetting_doors.json"
STAFF = ("vetting-officer", "approver", "analyst", "auditor", "administrator")
STORED = "<script>alert(1)</script>"
AS_TEXT = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture(scope="module")
def local_hub(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with (
        sqlite.migrated() as url,
        local(url, tmp_path_factory.mktemp("vetting"), vetting={"evidence_bytes": 100_000}) as hub,
    ):
        yield hub


@pytest.fixture(scope="module")
def desk(local_hub: LocalHub) -> dict[str, Browser]:
    """A browser for each of the hub's people, the police as a sponsor, and an agreement."""
    local_hub.add_member("City Police", kind="law-enforcement")
    with local_hub.hub.database.unit_of_work() as session:
        membership.add_group(session, "mules")
        agreements.publish(session, "2026-01", f"We share. {STORED}", "operator")
    roles = {"officer": "vetting-officer", "first": "approver", "second": "approver", "third": "approver"}
    people = {**roles, **{role: role for role in STAFF}}
    found = {}
    for name, role in people.items():
        person = add_person(local_hub, f"{name}@hub.example", [role], name=f"{name.title()} {STORED}")
        found[name] = Browser(local_hub).sign_in(person)
    return found


def application(name: str, **changes: str) -> dict[str, Any]:
    domain = f"{name.lower().replace(' ', '')}.example"
    return {
        "name": name, "kind": "bank", "domain": domain, "registration": "0123", "regulator_reference": "",
        "purpose": f"Mules {STORED}", "primary_name": f"Ada {STORED}", "primary_email": f"ada@{domain}",
        "deputy_name": "Ben", "deputy_email": f"ben@{domain}", **changes,
    }  # fmt: skip


def letter_to(hub: LocalHub, recipient: str) -> str:
    """The newest message to an address."""
    with hub.hub.database.reading() as session:
        found = session.scalars(
            select(OutgoingMessage)
            .where(OutgoingMessage.recipient == recipient)
            .order_by(OutgoingMessage.created_at.desc())
            .limit(1)
        ).one()
        return hub.hub.vault.open(found.body, f"outgoing-message:{found.id}").decode()


def link_in(letter: str) -> str:
    found = re.search(r"http://localhost(/console/\S+)", letter)
    assert found, letter
    return found[1]


def case_of(hub: LocalHub, name: str) -> str:
    with hub.hub.database.reading() as session:
        return session.scalars(select(VettingCase.id).where(VettingCase.name == name)).one()


def done(answer: Any) -> None:
    assert answer.status_code == 303, text_of(answer)


def applied(hub: LocalHub, name: str) -> tuple[str, str]:
    """A confirmed application: (the case's id, the applicant's page)."""
    visitor = Browser(hub)
    given = application(name)
    assert visitor.send("/console/apply", given).status_code == 200
    page = link_in(letter_to(hub, given["primary_email"]))
    done(visitor.send(page, {"step": "confirm"}))
    return case_of(hub, name), page


def file(content: bytes = PDF, name: str = "a.pdf") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def up_for_decision(hub: LocalHub, desk: dict[str, Browser], name: str) -> tuple[str, str]:
    case_id, page = applied(hub, name)
    officer, at = desk["officer"], f"/console/cases/{case_id}"
    done(officer.send(f"{at}/take"))
    done(officer.send(f"{at}/declare", {"conflict": "no", "explanation": ""}))
    for kind in ("registry-extract", "sanctions-check", "signatory-authority"):
        done(officer.send(f"{at}/evidence", {"kind": kind, "file": file(), "note": STORED}))
    done(officer.send(f"{at}/ask", {"question": f"Who owns you? {STORED}"}))
    with hub.hub.database.reading() as session:
        asked = cases.requirements.open_questions(session, cases.find(session, case_id))[0].id
    done(Browser(hub).send(page, {"step": "answer", "request_id": str(asked), "answer": f"A holding {STORED}"}))
    done(officer.send(f"{at}/propose", {"clearance": "amber", "groups": ["mules"], "roles": ["reader", "contributor"]}))
    with hub.hub.database.reading() as session:
        police = session.scalars(select(Member.id).where(Member.name == "City Police")).one()
    done(officer.send(f"{at}/sponsor", {"member_id": police, "email": "desk@police.example"}))
    sponsor, answer = link_in(letter_to(hub, "desk@police.example")), {
        "answer": "confirm", "name": "Di", "statement": f"Known {STORED}", "in_confidence": f"Hush {STORED}",
    }  # fmt: skip
    assert "Thank you" in text_of(Browser(hub).send(sponsor, answer))
    assert Browser(hub).get(sponsor).status_code == 404
    done(officer.send(f"{at}/due-diligence", {"why": f"It exists {STORED}"}))
    done(officer.send(f"{at}/decision", {"why": "All well"}))
    return case_id, page


def test_from_application_to_certificate(local_hub: LocalHub, desk: dict[str, Browser]) -> None:
    case_id, page = up_for_decision(local_hub, desk, "Journey Bank")
    own = Browser(local_hub)
    at = f"/console/cases/{case_id}"
    assert "Journey Bank" in text_of(desk["first"].get("/console/cases"))
    assert desk["officer"].get(f"{at}/approve").status_code == 403
    undeclared = desk["first"].send(f"{at}/approve", {"reason": "yes"})
    assert undeclared.status_code == 403
    for name in ("first", "second"):
        done(desk[name].send(f"{at}/declare", {"conflict": "no", "explanation": ""}))
        done(desk[name].send(f"{at}/approve", {"reason": f"The file is good {STORED}"}))

    signing = Browser(local_hub)
    version = {"step": "accept", "version": "2026-01", "signatory": f"Cy {STORED}", "position": "Director"}
    unticked = signing.send(page, version)
    assert unticked.status_code == 400
    assert 'href="#agreed"' in unticked.text
    done(signing.send(page, {**version, "agreed": "yes"}))
    with local_hub.hub.database.reading() as session:
        member = session.scalars(select(Member).where(Member.name == "Journey Bank")).one()
        assert (member.status, member.clearance, member.roles) == ("active", 2, ["contributor", "reader"])
        assert membership.groups_of(session, member.id) == ["mules"]
    assert "invited" in letter_to(local_hub, "ben@journeybank.example")

    file_page = desk["officer"].get(at)
    assert STORED not in file_page.text
    assert file_page.text.count(AS_TEXT) > 10
    applicant_page = signing.get(page)
    assert STORED not in applicant_page.text
    assert "Hush" not in applicant_page.text

    done(desk["officer"].send(f"{at}/certificate"))
    done(desk["first"].send(f"{at}/suspend", {"reason": "a leak"}))
    with local_hub.hub.database.reading() as session:
        assert session.get_one(Member, member.id).status == "suspended"
    done(desk["first"].send(f"{at}/lift", {"reason": "it was none"}))
    again = desk["first"].send(f"{at}/lift", {"reason": "it was none"})
    assert again.status_code == 400
    done(desk["second"].send(f"{at}/lift", {"reason": "agreed"}))
    _sign_and_leave(local_hub, own, member.id)
    early = desk["officer"].send(f"{at}/close")
    assert early.status_code == 400
    assert "Still to do" in text_of(early)
    for step in cases.requirements.OFFBOARDING_STEPS:
        done(desk["officer"].send(f"{at}/tick", {"step": step, "note": "done"}))
    done(desk["officer"].send(f"{at}/close"))
    numbers = re.findall(rf"{at}/certificates/([\d-]+)", desk["officer"].get(at).text)
    assert len(numbers) == 2
    said = [text_of(desk["officer"].get(f"{at}/certificates/{number}")) for number in numbers]
    assert "certifies that the membership of Journey Bank has ended" in said[0]
    assert "certifies that Journey Bank is a member" in said[1]


def _sign_and_leave(hub: LocalHub, own: Browser, member_id: str) -> None:
    """The member's own page: a new version to sign, its certificate, and notice."""
    own.sign_in(add_person(hub, "cy@journeybank.example", ["primary-contact"], member_id))
    assert "to be signed" not in text_of(own.get("/console/membership"))
    with hub.hub.database.unit_of_work() as session:
        agreements.publish(session, "2027-01", "We share more.", "operator")
    assert "Agreement to be signed: version 2027-01" in text_of(own.get("/console/membership"))
    given = {"version": "2027-01", "signatory": "Cy", "position": "Director"}
    sign, at = "/console/membership/agreement", "/console/membership"
    assert own.send(sign, given, page=at).status_code == 400
    done(own.send(sign, {**given, "agreed": "yes"}, page=at))
    shown = own.get(at)
    assert "to be signed" not in text_of(shown)
    number = re.findall(r"/console/membership/certificates/([\d-]+)", shown.text)
    assert "is a member" in text_of(own.get(f"/console/membership/certificates/{number[0]}"))
    done(own.send("/console/membership/leave", {"reason": "a merger"}))
    assert own.get(at).status_code == 303


def test_rejection_and_appeal(local_hub: LocalHub, desk: dict[str, Browser]) -> None:
    case_id, page = up_for_decision(local_hub, desk, "Refused Bank")
    at = f"/console/cases/{case_id}"
    done(desk["first"].send(f"{at}/declare", {"conflict": "no", "explanation": ""}))
    done(desk["first"].send(f"{at}/reject", {"reason": f"No reciprocity {STORED}"}))
    visitor = Browser(local_hub)
    shown = visitor.get(page)
    assert "No reciprocity" in text_of(shown)
    assert STORED not in shown.text
    done(visitor.send(page, {"step": "appeal", "grounds": "We do share"}))
    assert desk["first"].send(f"{at}/approve", {"reason": "changed"}).status_code == 403
    assert "Refused Bank" in text_of(desk["second"].get("/console/cases"))


def test_an_application_that_is_not_right_says_where(local_hub: LocalHub, desk: dict[str, Browser]) -> None:
    assert desk
    for field, value in (
        ("name", ""), ("kind", "hub"), ("domain", "no domain"), ("primary_email", "ada@elsewhere.example"),
        ("deputy_email", "nobody"), ("purpose", "x" * 5000), ("name", "Bank\u202eknaB"), ("primary_name", "a\x07b"),
    ):  # fmt: skip
        given = application("Wrong Bank")
        answer = Browser(local_hub).send("/console/apply", {**given, field: value})
        assert answer.status_code == 400, field
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}"' in answer.text
    with local_hub.hub.database.reading() as session:
        assert not session.scalars(select(VettingCase).where(VettingCase.name == "Wrong Bank")).all()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"MZ\x90\x00" + b"\0" * 100, "extract.pdf"),
        (b"PK\x03\x04" + b"\0" * 100, "extract.docx"),
        (b"GIF89a" + b"\0" * 20, "a.png"),
        (b"text\x00with zero", "a.txt"),
        (b"\xff\xfe\x41\x00", "utf16.txt"),
        (b"", "empty.pdf"),
        (b"%PDF-1.7 cut", "cut.pdf"),
    ],
)
def test_what_a_file_is_its_content_says(
    local_hub: LocalHub, desk: dict[str, Browser], content: bytes, name: str
) -> None:
    case_id = _any_case(local_hub)
    answer = desk["officer"].send(
        f"/console/cases/{case_id}/evidence", {"kind": "other", "file": file(content, name), "note": ""}
    )
    assert answer.status_code == 400
    assert 'href="#file"' in answer.text


def test_a_file_keeps_its_bounds_and_its_name_is_only_a_word(local_hub: LocalHub, desk: dict[str, Browser]) -> None:
    case_id = _any_case(local_hub)
    at = f"/console/cases/{case_id}"
    most = local_hub.settings.vetting.evidence_bytes
    large = desk["officer"].send(
        f"{at}/evidence", {"kind": "other", "file": file(b"a" * (most + 1), "a.txt"), "note": ""}
    )
    assert large.status_code == 400
    assert "larger than" in text_of(large)
    folder = local_hub.settings.data_dir / "evidence"
    before = set(folder.glob("*"))  # the first file makes the folder
    for name in (
        "../../../../etc/passwd",
        "..\\..\\boot.ini",
        "<b onclick=x>.pdf",
        "a\tb",
        ".." * 300,
    ):
        done(desk["officer"].send(f"{at}/evidence", {"kind": "other", "file": file(PDF, name), "note": ""}))
    fresh = set(folder.iterdir()) - before
    assert len(fresh) == 5
    for path in fresh:
        assert re.fullmatch(r"[0-9a-f-]{36}", path.name)
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"%PDF" not in path.read_bytes()
    with local_hub.hub.database.reading() as session:
        rows = session.scalars(select(Evidence).where(Evidence.id.in_([path.name for path in fresh]))).all()
    for row in rows:
        assert not re.search(r'[/\\"\r\n<>;]', row.filename)
        answer = desk["auditor"].get(f"{at}/evidence/{row.id}")
        assert answer.data == PDF
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
    other, _ = applied(local_hub, "Other Bank")
    assert desk["officer"].get(f"/console/cases/{other}/evidence/{rows[0].id}").status_code == 404


def test_links_of_nobody(local_hub: LocalHub) -> None:
    visitor = Browser(local_hub)
    for page in ("apply", "sponsor"):
        assert visitor.get(f"/console/{page}/{'x' * 43}").status_code == 404
    _, page = applied(local_hub, "Linked Bank")
    assert visitor.get(page.replace("/apply/", "/sponsor/")).status_code == 404
    assert visitor.send(page, {"step": "no-such-step"}).status_code == 400
    assert visitor.send(page, {"step": "answer", "request_id": "²", "answer": "a"}).status_code == 404


def test_an_emergency_role_is_told_and_reviewed(local_hub: LocalHub, desk: dict[str, Browser]) -> None:
    analyst, auditor = desk["analyst"], desk["auditor"]
    assert analyst.get("/console/cases").status_code == 403
    taken = {"role": "vetting-officer", "reason": f"Nobody is in {STORED}"}
    done(analyst.send("/console/emergencies", taken))
    assert analyst.get("/console/cases").status_code == 200
    assert "Nobody is in" in letter_to(local_hub, "auditor@hub.example")
    with local_hub.hub.database.reading() as session:
        found = emergencies.unreviewed(session)[0].id
    shown = auditor.get("/console/emergencies")
    assert STORED not in shown.text
    assert (
        analyst.send(
            f"/console/emergencies/{found}/review", {"findings": "fine"}, page="/console/emergencies"
        ).status_code
        == 403
    )
    done(auditor.send(f"/console/emergencies/{found}/review", {"findings": "fine"}, page="/console/emergencies"))
    assert analyst.get("/console/cases").status_code == 403


def test_each_door_lets_in_whom_it_should(local_hub: LocalHub, desk: dict[str, Browser]) -> None:
    """tests/golden/vetting_doors.json: GET of each page of vetting, for each role alone and for nobody."""
    case_id, _ = applied(local_hub, "Door Bank")
    with local_hub.hub.database.reading() as session:
        member_id = session.scalars(select(Member.id).where(Member.name == "City Police")).one()
        assert session.scalars(select(Agreement)).all()
    contact = add_person(local_hub, "contact@police.example", ["primary-contact"], member_id)
    reader = add_person(local_hub, "reader@police.example", ["reader"], member_id)
    browsers = {role: desk[role] for role in STAFF}
    browsers |= {"primary-contact": Browser(local_hub).sign_in(contact), "reader": Browser(local_hub).sign_in(reader)}
    browsers["nobody"] = Browser(local_hub)
    ours = re.compile(r"/console/(cases|members|grants|emergencies|apply|sponsor|membership)\b")
    values = {"case_id": case_id, "member_id": member_id, "grant_id": 1, "evidence_id": "none", "number": "none",
              "token": "none", "emergency_id": 99}  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for rule in sorted(local_hub.app.url_map.iter_rules(), key=str):
        if not ours.match(str(rule)):
            continue
        path = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1]
        if "GET" in (rule.methods or ()):
            found[f"GET {rule}"] = {who: browser.get(path).status_code for who, browser in browsers.items()}
        else:
            empty = {who: _post(browser, path) for who, browser in browsers.items()}
            found[f"POST {rule}"] = empty
    expected = json.loads(DOORS.read_text()) if DOORS.exists() else {}
    assert found == expected, json.dumps(found, indent=1)


def _post(browser: Browser, path: str) -> int:
    """POST an empty form with a good token; 400 or more of a use case means that the door stood open."""
    return browser.send(path, {}, page="/console/account" if browser.client.get_cookie("hub-session", path="/console")
                        else "/console/apply").status_code  # fmt: skip


def _any_case(hub: LocalHub) -> str:
    """A case that waits to be taken, for what changes no case."""
    with hub.hub.database.reading() as session:
        found = session.scalar(select(VettingCase.id).where(VettingCase.name == "Quiet Bank"))
    return found or applied(hub, "Quiet Bank")[0]


def test_roles_are_all_in_the_table() -> None:
    row = next(iter(json.loads(DOORS.read_text()).values()))
    assert set(row) == {*STAFF, "primary-contact", "reader", "nobody"} <= {*Role, "nobody"}
