"""A bounded key made and refused, and a source unmasked by two people, as they see it in Chromium."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import requests
from playwright.sync_api import Page, expect

from hub.members import keys
from tests.browser.conftest import ON_A_PHONE, let_in
from tests.live import LiveHub, TestMember, wait_for
from tests.objects import indicator
from tests.people import add_person

Look = Callable[[Page, str], None]
numbers = count(1)
OBJECTS = "/taxii2/plain/collections/shared/objects/"


@ON_A_PHONE
def test_a_bounded_key(served: LiveHub, page: Page, look: Look) -> None:
    number = next(numbers)
    member = served.add_member(f"Bounded Bank {number}", roles=["contributor"])
    person = add_person(served, f"jo.{number}@bounded.test", ["primary-contact"], member.member_id, name="Jo Quill")
    let_in(served, page.context, person)
    page.goto("/console/keys/new")
    page.get_by_label("What is the key for?").fill("SIEM")
    page.get_by_label("Pull objects by TAXII").check()
    page.get_by_label("From which addresses?").fill("198.51.100.0/24\nour office")
    page.get_by_role("button", name="Make the key").click()
    look(page, "new-key-errors")
    expect(page.get_by_label("Pull objects by TAXII")).to_be_checked()
    page.get_by_label("From which addresses?").fill("198.51.100.0/24")
    page.get_by_role("button", name="Make the key").click()
    token = page.locator("#token").inner_text()
    refused = requests.get(f"{served.url}/taxii2/", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert refused.status_code == 401
    wait_for(lambda: refusals(served, member), 20, lambda: "the refusal is not written")
    page.goto("/console/keys")
    look(page, "keys-bounded")
    page.get_by_role("link", name="SIEM").click()
    expect(page.get_by_text("Refused for the address 1 time, last from 127.0.0.1")).to_be_visible()
    look(page, "key-bounded")


def refusals(hub: LiveHub, member: TestMember) -> int:
    with hub.hub.database.reading() as session:
        return sum(key.refusals for key in keys.of_member(session, member.member_id))


def test_two_people_unmask_a_source(served: LiveHub, page: Page, look: Look) -> None:
    number = next(numbers)
    source = served.add_member(f"Hidden Bank {number}", roles=["contributor"], anonymous=True)
    assert served.add(OBJECTS, source, [indicator(f"hidden {number}")])["success_count"] == 1
    staff = {
        role: add_person(served, f"{role}.{number}@unmask.test", [role], name=f"{role.title()} {number}")
        for role in ("analyst", "approver", "vetting-officer")
    }

    def become(role: str, path: str) -> None:
        page.context.clear_cookies()
        let_in(served, page.context, staff[role])
        page.goto(path)

    become("analyst", "/console/unmasking")
    look(page, "unmasking-list")
    page.get_by_role("button", name="Ask who a source is").click()
    look(page, "unmasking-ask")
    page.get_by_label("Id of the object").fill(str(indicator(f"hidden {number}")["id"]))
    page.get_by_label("Why must you know?").fill("A court order")
    page.get_by_role("button", name="Ask").click()
    path = page.url
    look(page, "unmasking-asked")
    for role, function in (("approver", "Legal"), ("vetting-officer", "Operations")):
        become(role, path)
        look(page, f"unmasking-{function.lower()}")
        page.get_by_role("radio", name=function).check()
        page.get_by_role("radio", name="Approve").check()
        page.get_by_label("Reason", exact=True).fill("The agreement allows it")
        page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("button", name="Show the source")).to_be_visible()
    assert source.name not in page.content()
    page.get_by_role("button", name="Show the source").click()
    expect(page.get_by_text(source.name)).to_be_visible()
    look(page, "unmasked")
