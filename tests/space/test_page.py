"""The page in a real browser, against the real server. Screenshots are left in build/screenshots."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from conftest import ROOT

SAMPLES = ROOT / "samples/sheets"
SHOTS = ROOT / "build/screenshots"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, server):
    """Opens the page; a script error or a request that goes elsewhere fails the test."""
    pages, troubles = [], []

    def open_one(before=None, **context) -> Page:
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **context}).new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith((server.url, "blob:", "data:")) else troubles.append(request.url))
        page.set_default_timeout(60_000)
        if before:
            before(page)
        page.goto(server.url)
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        page.context.close()
    assert troubles == []


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def no_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def value_of(page: Page, field: str) -> str:
    return page.locator(f".field.{field} .symbols .unseen").inner_text().split(";")[0]


@pytest.mark.parametrize("look", [{}, PHONE, {"viewport": {"width": 320, "height": 640}}, {"color_scheme": "dark"}],
                         ids=["desktop", "phone", "narrow", "dark"])
def test_the_sample_shows_its_boxes_and_its_text(open_page, look, request):
    page = open_page(**look)
    expect(page.locator("#state")).to_have_attribute("data-phase", "ready")
    assert no_sideways_scroll(page)
    shoot(page, f"empty-{request.node.callspec.id}")
    page.click("#sample")
    expect(page.locator(".verdict")).to_be_visible(timeout=60_000)
    reply = json.loads(page.locator("details pre").text_content())
    assert reply["register_number"] and reply["subject_code"], "the page's sample is one that is read"
    expect(page.locator(".frame:not(.other)")).to_have_count(2)
    expect(page.locator(".cutout")).to_have_count(2)
    assert value_of(page, "register_number") == reply["register_number"]
    assert value_of(page, "subject_code") == reply["subject_code"]
    expect(page.locator(".sure").first).to_contain_text("%")
    assert no_sideways_scroll(page)
    shoot(page, f"read-{request.node.callspec.id}")


def test_a_pdf_is_shown_though_the_browser_cannot_draw_it(open_page, samples):
    page = open_page()
    page.set_input_files("#files", SAMPLES / "clean-slip.pdf")
    expect(page.locator(".frame.register_number")).to_have_count(1, timeout=60_000)
    assert value_of(page, "register_number") == samples["clean-slip.pdf"]["register_number"]
    colours = page.evaluate("""() => {
      const canvas = document.querySelector(".page canvas");
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(pixels.filter((_, index) => index % 4 === 0)).size;
    }""")
    assert colours > 10, "the page is drawn, not blank"
    shoot(page, "pdf")


def test_several_files_are_read_in_order_and_the_keys_walk_them(open_page, tmp_path):
    page = open_page()
    renamed = tmp_path / "notes.jpg"
    renamed.write_text("not a picture")
    page.set_input_files("#files", [SAMPLES / "clean-band.jpg", renamed, SAMPLES / "clean-ledger.png"])
    expect(page.locator("#batch-text")).to_contain_text("3 of 3 done", timeout=120_000)
    names = page.locator(".row .name").all_inner_texts()
    assert names == ["clean-band.jpg", "notes.jpg", "clean-ledger.png"]
    expect(page.locator("#sheet-title")).to_have_text("clean-band.jpg")
    page.keyboard.press("j")
    expect(page.locator(".problem h2")).to_have_text("notes.jpg could not be read")
    shoot(page, "batch")


def test_an_error_says_which_file_why_and_what_to_do(open_page, tmp_path):
    page = open_page()
    renamed = tmp_path / "notes.jpg"
    renamed.write_text("not a picture")
    page.set_input_files("#files", renamed)
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("notes.jpg could not be read")
    expect(problem.locator(".todo")).to_contain_text("PDF, JPEG, PNG")
    expect(problem.locator("code")).to_contain_text("unknown_format")
    shoot(page, "error")


def test_a_locked_pdf_asks_for_its_password(open_page):
    page = open_page(**PHONE)
    page.set_input_files("#files", SAMPLES / "encrypted.pdf")
    expect(page.get_by_label("Password of the PDF")).to_be_visible()
    shoot(page, "password-phone")
    page.get_by_label("Password of the PDF").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("locked")


def test_waking_keeps_the_files_and_reads_them_when_the_reader_is_there(open_page):
    asleep = {"ready": False, "state": "loading", "error": "The reader is starting"}
    page = open_page(before=lambda page: page.route("**/status", lambda route: route.fulfill(json=asleep)))
    expect(page.locator("#notice-title")).to_have_text("The reader is starting")
    page.set_input_files("#files", SAMPLES / "clean-band.jpg")
    expect(page.locator("#notice-text")).to_contain_text("Your file is safe here")
    shoot(page, "waking")
    page.unroute("**/status")
    expect(page.locator(".verdict")).to_be_visible(timeout=60_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_offline_says_so(open_page):
    page = open_page()
    expect(page.locator("#state")).to_have_attribute("data-phase", "ready")
    page.route("**/*", lambda route: route.abort())
    page.set_input_files("#files", SAMPLES / "clean-band.jpg")
    expect(page.get_by_role("alert")).to_contain_text("The connection broke")
    shoot(page, "offline")
    page.unroute("**/*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".verdict")).to_be_visible(timeout=60_000)


def test_everything_is_reached_by_keyboard(open_page):
    page = open_page()
    expect(page.locator("#state")).to_have_attribute("data-phase", "ready")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"theme", "choose", "sample"} <= set(reached)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Try the sample")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator(".verdict")).to_be_visible(timeout=60_000)


def test_the_pages_own_weight(server):
    sent = sum(file.stat().st_size for file in (ROOT / "web").rglob("*") if file.is_file() and file.name != "sample.jpg")
    assert sent < 60_000
