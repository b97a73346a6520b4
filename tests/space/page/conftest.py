"""The page in a real browser, against the real server. Screenshots are left in build/screenshots.

ALCOVE_WEB=web serves the page's files from that folder instead of the program, so that work on them needs no build.
"""

import copy
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, Route, sync_playwright

from conftest import ROOT

SHOTS = ROOT / "build/screenshots"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}
WIDTHS = (320, 768, 1280)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, server):
    """Opens the page; a script's error, a refusal of the policy or a request that goes elsewhere fails the test."""
    pages, troubles = [], []

    def open_one(before: Callable[[Page], None] | None = None, url: str = server.url, **context) -> Page:
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **context}).new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        # The browser itself notes every reply that is no success; the page shows those, and the tests look at that.
        page.on("console", lambda line: troubles.append(line.text) if line.type == "error" and not line.text.startswith("Failed to load resource") else None)
        page.on("request", lambda request: None if request.url.startswith((url, "blob:")) else troubles.append(request.url))
        page.set_default_timeout(60_000)
        if "ALCOVE_WEB" in os.environ:
            serve_from(page, url, Path(os.environ["ALCOVE_WEB"]))
        if before:
            before(page)
        page.goto(url)
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        page.context.close()
    assert troubles == []


def serve_from(page: Page, url: str, folder: Path) -> None:
    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(url).split("?")[0].lstrip("/") or "sheet/index.html"
        file = folder / path
        if file.is_file():
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        else:
            route.fallback()
    page.route(f"{url}/**", serve)


@pytest.fixture(scope="session")
def reading(server) -> dict:
    """What the server says about the page's first sample."""
    sample = (ROOT / "web/sheet/sample.jpg").read_bytes()
    reply = requests.post(server.url + "/extract", files={"file": ("sample.jpg", sample)}, timeout=120)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def sure(reading: dict) -> dict:
    """The same, with every character certain."""
    made = copy.deepcopy(reading)
    for box in made["boxes"]:
        box["confidence"] = 0.99
        for symbol in box["symbols"]:
            symbol["confidence"] = 0.99
    return {**made, "confidence": 0.99, "reasons": []}


@pytest.fixture
def doubtful(sure: dict) -> dict:
    """The same, with one character that may be another."""
    made = copy.deepcopy(sure)
    box = next(box for box in made["boxes"] if box["field"] == "register_number")
    box["symbols"][3].update(confidence=0.52, alternatives=[{"value": "8", "confidence": 0.31}])
    return made


@pytest.fixture(scope="session")
def sheet_files(tmp_path_factory: pytest.TempPathFactory):
    """So many copies of the sample under names of their own."""
    def make(count: int) -> list[Path]:
        folder = tmp_path_factory.mktemp("sheets")
        sample = (ROOT / "web/sheet/sample.jpg").read_bytes()
        files = [folder / f"sheet {number}.jpg" for number in range(1, count + 1)]
        for file in files:
            file.write_bytes(sample)
        return files
    return make


class Look:
    """What every state of the page has to be: at home in any width and theme, and open to everybody."""

    axe = AXE_FILE_PATH.read_text()

    def __call__(self, page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 640 if width == 320 else 860})
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways at {width} px"
                if width != 768:
                    assert self.violations(page) == [], f"{name} at {width} px, {theme}"
                page.screenshot(path=SHOTS / f"{name}-{width}-{theme}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 860})
        page.emulate_media(color_scheme="light")

    def violations(self, page: Page) -> list[str]:
        page.evaluate(self.axe)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        return [f"{rule['id']}: {node['html']} {json.dumps([each['data'] for each in node['any']])}" for rule in found
                if rule["impact"] in ("serious", "critical") for node in rule["nodes"]]


@pytest.fixture(scope="session")
def look() -> Look:
    return Look()
