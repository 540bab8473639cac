"""The checking service as people use it in Chromium: filed, approved by a second, checked, disputed, told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from playwright.sync_api import Page, expect

from hub.factory import upkeep
from tests.browser.conftest import ON_A_PHONE, let_in
from tests.live import LiveHub
from tests.people import TestPerson, add_person

Look = Callable[[Page, str], None]
numbers = count(1)
LAW = "Serious Crime Act 2007, section 68"


class Visits:
    """One browser that several people use in turn."""

    def __init__(self, hub: LiveHub, page: Page) -> None:
        self._hub = hub
        self._page = page

    def become(self, person: TestPerson, path: str) -> None:
        """Go on as ``person`` at ``path``."""
        self._page.context.clear_cookies()
        let_in(self._hub, self._page.context, person)
        self._page.goto(path)


def check(page: Page, kind: str, value: str) -> None:
    page.goto("/console/checks/new")
    page.get_by_label("What do you check?").select_option(kind)
    page.get_by_label("Value").fill(value)
    page.get_by_label("Which law does it rest on?").select_option(label=LAW)
    page.get_by_label("Your case reference").fill("PAY-118")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Answer")).to_be_visible()


def file_known_fraud(page: Page, number: int, account: str, look: Look) -> None:
    """Fill the form of a filing, first wrongly."""
    look(page, "filings-none")
    page.get_by_role("button", name="File fraud").click()
    look(page, "filing-form")
    page.get_by_role("button", name="File it").click()
    look(page, "filing-form-errors")
    page.get_by_label("Sort code").fill("20-20-15")
    page.get_by_label("Account number").fill(account)
    page.get_by_label("What is it?").select_option("mule-account")
    page.get_by_label("Your reference", exact=True).fill(f"CASE-{number}")
    page.get_by_label("Category").select_option("5D")
    page.get_by_label("Grade (3x5x2)").select_option("1B:P")
    page.get_by_label("What have you done about it?").select_option("account-closed")
    page.get_by_label("Known fraud", exact=True).check()
    for pillar in page.get_by_role("group", name="The four pillars").get_by_role("checkbox").all():
        pillar.check()
    page.get_by_label("Where the evidence lies").fill("EXB/1/2026")
    page.get_by_label("Purpose").select_option("fraud-prevention")
    page.get_by_label("Law").select_option(label=LAW)
    page.get_by_label("Your case reference").fill("C-1")
    page.get_by_role("button", name="File it").click()
    expect(page.get_by_text("It waits for a second person of your organisation.")).to_be_visible()
    look(page, "filing-pending")


def approve(page: Page, number: int, look: Look) -> None:
    """Approve it as the second person."""
    look(page, "filing-approvals")
    page.get_by_role("link", name=f"CASE-{number}").click()
    look(page, "filing-to-approve")
    page.get_by_label("Approve", exact=True).check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("It is approved, and counts as known fraud")).to_be_visible()


@ON_A_PHONE
def test_from_a_filing_to_the_notice_of_its_correction(served: LiveHub, page: Page, look: Look) -> None:
    number = next(numbers)
    groups: dict[str, Any] = {"groups": ("banks",), "roles": ("reader", "contributor"), "clearance": "amber+strict"}
    bank = served.add_member(f"Filing Bank {number}", **groups)
    other = served.add_member(f"Asking Bank {number}", **groups)
    writer = add_person(served, f"writer.{number}@filing.test", ["contributor"], bank.member_id, name="Wren Hart")
    second = add_person(served, f"second.{number}@filing.test", ["primary-contact"], bank.member_id, name="Sol Vane")
    asker = add_person(served, f"asker.{number}@asking.test", ["reader"], other.member_id, name="Ash Reed")
    account = f"{55550000 + number:08d}"
    visits = Visits(served, page)

    visits.become(writer, "/console/filings")
    file_known_fraud(page, number, account, look)
    filing = page.url
    visits.become(second, "/console/")
    look(page, "home-waiting")
    page.get_by_role("link", name="Filings to approve").click()
    approve(page, number, look)

    visits.become(asker, "/console/checks")
    look(page, "checks-none")
    page.get_by_role("button", name="Check a payee").click()
    look(page, "check-form")
    page.get_by_role("button", name="Check", exact=True).click()
    look(page, "check-form-errors")
    check(page, "bank-account", f"20-20-15 {account}")
    expect(page.get_by_text("Match", exact=True)).to_be_visible()
    expect(page.get_by_text("Known fraud")).to_be_visible()
    assert account not in page.content()
    assert account not in page.url
    look(page, "check-match")
    answer = page.url
    page.get_by_label("Declined").check()
    page.get_by_label("Why? (optional)").fill("The customer agreed that it was a scam")
    page.get_by_role("button", name="Record").click()
    look(page, "check-decided")
    page.goto("/console/checks")
    look(page, "checks")

    visits.become(writer, filing)
    page.get_by_label("Dispute it").check()
    page.get_by_label("Reason").fill("It is the victim's own account")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("It is disputed, and answers nobody until that is settled")).to_be_visible()
    look(page, "filing-disputed")
    upkeep.make_notices(served.hub)

    visits.become(asker, "/console/checks")
    check(page, "bank-account", f"20-20-15 {account}")
    expect(page.get_by_text("No match", exact=True)).to_be_visible()
    look(page, "check-no-match")
    page.goto("/console/corrections")
    look(page, "corrections")
    page.get_by_role("link", name=answer.rsplit("/", 1)[1]).click()
    expect(page.get_by_text("Disputed since: do not rely on it until that is settled")).to_be_visible()


def file_victim(page: Page, number: int, born: str, look: Look) -> None:
    """File an impersonated victim, and look at the other pages of filings."""
    page.get_by_label("Name", exact=True).fill("Vera Holmwood")
    page.get_by_label("Date of birth").first.fill(born)
    page.get_by_label("What is it?").select_option("impersonated-victim")
    page.get_by_label("Your reference", exact=True).fill(f"VICTIM-{number}")
    page.get_by_label("Category").select_option("identity-fraud")
    page.get_by_label("Purpose").select_option("fraud-prevention")
    page.get_by_label("Law").select_option(label=LAW)
    page.get_by_label("Your case reference").fill("C-2")
    page.get_by_role("button", name="File it").click()
    expect(page.get_by_text("This is an impersonated victim.")).to_be_visible()
    look(page, "filing-victim")
    page.get_by_role("button", name="Amend").click()
    look(page, "filing-amend")
    page.goto("/console/filings/upload")
    look(page, "filings-upload")
    page.goto("/console/filings")
    look(page, "filings")


def check_victim(page: Page, born: str, look: Look) -> str:
    """Check the victim; the contact token."""
    page.goto("/console/checks/new")
    page.get_by_label("What do you check?").select_option("person")
    page.get_by_label("Name", exact=True).fill("Vera Holmwood")
    page.get_by_label("Date of birth").fill(born)
    page.get_by_label("Which law does it rest on?").select_option(label=LAW)
    page.get_by_label("Your case reference").fill("PAY-119")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("The person is innocent")).to_be_visible()
    assert "Holmwood" not in page.content()
    look(page, "check-protect")
    page.locator("summary").click()
    return page.locator("details .hub-mono").inner_text()


def answer_request(page: Page, number: int, born: str, look: Look) -> None:
    """Look for the person, withhold the filing, make the copy."""
    look(page, "subject-access")
    page.get_by_label("Reference of the request").fill(f"SAR-{number}")
    page.get_by_label("Name").fill("Vera Holmwood")
    page.get_by_label("Date of birth").fill(born)
    page.get_by_role("button", name="Look").click()
    look(page, "subject-access-look")
    page.get_by_label("Withhold filing--").check()
    page.get_by_label("Why is it withheld?").fill("It would prejudice an investigation")
    page.get_by_role("button", name="Record the decision and make the copy").click()
    look(page, "subject-access-record")
    page.get_by_role("button", name="The person's copy, to print").click()
    look(page, "subject-access-copy")
    assert "prejudice" not in page.content()


def give_quota(page: Page, member_id: str, look: Look) -> None:
    """Give a member its own quota, first wrongly."""
    page.goto(f"/console/members/{member_id}/quotas")
    page.get_by_label("Subjects in an hour").fill("5000")
    page.get_by_label("Subjects in a day").fill("200")
    page.get_by_role("button", name="Set the quota").click()
    look(page, "check-quotas-errors")
    page.get_by_label("Subjects in a day").fill("50000")
    page.get_by_role("button", name="Set the quota").click()
    expect(page.get_by_role("row", name="Check a payee before a payment")).to_contain_text("50,000")
    look(page, "check-quotas")


def test_the_staff_watch_dispute_and_answer_a_request(served: LiveHub, page: Page, look: Look) -> None:
    number = next(numbers)
    groups: dict[str, Any] = {"groups": ("banks",), "roles": ("reader", "contributor"), "clearance": "amber+strict"}
    bank = served.add_member(f"Careful Bank {number}", **groups)
    other = served.add_member(f"Curious Bank {number}", **groups)
    asker = add_person(served, f"asker.{number}@curious.test", ["reader"], other.member_id)
    writer = add_person(served, f"writer.{number}@careful.test", ["contributor"], bank.member_id)
    analyst = add_person(served, f"analyst.{number}@checks.test", ["analyst"], name="Nia Cole")
    born, visits = f"19{70 + number % 30}-02-03", Visits(served, page)

    visits.become(writer, "/console/filings/new?about=person")
    file_victim(page, number, born, look)

    visits.become(analyst, "/console/oversight/canaries")
    page.get_by_label("Kind").select_option("phone")
    page.get_by_label("Value").fill(f"07700 900{number:03d}")
    page.get_by_label("Where is it planted?").fill("In the test list for the supplier")
    page.get_by_role("button", name="Plant it").click()

    visits.become(asker, "/console/checks")
    check(page, "phone", f"07700 900{number:03d}")
    token = check_victim(page, born, look)

    visits.become(analyst, "/console/oversight")
    alarm = page.get_by_role("heading", name=f"A planted value was asked for: Curious Bank {number}")
    for _ in range(20):  # the watch looks every second
        if alarm.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(alarm).to_be_visible()
    look(page, "oversight")
    give_quota(page, other.member_id, look)
    page.goto("/console/oversight/canaries")
    look(page, "canaries")
    page.goto("/console/disputes")
    page.get_by_label("Find a filing").fill(token)
    page.get_by_role("button", name="Find").click()
    look(page, "disputes")
    page.get_by_role("link", name="filing--").first.click()
    page.get_by_label("Dispute it").check()
    page.get_by_label("Reason").fill("Under review")
    page.get_by_role("button", name="Continue").click()
    look(page, "disputed-filing")
    page.goto("/console/subject-access")
    answer_request(page, number, born, look)
    expect(page.get_by_text(f"Curious Bank {number}")).to_be_visible()
    page.goto("/console/retention")
    look(page, "retention")
