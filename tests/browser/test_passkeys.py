"""Passkeys in Chromium, with its virtual authenticator (the WebAuthn domain of the DevTools protocol)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect
from sqlalchemy import select

from hub.audit.records import AuditEvent
from hub.members.sign_in_records import Passkey, SpentChallenge
from tests.browser.conftest import let_in
from tests.browser.test_signing_in import press, sign_in, type_into
from tests.live import LiveHub
from tests.people import PASSWORD, TestPerson, add_person

numbers = count(1)
AUTHENTICATOR = {
    "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def context(chromium: Browser, named: LiveHub) -> Iterator[BrowserContext]:
    """A browser that keeps to the pages' content security policy."""
    context = chromium.new_context(base_url=named.url)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab whose console must stay silent: a refusal by the policy would be written there."""
    tab = context.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("response", lambda answer: said.append(answer.url) if answer.status >= 500 else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    yield tab
    assert not [line for line in said if "400" not in line], said


@pytest.fixture
def authenticator(page: Page) -> CDPSession:
    """An authenticator that always finds its user there, and the right one."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.authenticator = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})[
        "authenticatorId"
    ]
    return devtools


def credentials(authenticator: CDPSession) -> list[dict[str, object]]:
    return authenticator.send("WebAuthn.getCredentials", {"authenticatorId": authenticator.authenticator})[
        "credentials"
    ]


def enrol(page: Page, name: str) -> None:
    page.goto("/console/account/passkeys/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_text("The passkey is added")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have signed out")


def someone(hub: LiveHub) -> TestPerson:
    number = next(numbers)
    member = hub.add_member(f"Key Bank {number}")
    return add_person(hub, f"key.{number}@bank.test", ["reader"], member.member_id, name="Kit Moss")


def why_refused(hub: LiveHub) -> str:
    with hub.hub.database.reading() as session:
        last = select(AuditEvent).where(AuditEvent.action == "session:refused").order_by(AuditEvent.id.desc())
        return str(json.loads(session.scalars(last.limit(1)).one().detail)["why"])


def test_enrol_sign_in_and_remove(named: LiveHub, page: Page, authenticator: CDPSession) -> None:
    person = someone(named)
    let_in(named, page.context, person)
    enrol(page, "Work laptop")
    (held,) = credentials(authenticator)
    assert (held["isResidentCredential"], held["rpId"]) == (True, "localhost")
    sign_out(page)
    page.goto("/console/sign-in?next=/console/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    assert page.url.endswith("/console/account")
    row = page.get_by_role("region", name="Where you are signed in")
    expect(row).to_contain_text("passkey")
    with named.hub.database.reading() as session:
        kept = session.scalars(select(Passkey).where(Passkey.person_id == person.person_id)).one()
    assert kept.sign_count > 0
    assert kept.last_used_at is not None
    page.get_by_role("button", name="Remove the passkey Work laptop").click()
    expect(page.get_by_text("has been removed")).to_be_visible()
    sign_out(page)
    page.goto("/console/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="could not be used")).to_be_visible()
    assert why_refused(named) == "passkey: unknown passkey"


def test_a_passkey_instead_of_the_code(named: LiveHub, page: Page, authenticator: CDPSession) -> None:
    person = someone(named)
    let_in(named, page.context, person)
    enrol(page, "Phone")
    sign_out(page)
    page.goto("/console/sign-in")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Key Bank")


def test_by_keyboard_alone(named: LiveHub, page: Page, authenticator: CDPSession) -> None:
    person = someone(named)
    page.goto("/console/sign-in")
    type_into(page, "E-mail address", person.email)
    type_into(page, "Password", PASSWORD)
    press(page, "Continue")
    type_into(page, "Code", person.code)
    press(page, "Sign in")
    page.goto("/console/account/passkeys/new")
    type_into(page, "Name", "Key")
    type_into(page, "Password", PASSWORD)
    press(page, "Add the passkey")
    press(page, "Sign out")
    press(page, "Sign in again")
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Key Bank")


def test_an_authenticator_that_does_not_know_its_user_is_not_enough(
    named: LiveHub, page: Page, authenticator: CDPSession
) -> None:
    person = someone(named)
    let_in(named, page.context, person)
    enrol(page, "Key")
    sign_out(page)
    authenticator.send(
        "WebAuthn.setUserVerified", {"authenticatorId": authenticator.authenticator, "isUserVerified": False}
    )
    page.goto("/console/sign-in")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    expect(page.get_by_text("No passkey was used")).to_be_hidden()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used")).to_be_visible()
    assert page.url.endswith("/console/sign-in")


def test_a_copied_authenticator_is_noticed(named: LiveHub, page: Page, authenticator: CDPSession) -> None:
    """The counter does not rise, though the signature is right."""
    person = someone(named)
    let_in(named, page.context, person)
    enrol(page, "Key")
    sign_out(page)
    with named.hub.database.unit_of_work() as session:
        session.scalars(select(Passkey).where(Passkey.person_id == person.person_id)).one().sign_count = 1_000
    page.goto("/console/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="could not be used")).to_be_visible()
    assert "may be a copy" in why_refused(named)


def test_an_answer_is_good_once_and_in_its_own_browser(
    named: LiveHub, chromium: Browser, page: Page, authenticator: CDPSession
) -> None:
    person = someone(named)
    let_in(named, page.context, person)
    enrol(page, "Key")
    sign_out(page)
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.post_data) if "passkey" in request.url else None)
    page.goto("/console/sign-in")
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Key Bank")
    (body,) = [answer for answer in answers if answer]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    jar = {cookie["name"]: cookie["value"] for cookie in cookies}
    again = named.request("POST", "/console/sign-in/passkey", data=body, headers=headers, cookies=jar)
    assert (again.status_code, why_refused(named)) == (400, "passkey: challenge")
    with named.hub.database.reading() as session:
        assert session.scalars(select(SpentChallenge)).first() is not None
    foreign = chromium.new_context(base_url=named.url)
    other = foreign.new_page()
    other.goto("/console/sign-in")
    token = other.locator("input[name=csrf_token]").first.input_value()
    stolen = {cookie["name"]: cookie["value"] for cookie in foreign.cookies()}
    fields = f"csrf_token={token}&{body.split('&', 1)[1]}"
    refused = named.request("POST", "/console/sign-in/passkey", data=fields, headers=headers, cookies=stolen)
    assert (refused.status_code, why_refused(named)) == (400, "passkey: challenge")
    foreign.close()


def test_without_script_everything_else_works(named: LiveHub, chromium: Browser) -> None:
    person = someone(named)
    context = chromium.new_context(base_url=named.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/console/sign-in")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    sign_in(page, person.email, person.code)
    page.goto("/console/account/passkeys/new")
    expect(page.get_by_role("button", name="Add the passkey")).to_be_hidden()
    expect(page.get_by_text("needs a browser that runs JavaScript")).to_be_visible()
    context.close()


def test_the_script_runs_on_the_pages_that_need_it_only(named: LiveHub) -> None:
    for path, runs in (("/console/sign-in", True), ("/console/forgotten", False), ("/console/apply", False)):
        answer = named.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert ("script-src 'nonce-" in policy) is runs
        assert "unsafe" not in policy
        assert answer.text.count("<script") == (1 if runs else 0)
        assert policy.startswith("default-src 'none';")
    served = named.get("/console/static/passkeys.js")
    assert served.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_pages_pass_axe(named: LiveHub, chromium: Browser, look: Callable[[Page, str], None]) -> None:
    person = someone(named)
    context = chromium.new_context(base_url=named.url, bypass_csp=True)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    let_in(named, context, person)
    enrol(page, "Work laptop")
    for path, name in (
        ("/console/account", "account-passkey"),
        ("/console/account/passkeys/new", "new-passkey"),
    ):
        page.goto(path)
        look(page, name)
    sign_out(page)
    page.goto("/console/sign-in/organisation")
    look(page, "sign-in-organisation")
    page.goto("/console/sign-in")
    look(page, "sign-in-passkey")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    look(page, "code-passkey")
    context.close()
