"""A real browser (Chromium) in front of a real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.engines import SQLite
from tests.live import LiveHub, serving
from tests.needs import program
from tests.people import COOKIE, TestPerson, session_of

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
# What an automatic check can say about WCAG 2.2 AA, and axe's own good practice.
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    # The rest of its findings is not looked at, and costs most of its time.
    "resultTypes": ["violations"],
}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; where there is none the tests are skipped, or fail in CI."""
    # The shell is the same engine without a browser's windows, which nobody sees and which cost a third of its time.
    others = (shutil.which(name) for name in ("chromium-headless-shell", "chromium-browser"))
    path = next(filter(None, others), None) or program("chromium", "a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub behind a real server, shared by all: name members, people and values apart."""
    with sqlite.migrated() as url, serving(url, tmp_path_factory.mktemp("browser")) as hub:
        yield hub


@pytest.fixture(scope="session")
def named(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """Another at localhost: a bare address has no passkeys, and a provider at 127.0.0.1 is another site."""
    with sqlite.migrated() as url, serving(url, tmp_path_factory.mktemp("named"), host="localhost") as hub:
        yield hub


@pytest.fixture(params=SIZES)
def context(request: pytest.FixtureRequest, chromium: Browser, served: LiveHub) -> Iterator[BrowserContext]:
    """A browser of one's own on a desktop and on a phone, without JavaScript for the pages."""
    context = chromium.new_context(
        viewport=SIZES[request.param], base_url=served.url, bypass_csp=True, locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab."""
    return context.new_page()


def let_in(hub: LiveHub, context: BrowserContext, person: TestPerson) -> None:
    """Have a browser signed in at once; test_signing_in.py goes the whole way."""
    context.add_cookies([{"name": COOKIE, "value": session_of(hub, person), "url": f"{hub.url}/console/"}])


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Check a page as it stands: axe finds nothing, nothing is cut off; keep a picture where TEST_PICTURES says."""
    axe = Axe()
    folder = os.environ.get("TEST_PICTURES")

    def check(page: Page, name: str) -> None:
        # A click returns once the next page has begun to come: axe would find a document without its root.
        page.wait_for_load_state()
        found = axe.run(page, options=RULES)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        width = page.viewport_size["width"] if page.viewport_size else 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the screen"
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)

    return check
