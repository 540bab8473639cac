"""Sign-in through an organisation in Chromium. Its provider is another site: a test of cookies and policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.members import providers
from hub.members.providers import Configuration
from tests.live import LiveHub
from tests.oidc_provider import CLIENT, SECRET, Provider, running
from tests.people import add_person


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, named: LiveHub) -> Iterator[Page]:
    context = chromium.new_context(base_url=named.url, java_script_enabled=False)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("trusted", [False, True])
def test_there_and_back_without_script(named: LiveHub, provider: Provider, page: Page, trusted: bool) -> None:
    name = f"Site Bank {trusted}"
    member, domain = named.add_member(name), f"site{trusted}.test".lower()
    given = Configuration(provider.issuer, CLIENT, SECRET, (domain,), amr=("mfa",) if trusted else ())
    with named.hub.database.unit_of_work() as session:
        path = providers.configure(session, named.hub.vault, name, given, "operator").path
    person = add_person(named, f"ann@{domain}", ["reader"], member.member_id, name="Ann Hale")
    provider.tell(email=person.email, subject=f"ann{trusted}", amr=["mfa"])
    page.goto(f"{path}?next=/console/account")
    if not trusted:
        expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")
        page.get_by_label("Code").fill(person.code)
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    expect(page.get_by_role("region", name="Where you are signed in")).to_contain_text("organisation")
    assert not [one for one in page.context.cookies() if one["name"] == "hub-organisation"]
