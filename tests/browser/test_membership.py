"""A membership from its application to its end, as five people live it: in Chromium, checked by axe at two sizes.

Every free text holds a script. The browser is told to run what the pages' policy forbids, so a page that did not
escape its text would show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from itertools import count

import pyotp
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect
from taxii2client.v21 import Server, as_pages

from hub import clock
from hub.clock import DAY
from hub.factory import housekeeping
from hub.members import keys
from hub.members.people_records import Person
from hub.members.records import Member
from hub.members.vetting import cases
from hub.members.vetting.evidence import EvidenceFolder
from tests.browser.conftest import SIZES, let_in
from tests.live import LiveHub, wait_for
from tests.objects import indicator
from tests.people import PASSWORD, add_person
from tests.vetting import PDF, Office, publish

Look = Callable[[Page, str], None]
STORED = "<script>window.stored = 1</script>"
numbers = count(1)
# Pages that axe has seen in this run: once is enough.
CHECKED: set[str] = set()


class Desk:
    """The people of one membership, each with a browser of their own, all of one size."""

    def __init__(self, hub: LiveHub, chromium: Browser, size: str, look: Look) -> None:
        self.hub = hub
        self.number = f"{next(numbers)}"
        self.domain = f"journey{self.number}.example"
        self.name = f"Journey {self.number} {STORED}"
        self._look = look
        self._chromium, self._size = chromium, size
        self._contexts: list[BrowserContext] = []

    def visitor(self) -> Page:
        """Somebody without an account."""
        context = self._chromium.new_context(
            viewport=SIZES[self._size], base_url=self.hub.url, bypass_csp=True, locale="en-GB", timezone_id="UTC"
        )
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        return context.new_page()

    def staff(self, role: str, name: str) -> Page:
        """One of the hub's people, signed in."""
        person = add_person(self.hub, f"{name}.{self.number}@hub.test", [role], name=f"{name} {STORED}")
        page = self.visitor()
        let_in(self.hub, page.context, person)
        return page

    def look(self, page: Page, name: str) -> None:
        """The page passes axe, fits the screen, and ran nothing that was stored."""
        if name not in CHECKED:
            self._look(page, f"vetting-{name}")
            CHECKED.add(name)
        assert page.evaluate("window.stored") is None, f"{name} runs a stored script"

    def letter_to(self, recipient: str, subject: str) -> str:
        """The address in the newest letter to ``recipient`` on ``subject``, as the worker has sent it."""

        def newest() -> str:
            folder = self.hub.settings.data_dir / "outbox"
            for path in sorted(folder.glob("*.eml"), reverse=True):
                letter = message_from_bytes(path.read_bytes(), policy=policy.default)
                if letter["To"] == recipient and subject in letter["Subject"]:
                    return str(letter.get_content())
            return ""

        text = wait_for(newest, 30, lambda: f"no letter to {recipient} on {subject!r}")
        found = re.search(rf"{re.escape(self.hub.url)}/console/\S+", text)
        assert found, text
        return found[0]

    def close(self) -> None:
        """Close every browser."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def desk(request: pytest.FixtureRequest, served: LiveHub, chromium: Browser, look: Look) -> Iterator[Desk]:
    opened = Desk(served, chromium, getattr(request, "param", "desktop"), look)
    yield opened
    opened.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def act(page: Page, case: str, action: str, **fields: str) -> None:
    """Fill the form of an action and send it."""
    page.goto(f"{case}/{action}")
    for name, value in fields.items():
        field = page.locator(f"[name={name}]").first
        kind = field.evaluate("one => one.type")
        if kind in ("radio", "checkbox"):
            page.locator(f"[name={name}][value='{value}']").check()
        elif kind == "select-one":
            field.select_option(value)
        else:
            field.fill(value)
    page.locator("main button.govuk-button").last.click()
    expect(page.get_by_role("alert").filter(has_text="Success")).to_be_visible()


def look_at_actions(desk: Desk, page: Page, case: str) -> None:
    """Every form that the file offers now."""
    page.goto(case)
    links = page.locator("main ul.govuk-list a").evaluate_all("links => links.map(one => one.getAttribute('href'))")
    for href in [link for link in links if link.startswith(f"{case}/") and "certificates" not in link]:
        page.goto(href)
        desk.look(page, href.rpartition("/")[2])


def in_queue(desk: Desk, page: Page, queue: str) -> None:
    page.goto("/console/cases")
    expect(page.get_by_role("region", name=queue, exact=True)).to_contain_text(desk.name)


def apply(desk: Desk) -> Page:
    """The application, first with mistakes; the applicant's page."""
    page = desk.visitor()
    page.goto("/console/apply")
    desk.look(page, "apply")
    press(page, "Send the application")
    expect(page.locator(".govuk-error-summary__list li")).to_have_count(9)
    page.get_by_role("link", name="Enter the full name of the deputy").click()
    assert page.evaluate("document.activeElement.id") == "deputy_name"
    desk.look(page, "apply-errors")
    given = {
        "Name": desk.name, "Domain": desk.domain, "Company registration number": f"77{desk.number}1234",
        "Regulator's reference (optional)": STORED, "Ultimate parent company (optional)": f"Parent {STORED}",
        "Its registration number (optional)": STORED,
        "Why you want to join, and what you will share": f"Mules {STORED}",
        "Full name of the primary contact": f"Ada {STORED}",
        "E-mail address of the primary contact": f"ada@{desk.domain}",
        "Full name of the deputy": f"Ben {STORED}", "E-mail address of the deputy": f"ben@{desk.domain}",
    }  # fmt: skip
    for label, value in given.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Kind").select_option("bank")
    press(page, "Send the application")
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your application")
    desk.look(page, "apply-sent")
    page.goto(desk.letter_to(f"ada@{desk.domain}", "Confirm your application"))
    desk.look(page, "application-draft")
    press(page, "Confirm the application")
    expect(page.get_by_text("Submitted")).to_be_visible()
    desk.look(page, "application-submitted")
    return page


def sponsor_of(desk: Desk) -> str:
    """A member of long standing; gives its name."""
    member = desk.hub.add_member(f"Old Bank {desk.number} {STORED}")
    with desk.hub.hub.database.unit_of_work() as session:
        session.get_one(Member, member.member_id).created_at -= 400 * DAY
    return member.member_id


def screen(desk: Desk, officer: Page, applicant: Page) -> str:
    """Up to the decision; the address of the case's file."""
    in_queue(desk, officer, "New")
    desk.look(officer, "cases")
    officer.get_by_role("link", name=desk.name).click()
    case = re.sub(r"^https?://[^/]+", "", officer.url)
    desk.look(officer, "case-new")
    act(officer, case, "take")
    in_queue(desk, officer, "Waiting for the hub")
    look_at_actions(desk, officer, case)
    act(officer, case, "declare", conflict="no")
    for kind in ("registry-extract", "sanctions-check", "signatory-authority"):
        officer.goto(f"{case}/evidence")
        officer.get_by_label("What the file proves").select_option(kind)
        officer.locator("[name=note]").fill(STORED)
        named = f"{kind} {STORED.replace('/', '')}.pdf"
        officer.locator("[name=file]").set_input_files({"name": named, "mimeType": "application/pdf", "buffer": PDF})
        press(officer, "Add evidence")
        expect(officer.get_by_text("The file is on file")).to_be_visible()
    act(officer, case, "ask", question=f"Who owns you? {STORED}")
    in_queue(desk, officer, "Waiting for the applicant")
    applicant.reload()
    applicant.get_by_label("Your answer").fill(f"A holding {STORED}")
    desk.look(applicant, "application-question")
    press(applicant, "Send the answer")
    expect(applicant.get_by_text("Screening")).to_be_visible()
    act(officer, case, "propose", clearance="green", roles="reader")
    old = sponsor_of(desk)
    act(officer, case, "sponsor", member_id=old, email=f"desk@old{desk.number}.example")
    sponsor(desk)
    act(officer, case, "due-diligence", why=f"It exists {STORED}")
    look_at_actions(desk, officer, case)
    act(officer, case, "decision", why=f"All well {STORED}")
    officer.goto(case)
    desk.look(officer, "case-decision")
    return case


def sponsor(desk: Desk) -> None:
    page = desk.visitor()
    page.goto(desk.letter_to(f"desk@old{desk.number}.example", "Will you sponsor"))
    desk.look(page, "sponsor")
    press(page, "Send the answer")
    desk.look(page, "sponsor-errors")
    page.get_by_label("Yes, we sponsor it").check()
    page.get_by_label("Your full name").fill(f"Di {STORED}")
    page.get_by_label("Your statement").fill(f"Known for years {STORED}")
    page.get_by_label("Anything for the hub alone (optional)").fill(f"Hush {STORED}")
    press(page, "Send the answer")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    desk.look(page, "sponsor-done")


def sign(desk: Desk, applicant: Page) -> None:
    """The signatory accepts the agreement."""
    applicant.goto(desk.letter_to(f"ada@{desk.domain}", "is approved"))
    applicant.get_by_label("Full name of the signatory").fill(f"Cy {STORED}")
    applicant.get_by_label("Position in the organisation").fill(f"Director {STORED}")
    press(applicant, "Accept the agreement")
    desk.look(applicant, "application-agreement-errors")
    applicant.get_by_label("I may sign for the organisation").check()
    press(applicant, "Accept the agreement")
    expect(applicant.get_by_text("The membership is in force")).to_be_visible()
    desk.look(applicant, "application-active")


def first_key(desk: Desk) -> tuple[Page, str, str]:
    """The primary contact joins and makes the first key: (their page, user name, token)."""
    page = desk.visitor()
    page.goto(desk.letter_to(f"ada@{desk.domain}", "Your invitation"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    press(page, "Continue")
    secret = (page.locator(".hub-mono").text_content() or "").replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    press(page, "Continue")
    press_link = page.get_by_role("button", name="I have kept them")
    press_link.click()
    page.goto("/console/membership")
    desk.look(page, "membership")
    page.goto("/console/membership/grants/new")
    desk.look(page, "own-grant-ask")
    page.get_by_label("A higher TLP").check()
    page.locator("[name=value]").fill("amber")
    page.locator("[name=purpose]").fill(f"More {STORED}")
    page.locator("[name=days]").fill("30")
    page.locator("main button.govuk-button").last.click()
    page.goto("/console/membership/leave")
    desk.look(page, "leave")
    page.goto("/console/keys/new")
    page.get_by_label("What is the key for?").fill(f"SIEM {STORED}")
    press(page, "Make the key")
    desk.look(page, "key-made")
    shown = page.locator("main .hub-mono").all_inner_texts()
    return page, shown[0].strip(), shown[1].strip()


def pull(desk: Desk, username: str, token: str) -> int:
    """How many objects a client gets, over every collection of the member's."""
    server = Server(f"{desk.hub.url}/taxii2/", user=username, password=token)
    collections = [one for root in server.api_roots for one in root.collections if one.can_read]
    assert collections
    return sum(
        len(envelope.get("objects", []))
        for one in collections
        for envelope in as_pages(one.get_objects, per_request=50)
    )


def test_a_membership_from_application_to_end(desk: Desk) -> None:
    writer = desk.hub.add_member(f"Writer {desk.number}", roles=["reader", "contributor"])
    desk.hub.add("/taxii2/signed/collections/shared/objects/", writer, [indicator(int(desk.number) + 900)])
    officer, first, second = (
        desk.staff(role, name) for role, name in (("vetting-officer", "Olga"), ("approver", "Fay"), ("approver", "Sue"))
    )
    applicant = apply(desk)
    case = screen(desk, officer, applicant)
    for approver, queue in ((first, "First approval"), (second, "Second approval")):
        in_queue(desk, approver, queue)
        act(approver, case, "declare", conflict="no")
        look_at_actions(desk, approver, case)
        act(approver, case, "approve", reason=f"The file is good {STORED}")
    sign(desk, applicant)
    contact, username, token = first_key(desk)
    assert pull(desk, username, token) > 0

    act(first, case, "suspend", reason=f"A leak {STORED}")
    with pytest.raises(requests.HTTPError) as refused:
        pull(desk, username, token)
    assert refused.value.response.status_code in (401, 403)
    contact.goto("/console/keys")
    expect(contact.get_by_role("heading", level=1)).to_have_text("Sign in")
    in_queue(desk, officer, "Suspended")
    first.goto(case)
    desk.look(first, "case-suspended")
    for approver in (first, second):
        act(approver, case, "lift", reason=f"It was none {STORED}")
    assert pull(desk, username, token) > 0
    leave(desk, officer, first, case)
    with pytest.raises(requests.HTTPError):
        pull(desk, username, token)


def leave(desk: Desk, officer: Page, approver: Page, case: str) -> None:
    """The other pages of a member's file, then off-boarding to the certificate of cessation."""
    approver.goto("/console/cases")
    desk.look(approver, "cases-grants")
    approver.get_by_role("region", name="Grants asked for").get_by_role("link", name=desk.name).click()
    desk.look(approver, "grant")
    for path, name in (("/console/members", "members"), ("/console/emergencies", "emergencies")):
        approver.goto(path)
        desk.look(approver, name)
    act(officer, case, "certificate")
    look_at_actions(desk, officer, case)
    act(officer, case, "offboard", reason=f"A merger {STORED}")
    in_queue(desk, officer, "Off-boarding")
    look_at_actions(desk, officer, case)
    for step in ("notice", "contributions", "feeds", "destruction"):
        act(officer, case, "tick", step=step, note=STORED)
    act(officer, case, "close")
    officer.goto(case)
    desk.look(officer, "case-closed")
    expect(officer.locator("main")).to_contain_text(STORED)
    officer.locator("a[href*='/certificates/']").first.click()
    desk.look(officer, "certificate")


@pytest.mark.parametrize("desk", ["phone"], indirect=True)
def test_rejection_and_appeal(desk: Desk) -> None:
    applicant, officer = apply(desk), desk.staff("vetting-officer", "Otto")
    case = screen(desk, officer, applicant)
    approver = desk.staff("approver", "Rex")
    act(approver, case, "declare", conflict="no")
    act(approver, case, "reject", reason=f"Too little {STORED}")
    applicant.goto(desk.letter_to(f"ada@{desk.domain}", "not accepted"))
    desk.look(applicant, "application-rejected")
    expect(applicant.locator("main")).to_contain_text(STORED)
    applicant.get_by_label("Appeal: why the decision should change").fill(f"It is enough {STORED}")
    press(applicant, "Appeal")
    in_queue(desk, approver, "Appeals")
    approver.goto(case)
    expect(approver.get_by_text("You cannot decide this case now")).to_be_visible()
    desk.look(approver, "case-appeal")


def test_the_queues_of_what_falls_due(desk: Desk) -> None:
    """Reviews, agreements, dormant people, keys that end and lists to confirm; the journeys fill the other queues."""
    hub, number = desk.hub, desk.number
    files = EvidenceFolder(hub.settings.data_dir / "evidence", hub.hub.vault, 100_000)
    office = Office(hub.hub.database, hub.settings, hub.hub.vault, files)
    queues = {"Review due in 7 days": 5, "Review due in 30 days": 20, "Review due in 60 days": 50, "Review open": -1}
    members = {}
    for queue, days in queues.items():
        host = f"q{number}{abs(days)}.example"
        case_id, members[queue] = office.admit(name=f"{queue} {number}", domain=host, primary_email=f"a@{host}")
        with hub.hub.database.unit_of_work() as session:
            cases.hold(session, case_id).reviewed_at = clock.micros() - (365 - days) * DAY
    whose = members["Review due in 60 days"]
    contact = add_person(hub, f"late.{number}@queue.example", ["primary-contact"], whose, name=f"Late {STORED}")
    away = add_person(hub, f"away.{number}@queue.example", ["reader"], whose, name=f"Away {STORED}")
    with hub.hub.database.unit_of_work() as session:
        publish(session, f"next {number}")
        keys.issue(session, whose, contact.person_id, f"Key {STORED}", 10)
        for person, unseen in ((contact, 0), (away, 60)):
            kept = session.get_one(Person, person.person_id)
            kept.created_at, kept.last_seen_at = clock.micros() - 100 * DAY, clock.micros() - unseen * DAY
    done = housekeeping.run_all(hub.hub)
    assert done["reviews_opened"] >= 1
    assert done["dormant"] >= 1
    page = desk.staff("vetting-officer", "Quinn")
    page.goto("/console/cases")
    for queue in queues:
        expect(page.get_by_role("region", name=queue, exact=True)).to_contain_text(f"{queue} {number}")
    for queue, text in (
        ("Agreement not signed", f"Review open {number}"), ("Dormant people", f"away.{number}@queue.example"),
        ("Keys that end within 30 days", f"Key {STORED}"),
        ("Lists of people to confirm", f"Review due in 60 days {number}"),
    ):  # fmt: skip
        expect(page.get_by_role("region", name=queue, exact=True)).to_contain_text(text)
    desk.look(page, "cases-due")
