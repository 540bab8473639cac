"""Takes the pictures of the console that stand in docs/pictures: ``python -m tests.browser.pictures``.

It makes a fresh demonstration, signs in as its people with password and authenticator code, and looks at the
main pages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.live import ROOT, free_port

FOLDER = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
STARTS_IN = 60
# Who looks, the picture's name, the page (a path, or the link to follow on the page before), the height that is shown.
LOOKS = (
    ("wren.cole@hub.example", "overview", "/console/", 1500),
    ("wren.cole@hub.example", "indicators", "/console/indicators?text=parcel", 900),
    ("wren.cole@hub.example", "indicator", "main tbody a", 1500),
    ("wren.cole@hub.example", "quarantine", "/console/quarantine", 1000),
    ("wren.cole@hub.example", "feeds", "/console/feeds", 900),
    ("olu.fenn@hub.example", "cases", "/console/cases", 1300),
    ("olu.fenn@hub.example", "case", "text=Kestrel Insurance", 1500),
    ("ines.hart@hub.example", "audit", "/console/audit", 1000),
    ("jo.quill@northbank.example", "filings", "/console/filings", 900),
    ("jo.quill@northbank.example", "checks", "/console/checks", 900),
    ("jo.quill@northbank.example", "check", "main tbody a", 1400),
    ("jo.quill@northbank.example", "connection", "/console/connection", 1500),
    ("jo.quill@northbank.example", "keys", "/console/keys", 800),
)


@contextmanager
def demonstration() -> Iterator[tuple[str, Path]]:
    """A served demonstration: (its address, its data folder)."""
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"http://127.0.0.1:{free_port()}"
        environment = os.environ | {"HUB_DATA_DIR": name, "HUB_BASE_URL": url}
        command = [sys.executable, "-m", "hub.cli"]
        subprocess.run([*command, "init", "--demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen([*command, "serve", "--bind", url.removeprefix("http://")], env=environment)
        try:
            _wait(url)
            yield url, folder
        finally:
            server.terminate()
            server.wait()


def _wait(url: str) -> None:
    until = time.monotonic() + STARTS_IN
    while time.monotonic() < until:
        try:
            if requests.get(f"{url}/readyz", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise TimeoutError("the demonstration does not answer")


def sign_in(browser: Browser, url: str, person: dict[str, str]) -> Page:
    """A tab of a demonstration person."""
    page = browser.new_context(viewport=SIZE, base_url=url, locale="en-GB", timezone_id="UTC").new_page()
    page.goto("/console/sign-in")
    page.get_by_label("E-mail address").fill(person["email"])
    page.get_by_label("Password", exact=True).fill(person["password"])
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("Code").fill(pyotp.TOTP(person["key"]).now())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/console/")
    return page


def take() -> None:
    """Take every picture."""
    FOLDER.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with demonstration() as (url, folder), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        known = {one["email"]: one for one in json.loads((folder / "demo-people.json").read_bytes())}
        pages: dict[str, Page] = {}
        for email, name, target, height in LOOKS:
            page = pages.get(email) or pages.setdefault(email, sign_in(browser, url, known[email]))
            if target.startswith("/"):
                page.goto(target)
            else:
                page.locator(target).first.click()
            page.set_viewport_size({"width": SIZE["width"], "height": height})
            page.screenshot(path=FOLDER / f"{name}.png")
            print(f"{name}.png {page.url.removeprefix(url)}")
        browser.close()


if __name__ == "__main__":
    take()
