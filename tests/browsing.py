"""What the tests of every page share: a real browser, a page that may do nothing wrong unseen, and a look at it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from conftest import ROOT

SHOTS = ROOT / "build/screenshots"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}
WIDTHS = (320, 768, 1280)
expect.set_options(timeout=60_000)  # a sheet takes seconds where many want the processor


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield browser
        browser.close()


@contextmanager
def opening(browser: Browser, own_url: str, index: str) -> Iterator[Callable[..., Page]]:
    """Opens pages; a script's error, a refusal of the policy or a request that goes elsewhere fails the test.

    `index` is the page's file under web/, for ALCOVE_WEB."""
    pages, troubles = [], []

    def open_one(before: Callable[[Page], None] | None = None, url: str = own_url, path: str = "", **context) -> Page:
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **context}).new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        # The browser itself notes every reply that is no success; the page shows those, and the tests look at that.
        page.on("console", lambda line: troubles.append(line.text) if line.type == "error" and not line.text.startswith("Failed to load resource") else None)
        page.on("request", lambda request: None if request.url.startswith((url, "blob:")) else troubles.append(request.url))
        page.set_default_timeout(60_000)
        if "ALCOVE_WEB" in os.environ:
            serve_from(page, url, Path(os.environ["ALCOVE_WEB"]), index)
        if before:
            before(page)
        page.goto(url + path)
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        page.context.close()
    assert troubles == []


def serve_from(page: Page, url: str, folder: Path, index: str) -> None:
    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(url).split("?")[0].lstrip("/") or index
        file = folder / path
        if file.is_file():
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        else:
            route.fallback()
    page.route(f"{url}/**", serve)


class Look:
    """What every state of a page has to be: at home in any width and theme, and open to everybody."""

    axe = AXE_FILE_PATH.read_text()

    def __call__(self, page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        twice = page.evaluate("() => { const ids = [...document.querySelectorAll('[id]')].map((each) => each.id); return ids.filter((id, at) => ids.indexOf(id) !== at); }")
        assert twice == [], f"{name} has two elements of one id"
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
