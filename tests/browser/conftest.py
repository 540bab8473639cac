"""A real browser (Chromium) in front of a real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.engines import SQLite
from tests.live import LiveHub, serving
from tests.needs import program
from tests.people import COOKIE, TestPerson, session_of

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
ON_A_PHONE = pytest.mark.parametrize("context", ["phone"], indirect=True)
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
# Only what is looked at travels.
VIOLATIONS = "async rules => ({violations: (await axe.run(rules)).violations})"
# Controls that a finger or a mouse does not hit, since something lies above them. Those for screen readers alone have
# no more than a pixel.
OUT_OF_REACH = """() => {
    const controls = document.querySelectorAll("a[href], button, input, select, textarea, summary");
    const covered = [...controls].filter(one => {
        one.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
        const box = one.checkVisibility({visibilityProperty: true}) ? one.getClientRects()[0] : null;
        if (!box || box.width <= 1 || box.height <= 1) return false;
        const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return !hit || !(one.contains(hit) || hit.closest("label")?.control === one);
    });
    scrollTo(0, 0);
    return covered.map(one => one.outerHTML.slice(0, 200));
}"""


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


@pytest.fixture
def context(request: pytest.FixtureRequest, chromium: Browser, served: LiveHub) -> Iterator[BrowserContext]:
    """A browser of one's own, on a desktop or ON_A_PHONE; ``look`` looks at its pages at both sizes."""
    size = getattr(request, "param", "desktop")
    context = chromium.new_context(
        viewport=SIZES[size], base_url=served.url, bypass_csp=True, locale="en-GB", timezone_id="UTC"
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
    # As the hub sets it: at another path it would be a second one, which no sign-out takes away.
    place = {"domain": urlsplit(hub.url).hostname, "path": "/console"}
    context.add_cookies([{"name": COOKIE, "value": session_of(hub, person), **place}])


@pytest.fixture
def look() -> Callable[[Page, str], None]:
    """Check a page as it stands, on a desktop and on a phone: axe finds nothing, nothing is cut off or out of reach.

    Keeps pictures in the folder that TEST_PICTURES names.
    """
    axe = Axe()
    folder = os.environ.get("TEST_PICTURES")

    def check(page: Page, name: str) -> None:
        # A click returns once the next page has begun to come: axe would find a document without its root.
        page.wait_for_load_state()
        page.evaluate(axe.axe_script)
        given = page.viewport_size
        # The size that the page has comes last, so that it stays.
        for size in sorted(SIZES.values(), key=lambda one: one == given):
            if size != page.viewport_size:
                page.set_viewport_size(size)
            _check(page, f"{name} at {size['width']}")
            if folder:
                page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)
        if page.viewport_size != given:
            page.set_viewport_size(given)

    return check


def _check(page: Page, name: str) -> None:
    found = AxeResults(page.evaluate(VIOLATIONS, RULES))
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the screen"
    assert page.evaluate(OUT_OF_REACH) == [], f"{name} has controls that cannot be pressed"
