"""The office's page in a real browser: a whole exam by keyboard, two reviewers, accounts, bad weather."""

import csv
import io
import json
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterator

import pytest
from browsing import opening
from conftest import ROOT
from gateway.kit import FakeSpace
from gateway.test_accounts import PASSWORD, setup_word
from gateway.test_review import LISTED, Office
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect

expect.set_options(timeout=60_000)
WIDTH, HEIGHT = 1000, 1400
BOX = {"register_number": (180, 300, 820, 370), "subject_code": (180, 430, 520, 500)}


def form(number: str, subject: str = "CS101", noise: int = 0) -> bytes:
    """A cover page that somebody filled in, with the number where the fake Space finds it."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (252, 251, 247))
    draw = ImageDraw.Draw(image)
    title, hand = ImageFont.load_default(42), ImageFont.load_default(54)
    draw.text((180, 120), "Answer booklet", fill=(40, 40, 60), font=title)
    draw.text((180, 255), "Register number", fill=(90, 90, 110), font=ImageFont.load_default(26))
    draw.text((180, 388), "Subject code", fill=(90, 90, 110), font=ImageFont.load_default(26))
    for field, text in (("register_number", number), ("subject_code", subject)):
        left, top, right, bottom = BOX[field]
        draw.rectangle((left, top, right, bottom), outline=(120, 120, 140), width=2)
        for index, letter in enumerate(text):
            draw.text((left + 20 + index * 50, top + 6 + (index * 7 + noise) % 5), letter, fill=(25, 40, 110), font=hand)
    for line in range(12):
        draw.line((180, 600 + line * 60, 820, 600 + line * 60), fill=(225, 225, 230), width=2)
    draw.text((180, 1330), f"No. {noise}", fill=(160, 160, 170), font=ImageFont.load_default(20))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def reply(number: str, subject: str, weak: int | None) -> dict:
    boxes = []
    for field, text in (("register_number", number), ("subject_code", subject)):
        symbols = [{"value": letter, "confidence": 0.55 if field == "register_number" and index == weak else 0.99,
                    "at": (45 + index * 50) / (BOX[field][2] - BOX[field][0]),
                    "alternatives": [{"value": str((int(letter) + 1) % 10), "confidence": 0.4}] if field == "register_number" and index == weak else []}
                   for index, letter in enumerate(text)]
        boxes.append({"field": field, "box": list(BOX[field]), "detection_confidence": 0.95, "value": text, "confidence": 0.96, "symbols": symbols,
                      "height": 70, "sharpness": 0.9})
    candidate = lambda text: [{"value": text, "confidence": 0.96, "detection_confidence": 0.95}]  # noqa: E731
    return {"success": True, "register_number": number, "subject_code": subject, "register_candidates": candidate(number),
            "subject_candidates": candidate(subject), "page": {"width": WIDTH, "height": HEIGHT, "number": 1, "of": 1}, "orientation": 0, "skew": 0,
            "boxes": boxes, "reasons": []}


class Desk(Office):
    """An office whose Space reads the forms made here, some of them with a doubt."""

    def __init__(self, gateway, space: FakeSpace):
        super().__init__(gateway)
        self.readings: dict[bytes, dict] = {}
        space.extract = lambda handler, content: space.send(handler, 200, json.dumps(self.readings[content]).encode())

    def sheet(self, number: str, misread: bool = False, noise: int = 0) -> bytes:
        content = form(number, noise=noise)
        # Like nobody's number on the list, and least unlike one that no other sheet has.
        read = f"98{number[2:-2]}55" if misread else number
        self.readings[content] = reply(read, "CS101", len(read) - 1 if misread else None)
        return content


@pytest.fixture
def desk(start_gateway, space) -> Desk:
    return Desk(start_gateway(space_url=space.url), space)


@pytest.fixture
def open_page(browser, desk) -> Iterator[Callable[..., Page]]:
    with opening(browser, desk.url, "gateway/index.html") as open_one:
        yield open_one


NAMES = ["Anbu K", "Arun J", "Divya R", "Meena V", "Farid H", "Grace O", "Hana S", "Ivan P", "Jonas W", "Kavya N"]


def class_list(tmp_path, count: int = 10):
    path = tmp_path / "class.csv"
    path.write_text("register_number,name,subject_code\n" + "".join(f"{LISTED[i]},{NAMES[i % 10]},CS101\n" for i in range(count)) + "=1+1,Nobody,CS101\n")
    return path


def test_a_whole_exam(desk, open_page, look, tmp_path):
    page = open_page()
    expect(page.locator("#state-text")).to_have_text("Ready")
    look(page, "office-intake-empty")
    page.goto(desk.url + "/#exam")
    expect(page.locator("#exams .big")).to_have_text("No sheets yet")
    page.locator("#list").set_input_files(class_list(tmp_path))
    expect(page.locator("#findings")).to_contain_text("10 people on it, 1 line left out")
    expect(page.get_by_role("button", name="Add this list")).to_be_focused()
    look(page, "office-class-list")
    page.get_by_role("button", name="Add this list").click()
    expect(page.locator("#toast")).to_contain_text("version 1")

    page.keyboard.press("g")
    expect(page.locator("#intake")).to_be_visible()
    sheets = [desk.sheet(LISTED[i], misread=i in (4, 5, 6), noise=i) for i in range(8)]
    page.locator("#files").set_input_files([{"name": f"scan-{i:03}.png", "mimeType": "image/png", "buffer": content} for i, content in enumerate(sheets)]
                                           + [{"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no sheet"}])
    expect(page.locator("#pace")).to_contain_text("8 of 9 sheets read · 1 failed")
    expect(page.locator(".row.failed")).to_contain_text("This is no picture and no PDF")
    expect(page.locator("#tally")).to_have_text("9All5Filed3To review1Failed0Duplicate")
    expect(page.locator(".row.filed").first).to_contain_text("Anbu K")
    look(page, "office-intake")
    expect(page.locator("#badge")).to_have_text("3")
    page.get_by_role("button", name="Remove notes.txt").click()
    expect(page.locator("#pace")).to_contain_text("8 of 8 sheets read · done")
    expect(page.locator("#tally")).to_have_text("8All5Filed3To review0Failed0Duplicate")
    expect(page.locator(".row")).to_have_count(8)

    page.keyboard.press("g")
    expect(page.locator("#left")).to_contain_text("3 left")
    expect(page.locator(".name")).to_have_count(5)
    expect(page.locator(".crop.register_number canvas")).to_be_visible()
    expect(page.locator(".cell.weak")).to_have_count(1)
    expect(page.locator(".cell.weak small")).to_have_text("or 6")
    expect(page.locator("#left")).to_have_text("3 left")
    expect(page.locator(".verbs button", has_text="Undo")).to_be_disabled()
    look(page, "office-review")
    # The page itself: enlarged, moved by hand and by the arrow keys, turned.
    page.keyboard.press("z")
    window = page.locator("#window")
    window.scroll_into_view_if_needed()
    expect(page.locator("#enlarge")).to_contain_text("Shrink")
    expect(page.locator(".frame.register_number")).to_be_in_viewport()
    box = window.bounding_box()
    place = "frame => [frame.scrollLeft, frame.scrollTop]"
    left, top = window.evaluate(place)
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 120)
    page.mouse.up()
    assert window.evaluate(place) == [left + 120, top + 80]
    window.focus()
    page.keyboard.press("ArrowDown")
    # The browser scrolls by and by; the page's own policy forbids Playwright's way of waiting for that.
    assert window.evaluate("""(frame, before) => new Promise((done) => {
        const look = (frames) => frame.scrollTop > before || frames === 0 ? done(frames > 0) : requestAnimationFrame(() => look(frames - 1));
        look(600);
    })""", top + 80)
    upright = page.locator(".frame.register_number").bounding_box()
    page.keyboard.press("r")
    expect(page.locator("#window canvas")).to_have_attribute("width", str(HEIGHT))
    expect(page.locator(".frame.register_number")).to_be_in_viewport()
    turned = page.locator(".frame.register_number").bounding_box()
    assert upright["width"] > upright["height"] and turned["width"] < turned["height"]
    look(page, "office-page-turned")
    for _ in range(3):
        page.keyboard.press("r")
    page.keyboard.press("z")
    expect(page.locator("#enlarge")).to_contain_text("Enlarge")
    first = page.locator(".name.main b").inner_text()
    page.keyboard.press("1")
    expect(page.locator("#left")).to_contain_text("2 left")
    expect(page.locator("#toast")).to_contain_text("Filed under")
    page.keyboard.press("u")
    expect(page.locator("#toast")).to_contain_text("Taken back")
    expect(page.locator("#left")).to_contain_text("3 left")
    expect(page.locator(".name.main b")).to_have_text(first)
    page.keyboard.press("1")
    expect(page.locator("#left")).to_contain_text("2 left")
    page.keyboard.press("e")
    page.keyboard.type(LISTED[9])
    expect(page.locator("#found button").first).to_contain_text(NAMES[9])
    page.keyboard.press("Enter")
    expect(page.locator("#left")).to_contain_text("1 left")
    page.keyboard.press("b")
    expect(page.locator("#desk .big")).to_have_text("Nothing waits for you")
    look(page, "office-review-done")

    page.keyboard.press("g")
    expect(page.locator(".facts")).to_contain_text("7present")
    expect(page.locator(".facts")).to_contain_text("3missing")
    expect(page.locator(".facts")).to_contain_text("0not on the list")
    expect(page.locator(".facts")).to_contain_text("1blank")
    expect(page.locator("#version")).to_have_text(re.compile(r"Alcove \d"))
    look(page, "office-exam")
    with page.expect_download() as saving:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(open(saving.value.path())))
    assert len(rows) == 8 and sum(row["decision"] == "accepted" for row in rows) == 8
    with page.expect_download() as saving:
        page.get_by_role("button", name="PDFs as ZIP").click()
    assert f"{LISTED[9]}_CS101_CIA1.pdf" in zipfile.ZipFile(saving.value.path()).namelist()


# Seconds that a person looks at a sheet before the hand moves. 0: what the page itself costs; script/test --long takes 2.
THINK = float(os.environ.get("ALCOVE_THINK", "0"))


def test_fifty_doubtful_sheets_take_one_key_each(desk, open_page, tmp_path):
    """As soon as each is on the screen and was looked at."""
    desk.take_in([f"7000000000{i:02}" for i in range(60)])
    uuids = desk.hand_in(*(desk.sheet(f"7000000000{i:02}", misread=True, noise=i) for i in range(50)))
    page = open_page(path="/#review")
    start = time.monotonic()
    for left in range(50, 0, -1):
        expect(page.locator("#left")).to_contain_text(f"{left} left")
        expect(page.locator(".names li")).to_have_count(5)
        page.wait_for_timeout(THINK * 1000)
        page.keyboard.press("x")
    expect(page.locator("#desk .big")).to_have_text("Nothing waits for you")
    print(f"50 doubtful sheets, 50 keys: {time.monotonic() - start:.0f} s, {THINK} s of looking at each among them")
    for uuid in uuids:
        desk.until(uuid, workflow_status="unlisted")


def test_two_reviewers_never_see_the_same_sheet(desk, open_page):
    desk.take_in()
    desk.hand_in(*(desk.sheet(LISTED[i], misread=True, noise=i) for i in range(2)))
    one, two = open_page(path="/#review"), open_page(path="/#review")
    expect(one.locator(".names li")).to_have_count(5)
    expect(two.locator(".names li")).to_have_count(5)
    # The second may have seen it for a moment, until it hears whose it is.
    expect(two.locator(".middle > .fine")).not_to_have_text(one.locator(".middle > .fine").inner_text())
    one.keyboard.press("x")
    expect(one.locator("#desk .big")).to_have_text("The rest is with others")
    expect(one.locator("#left")).to_be_empty()
    expect(one.locator("#badge")).to_be_hidden()


def test_the_button_files_the_number_beside_it_and_enter_does_what_it_is_marked_on(desk, open_page):
    desk.take_in()
    uuids = desk.hand_in(*(desk.sheet(LISTED[i], misread=True, noise=i) for i in (3, 4, 5)))
    page = open_page(path="/#review")
    at_number, at_top, about = page.locator("#enter-typed"), page.locator("#enter-top"), page.locator(".middle > .fine")

    def shown(before: str = "") -> tuple[str, str]:
        expect(about).not_to_have_text(before)
        return about.inner_text(), uuids[int(re.search(r"scan-(\d)", about.inner_text())[1])]

    text, uuid = shown()
    expect(at_top).to_be_visible()
    expect(at_number).to_be_hidden()
    page.keyboard.press("e")
    expect(at_number).to_be_visible()
    expect(at_top).to_be_hidden()
    page.keyboard.press("Escape")
    expect(at_top).to_be_visible()
    number = page.locator("#number").input_value()
    page.get_by_role("button", name="File under this number").click()
    desk.until(uuid, decision="accepted", register_number=number)

    text, uuid = shown(text)
    page.locator("#number").fill(LISTED[9])
    page.locator("#number").blur()
    expect(at_number).to_be_visible()
    page.keyboard.press("Enter")
    desk.until(uuid, decision="accepted", register_number=LISTED[9])

    text, uuid = shown(text)
    number = page.locator(".name.main code").inner_text()
    assert number != page.locator("#number").input_value()
    expect(at_top).to_be_visible()
    page.keyboard.press("Enter")
    desk.until(uuid, decision="accepted", register_number=number)


def test_a_gateway_that_is_full_is_left_alone_for_as_long_as_it_asks(desk, open_page):
    asked = []

    def full(route):
        asked.append(time.monotonic())
        if len(asked) > 1:
            return route.fallback()
        route.fulfill(status=503, headers={"Retry-After": "8"}, json={"detail": "too much waits", "code": "full"})

    page = open_page(before=lambda page: page.route("**/scan-upload", full))
    expect(page.locator("#state-text")).to_have_text("Ready")
    page.locator("#files").set_input_files([{"name": "scan.png", "mimeType": "image/png", "buffer": desk.sheet(LISTED[0])}])
    expect(page.locator(".row.waiting")).to_contain_text("Waits in this window")
    expect(page.locator(".row .chip")).to_have_text("Not sent")
    expect(page.locator(".row.filed, .row.review")).to_have_count(1)
    assert len(asked) == 2 and asked[1] - asked[0] >= 8


def test_the_queue_survives_a_gateway_that_is_away(desk, open_page, look):
    page = open_page()
    expect(page.locator("#state-text")).to_have_text("Ready")
    page.context.set_offline(True)
    page.locator("#files").set_input_files([{"name": "scan.png", "mimeType": "image/png", "buffer": desk.sheet(LISTED[0])}])
    expect(page.locator("#notice-title")).to_have_text("The gateway does not answer")
    expect(page.locator(".row.waiting")).to_contain_text("Waits in this window")
    look(page, "office-offline")
    page.context.set_offline(False)
    expect(page.locator(".row.filed, .row.review")).to_have_count(1)


def test_other_weather(desk, space, open_page, look, tmp_path):
    """What the page looks like while the reader starts, where nobody reads, while it looks, and when somebody else has the sheet."""
    asleep = True

    def health(handler):
        if asleep:
            return space.send(handler, 503, b"<html>starting</html>", "text/html")
        space.say_awake(handler)

    desk.take_in()
    [uuid] = desk.hand_in(desk.sheet(LISTED[0], misread=True))
    other = Office(desk.gateway)
    assert other.post(f"/review/{uuid}/hold", reviewer="somebody-else").status_code == 200
    page = open_page(path="/#review")
    expect(page.locator("#desk .big")).to_have_text("The rest is with others")
    expect(page.locator("#desk .empty")).to_contain_text("It comes back here if they leave it.")
    expect(page.locator("#left")).to_be_empty()
    look(page, "office-held-by-another")

    space.health = health
    real = space.extract
    space.extract = lambda handler, content: space.send(handler, 503, b"<html>starting</html>", "text/html") if asleep else real(handler, content)
    page.goto(desk.url + "/#intake")
    page.locator("#files").set_input_files([{"name": "scan.png", "mimeType": "image/png", "buffer": desk.sheet(LISTED[1])}])
    expect(page.locator("#notice-title")).to_have_text("The reader is starting")
    expect(page.locator(".row.waiting")).to_contain_text("Safe, waits to be read")
    look(page, "office-waking")
    asleep = False
    expect(page.locator(".row.filed")).to_have_count(1)
    expect(page.locator("#notice")).to_be_hidden()

    silent = open_page(before=lambda page: page.route("**/status", lambda route: None))
    expect(silent.locator("#state-text")).to_have_text("Connecting")
    look(silent, "office-connecting")
    silent.keyboard.press("Tab")
    expect(silent.locator(".skip")).to_be_focused()
    for _ in range(3):
        silent.keyboard.press("Tab")
    expect(silent.locator("nav a").nth(1)).to_be_focused()
    look(silent, "office-keyboard-focus")
    silent.keyboard.press("?")
    expect(silent.locator("#keys")).to_be_visible()
    look(silent, "office-keys")


def test_where_nobody_can_read(start_gateway, browser, look):
    gateway = start_gateway()
    with opening(browser, gateway.url, "gateway/index.html") as open_one:
        page = open_one()
        expect(page.locator("#notice-title")).to_have_text("Nobody can read at the moment")
        page.locator("#files").set_input_files([{"name": "scan.png", "mimeType": "image/png", "buffer": form(LISTED[0])}])
        expect(page.locator(".row.waiting")).to_contain_text("Waits in this window")
        expect(page.locator("#notice-text")).to_contain_text("leave it open until they are sent")
        look(page, "office-nobody-reads")


def test_the_first_link_makes_the_administrator_and_the_door_stays_shut(desk, open_page, look):
    page = open_page(path=f"/#setup/{setup_word(desk.gateway)}")
    expect(page.locator("#door-title")).to_have_text("Make the administrator's account")
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#account")).to_have_text("Ada")

    page.locator("#account").click()
    expect(page.locator("#accounts-title")).to_have_text("Ada, administrator")
    page.locator("#new-name").fill("Vera")
    page.locator("#new-role").select_option("viewer")
    page.get_by_role("button", name="Add a person").click()
    expect(page.locator(".secret")).to_contain_text("Vera chooses a password")
    link = page.locator(".secret code").inner_text()
    page.locator("#new-token").fill("Scanner in room 4")
    look(page, "office-accounts")
    page.get_by_role("button", name="Add a scanner").click()
    expect(page.locator(".secret code")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    expect(page.locator(".folk").nth(1)).to_contain_text("may upload")

    other = open_page(path=link.removeprefix(desk.url))
    expect(other.locator("#door-title")).to_have_text("Choose your password")
    other.keyboard.type(PASSWORD)
    other.keyboard.press("Enter")
    other.locator("#account").click()
    expect(other.locator("#accounts-title")).to_have_text("Vera, viewer")
    expect(other.locator("#accounts-body")).to_be_empty()
    other.get_by_role("button", name="Close").click()
    page.get_by_label("Role of Vera").select_option("staff")
    expect(page.locator(".folk").first).to_contain_text("hands in and reviews")
    page.get_by_label("Role of Ada").select_option("viewer")
    expect(page.locator("#accounts-said")).to_contain_text("the last administrator stays")
    expect(page.get_by_label("Role of Ada")).to_have_value("administrator")
    page.get_by_role("button", name="Deactivate Vera").click()
    expect(page.locator(".folk").first).to_contain_text("cannot sign in")
    other.goto(desk.url + "/#exam")
    expect(other.locator("#door-title")).to_have_text("Sign in")
    page.get_by_role("button", name="Remove Vera").click()
    expect(page.locator(".folk").first).not_to_contain_text("Vera")

    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#door-title")).to_have_text("Sign in")
    expect(page.locator("#intake")).to_be_hidden()
    expect(page.locator("#places")).to_be_hidden()
    expect(page.locator("#door-form")).to_contain_text("The administrator can give you a new link.")
    look(page, "office-door")
    page.locator("#name").fill("Ada")
    page.locator("#password").fill("wrong password")
    page.keyboard.press("Enter")
    expect(page.locator("#door-form .said")).to_have_text("name or password is wrong")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#intake")).to_be_visible()
    expect(page.locator("#places")).to_be_visible()
