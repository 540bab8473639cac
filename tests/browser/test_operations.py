"""The operations pages in Chromium: axe finds nothing, nothing is cut off, each is light."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from hub.auth import Role
from hub.feeds import catalogue
from tests.browser.conftest import ON_A_PHONE, let_in
from tests.live import LiveHub, TestMember
from tests.operations import id_of, tell
from tests.people import PASSWORD, add_person

Look = Callable[[Page, str], None]
numbers = count(1)
# A page with its style sheet, in bytes.
HEAVIEST = 150 * 1024
SHARED = "/taxii2/plain/collections/shared/objects/"


# Once for the shared hub: a module's fixture is made again where a worker comes back to the module.
@pytest.fixture(scope="session")
def bank(served: LiveHub) -> Iterator[TestMember]:
    """A member; feeds, held and refused values and polls are there with it."""
    bank = served.add_member("First Bank", groups=("banks",), roles=("reader", "contributor"))
    served.add_member("Quiet Insurance", "insurer", groups=("banks",), roles=("contributor",), anonymous=True)
    tell(served, "".join(f"d{number}.operations.example\n" for number in range(60)), "public-list")
    tell(served, "d1.operations.example\nsecret.operations.example\n", bank, "amber", ("banks",))
    tell(served, "".join(f"10.3.0.{number}\n" for number in range(40)), "held-list")
    broken = {"type": "indicator", "id": "indicator--00000000-0000-4000-8000-000000000001", "spec_version": "2.1"}
    media = {"Content-Type": "application/taxii+json;version=2.1"}
    assert served.request("POST", SHARED, bank, json={"objects": [broken]}, headers=media).status_code == 202
    assert served.get("/taxii2/plain/collections/cyber/objects/", bank).status_code == 200
    with served.hub.database.unit_of_work() as session:
        entry = {"protocol": "http", "url": "http://127.0.0.1:1/x", "tlp": "clear", "every": "6h", "licence": "CC0"}
        catalogue.add(session, {"name": "far-away", "enabled": False, **entry})
    yield bank


def sign_in(served: LiveHub, context: BrowserContext, *roles: Role) -> Page:
    """A tab of somebody of the hub's staff."""
    let_in(served, context, add_person(served, f"staff-{next(numbers)}@hub.test", roles, name="Wren Cole"))
    return context.new_page()


def visit(served: LiveHub, page: Page, look: Look, pages: dict[str, str]) -> None:
    """Look at pages, name by name."""
    style = len(served.get("/console/static/console.css").content)
    for name, path in pages.items():
        answer = page.goto(path)
        assert answer is not None and answer.status == 200, f"{name}: {answer and answer.status}"
        assert len(answer.body()) + style < HEAVIEST, f"{name} is too heavy: {len(answer.body())} + {style}"
        look(page, name)


def test_the_analysts_pages(served: LiveHub, context: BrowserContext, look: Look, bank: TestMember) -> None:
    page = sign_in(served, context, Role.ANALYST)
    one = f"/console/indicators/{id_of(served, 'd1.operations.example')}"
    with served.hub.database.reading() as session:
        held = session.connection().exec_driver_sql("SELECT MAX(id) FROM quarantined").scalar_one()
    visit(
        served, page, look,
        {
            "overview": "/console/", "indicators": "/console/indicators", "indicator": one,
            "seen": f"{one}/seen?member={bank.member_id}", "quarantine": "/console/quarantine",
            "held-value": f"/console/quarantine/{held}", "refused": "/console/refused", "feeds": "/console/feeds",
            "feed": "/console/feeds/far-away", "collections": "/console/collections", "groups": "/console/groups",
            "group": "/console/groups/1", "members": "/console/members", "member": f"/console/members/{bank.member_id}",
        },
    )  # fmt: skip
    page.goto("/console/indicators")
    page.get_by_label("Value or id").fill("hxxp://d2[.]operations[.]example")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing fits.").or_(page.get_by_text("d2.operations.example")).first).to_be_visible()
    page.get_by_label("Value or id").fill("d2[.]operations[.]example")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="d2.operations.example").click()
    expect(page.get_by_role("heading", level=1, name="d2.operations.example")).to_be_visible()
    expect(page.get_by_text("Holds", exact=True).first).to_be_visible()
    refused = page.goto("/console/refused")
    assert refused is not None
    page.get_by_role("link", name="UTC").first.click()
    look(page, "refused-submission")


@ON_A_PHONE
def test_values_are_released_by_their_boxes(
    served: LiveHub, context: BrowserContext, look: Look, bank: TestMember
) -> None:
    page = sign_in(served, context, Role.ANALYST)
    page.goto("/console/quarantine")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("link", name="Choose at least one value")).to_be_visible()
    look(page, "quarantine-refused")
    page.get_by_role("link", name="Choose at least one value").click()
    assert page.evaluate("document.activeElement.name") == "entry"
    value = page.locator("th a").first.inner_text()
    page.get_by_label(value).check(force=True)
    page.get_by_label("Reason for what is chosen").fill("it attacked two of us")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("1 value released")).to_be_visible()
    look(page, "quarantine-released")
    page.goto(f"/console/indicators?text={value}")
    expect(page.get_by_role("link", name=value)).to_be_visible()


def test_the_auditors_pages(served: LiveHub, context: BrowserContext, look: Look, bank: TestMember) -> None:
    page = sign_in(served, context, Role.AUDITOR)
    target = id_of(served, "d1.operations.example")
    visit(
        served, page, look,
        {
            "audit": "/console/audit", "audit-filtered": "/console/audit?action=member:", "event": "/console/audit/1",
            "disclosures": f"/console/audit/disclosures?id={target}", "polls": "/console/audit/disclosures",
        },
    )  # fmt: skip
    page.goto("/console/audit")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_text("is whole. It ends with")).to_be_visible()
    look(page, "audit-verified")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Export these as JSON lines").click()
    assert taken.value.suggested_filename.endswith(".jsonl")


def test_the_administrators_pages(served: LiveHub, context: BrowserContext, look: Look, bank: TestMember) -> None:
    page = sign_in(served, context, Role.ADMINISTRATOR)
    visit(served, page, look, {"overview-administrator": "/console/", "collection-new": "/console/collections/new"})
    page.get_by_role("button", name="Add the collection").click()
    look(page, "collection-refused")
    alias = f"made-{next(numbers)}"
    page.get_by_label("Alias").fill(alias)
    page.get_by_label("Title").fill("Made in the browser")
    page.get_by_label("Reason").fill("the board asked for it")
    page.get_by_role("button", name="Add the collection").click()
    expect(page.get_by_text(f"The collection {alias} is there")).to_be_visible()
    page.get_by_role("link", name=alias, exact=True).click()
    look(page, "collection")


@ON_A_PHONE
def test_an_administrator_sets_a_members_sign_in(
    served: LiveHub, context: BrowserContext, look: Look, bank: TestMember
) -> None:
    page = sign_in(served, context, Role.ADMINISTRATOR)
    page.goto(f"/console/members/{bank.member_id}")
    page.get_by_role("link", name="Sign-in through its own provider").click()
    page.get_by_role("button", name="Set the provider").click()
    page.get_by_role("link", name="Enter the issuer").click()
    assert page.evaluate("document.activeElement.name") == "issuer"
    look(page, "provider-refused")
    page.get_by_label("Issuer").fill("https://login.bank.example/realms/staff")
    page.get_by_label("Client id").fill("hub")
    page.get_by_label("Client secret").fill("very-secret")
    page.get_by_label("E-mail domains that it vouches for").fill("bank.example")
    page.get_by_label("Values of amr").fill("mfa")
    page.get_by_label("Reason").fill("their letter of Monday")
    page.get_by_label("Your present password").fill(PASSWORD)
    page.get_by_role("button", name="Set the provider").click()
    expect(page.get_by_text("The provider is set, and the primary contacts are told")).to_be_visible()
    expect(page.get_by_text("https://login.bank.example/realms/staff").first).to_be_visible()
    assert "very-secret" not in page.content()
    look(page, "provider")
    page.get_by_label("Reason").fill("it was bought")
    page.get_by_label("Your present password").fill(PASSWORD)
    page.get_by_role("button", name="Remove the provider").click()
    expect(page.get_by_text("The provider is removed, and the primary contacts are told")).to_be_visible()
    expect(page.get_by_text("By password, code and passkey")).to_be_visible()


def test_the_officers_pages(served: LiveHub, context: BrowserContext, look: Look, bank: TestMember) -> None:
    page = sign_in(served, context, Role.VETTING_OFFICER)
    visit(served, page, look, {"overview-officer": "/console/", "cases": "/console/cases"})
