"""The page by keyboard alone, with less motion, in a chosen theme; and what it weighs."""

import requests
from playwright.sync_api import Page, expect

from conftest import ROOT

WEB = ROOT / "web"


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def has_ring(page: Page) -> bool:
    return page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")


def test_a_sheet_is_read_and_looked_at_by_keyboard_alone(open_page, doubtful):
    page = open_page(before=lambda page: page.route("**/extract*", lambda route: route.fulfill(json=doubtful)))
    expect(page.locator("#state")).to_have_attribute("data-phase", "ready")
    reached = []
    while focused(page) != "sample":
        page.keyboard.press("Tab")
        assert has_ring(page), f"no ring around {focused(page)}"
        reached.append(focused(page))
        assert len(reached) < 20, reached
    assert {"Skip to the sheets", "theme", "help", "choose", "folder"} <= set(reached)
    page.keyboard.press("Enter")
    expect(page.locator(".strip canvas")).to_have_count(2)
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"))
        if "Copy curl" in reached:
            break
        assert has_ring(page), reached
    for wanted in ("Enlarge", "The page; Z enlarges it", "Copy register number", "Copy subject code", "Copy JSON", "Copy curl"):
        assert wanted in reached, reached
    assert any(name.startswith("Character 4: ") and "52 %" in name for name in reached), "a doubtful character can be asked"


def test_the_keys_that_do_something_now_are_listed(open_page, look, sure):
    page = open_page(before=lambda page: page.route("**/extract*", lambda route: route.fulfill(json=sure)))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Try a sample")
    expect(dialog).not_to_contain_text("Enlarge")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator(".verdict.read")).to_be_visible()
    page.keyboard.press("?")
    expect(dialog).to_contain_text("Enlarge")
    look(page, "keys")
    page.keyboard.press("Escape")
    narrow = page.locator(".page").bounding_box()["width"]
    page.keyboard.press("z")
    assert page.locator(".page").bounding_box()["width"] > 2 * narrow
    page.get_by_role("button", name="Shrink").click()
    assert page.locator(".page").bounding_box()["width"] == narrow
    page.get_by_role("button", name="Enlarge").click()
    assert page.locator(".page").bounding_box()["width"] > 2 * narrow


def test_the_theme_is_chosen_and_remembered(open_page):
    page = open_page()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.keyboard.press("t")
    page.keyboard.press("t")
    dark = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.evaluate(ground) == dark
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("t")
    assert page.evaluate(ground) == dark, "auto follows the system"


def test_nothing_moves_for_those_who_asked_for_it(open_page):
    page = open_page(reduced_motion="reduce", before=lambda page: page.route("**/extract*", lambda route: None))
    page.click("#sample")
    expect(page.locator(".paper.busy canvas")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


def test_the_page_is_light(open_page, server):
    """All that a browser asks for until it shows the page, as it comes over the wire; and all of the page's own files."""
    sent = {}
    page = open_page(before=lambda page: page.on("response", lambda reply: sent.setdefault(reply.url, reply)))
    expect(page.locator("#state")).to_have_attribute("data-phase", "ready")
    page.wait_for_load_state("networkidle")
    own = {str(file.relative_to(WEB)) for folder in ("shared", "sheet") for file in (WEB / folder).iterdir()
           if file.suffix in (".html", ".css", ".js", ".svg")}
    asked = {url.removeprefix(server.url + "/") for url in sent}
    assert own - asked <= {"sheet/index.html", "sheet/icon.svg"} and "" in asked
    assert sum(weight_of(server, url) for url in sent) < 60_000
    assert sum(weight_of(server, f"{server.url}/{file}") for file in own) < 30_000


def weight_of(server, url: str) -> int:
    reply = requests.get(url, headers={"Accept": "text/html", "Accept-Encoding": "gzip"}, stream=True, timeout=10)
    assert reply.status_code == 200, url
    return len(reply.raw.read(decode_content=False))


def test_every_file_of_the_page_is_in_the_program(server):
    for file in (each.relative_to(WEB) for folder in ("shared", "sheet") for each in (WEB / folder).iterdir()):
        assert requests.get(f"{server.url}/{file}", timeout=10).content == (WEB / file).read_bytes(), file
