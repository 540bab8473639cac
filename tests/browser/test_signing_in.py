"""From the invitation to the sign-out as a person does it: in Chromium, by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pyotp
from playwright.sync_api import Page, expect

from tests.browser.conftest import ON_A_PHONE
from tests.live import LiveHub
from tests.people import PASSWORD, add_person, invite

Look = Callable[[Page, str], None]
numbers = count(1)


def type_into(page: Page, label: str, text: str) -> None:
    """Go to a field by Tab and type."""
    tab_to(page, lambda: page.evaluate("document.activeElement.labels?.[0]?.innerText.trim()") == label)
    page.keyboard.type(text)


def press(page: Page, text: str) -> None:
    """Go to a button or link by Tab and press Enter."""
    tab_to(page, lambda: (page.evaluate("document.activeElement.innerText") or "").strip() == text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def tab_to(page: Page, there: Callable[[], bool]) -> None:
    for _ in range(80):
        if there():
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1, name=text)).to_be_visible()


def test_from_invitation_to_sign_out_by_keyboard(served: LiveHub, page: Page, look: Look) -> None:
    number = next(numbers)
    member = served.add_member(f"Harbour Bank {number}")
    email = f"kim.hale.{number}@harbour.test"
    page.goto(invite(served, email, ["primary-contact"], member.member_id, name="Kim Hale"))
    look(page, "choose-password")
    type_into(page, "Password", "short")
    press(page, "Continue")
    look(page, "choose-password-errors")
    type_into(page, "Password", PASSWORD)
    type_into(page, "The same password again", PASSWORD)
    press(page, "Continue")
    heading(page, "Set up your authenticator app")
    look(page, "enrol")
    secret = page.locator(".hub-mono").text_content() or ""
    type_into(page, "Code", pyotp.TOTP(secret.replace(" ", "")).now())
    press(page, "Continue")
    heading(page, "Keep your recovery codes")
    look(page, "recovery-codes")
    recovery = page.locator(".hub-codes li").first.inner_text()
    press(page, "I have kept them")
    heading(page, member.name)
    look(page, "overview")
    press(page, "Sign out")
    heading(page, "You have signed out")
    look(page, "signed-out")
    press(page, "Sign in again")
    look(page, "sign-in")
    type_into(page, "E-mail address", email)
    type_into(page, "Password", PASSWORD)
    press(page, "Continue")
    look(page, "code")
    type_into(page, "Code", recovery)
    press(page, "Sign in")
    heading(page, member.name)
    assert page.evaluate("document.querySelectorAll('script').length") == 0


@ON_A_PHONE
def test_every_page_of_a_member(served: LiveHub, page: Page, look: Look) -> None:
    number = next(numbers)
    member = served.add_member(f"Quay Bank {number}", roles=["reader", "contributor"])
    served.get("/taxii2/signed/collections/fraud/objects/", member)
    person = add_person(served, f"jo.{number}@quay.test", ["primary-contact"], member.member_id, name="Jo Quill")
    add_person(served, f"lee.{number}@quay.test", ["reader"], member.member_id, name="Lee Marsh")
    sign_in(page, person.email, person.code)
    for path, name in (
        ("/console/account", "account"),
        ("/console/account/password", "change-password"),
        ("/console/account/recovery-codes", "new-codes"),
        ("/console/people", "people"),
        ("/console/people/invite", "invite"),
        ("/console/keys", "keys"),
        ("/console/keys/new", "new-key"),
        ("/console/submissions", "submissions"),
        ("/console/connection", "connection"),
        ("/console/connection/sentinel", "set-up-sentinel"),
        ("/console/connection/taxii2-client", "set-up-taxii2-client"),
        ("/console/no-such-page", "not-found"),
    ):
        page.goto(path)
        look(page, name)
    page.goto("/console/people")
    page.get_by_role("link", name="Lee Marsh").click()
    look(page, "person")
    page.goto("/console/people/invite")
    page.get_by_role("button", name="Send the invitation").click()
    look(page, "invite-errors")
    page.get_by_role("link", name="Enter their e-mail address").click()
    assert page.evaluate("document.activeElement.id") == "email"
    page.goto("/console/keys/new")
    page.get_by_label("What is the key for?").fill("SIEM, production")
    page.get_by_role("button", name="Make the key").click()
    look(page, "key-made")
    page.get_by_role("button", name="I have kept it").click()
    page.get_by_role("link", name="SIEM, production").click()
    look(page, "key")
    page.get_by_role("button", name="End the key now").click()
    expect(page.get_by_text("has ended")).to_be_visible()
    look(page, "keys-notice")


def test_every_page_of_an_administrator(served: LiveHub, page: Page, look: Look) -> None:
    person = add_person(served, f"ada.{next(numbers)}@hub.test", ["administrator"], name="Ada Moss")
    sign_in(page, person.email, person.code)
    look(page, "overview-administrator")
    for path, name in (("/console/staff", "staff"), ("/console/staff/invite", "staff-invite")):
        page.goto(path)
        look(page, name)


def test_the_pages_work_without_javascript(served: LiveHub, chromium: object) -> None:
    from playwright.sync_api import Browser

    assert isinstance(chromium, Browser)
    person = add_person(served, f"no.script.{next(numbers)}@hub.test", ["auditor"])
    context = chromium.new_context(base_url=served.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, person.email, person.code)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    context.close()


def sign_in(page: Page, email: str, code: str) -> None:
    """Sign in by the pages."""
    page.goto("/console/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", level=1).wait_for()
