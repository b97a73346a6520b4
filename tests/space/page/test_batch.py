"""Many sheets on the page."""

import csv
import io

import pytest
from playwright.sync_api import Route, expect

from conftest import ROOT

SAMPLES = ROOT / "samples/sheets"
REFUSED = {"detail": "the file is damaged; scan it again", "code": "damaged", "success": False}


def test_files_are_read_by_the_server_and_counted(open_page, tmp_path):
    page = open_page()
    renamed = tmp_path / "notes.jpg"
    renamed.write_text("not a picture")
    page.set_input_files("#files", [SAMPLES / "clean-band.jpg", renamed, SAMPLES / "clean-ledger.png"])
    expect(page.locator("#pace")).to_contain_text("3 of 3 sheets", timeout=120_000)
    assert page.locator("tbody tr th").all_inner_texts() == ["clean-band.jpg", "clean-ledger.png", "notes.jpg"]
    expect(page.locator("#group-failed b")).to_have_text("1")
    expect(page.locator("tbody tr", has_text="clean-ledger.png").locator("canvas")).to_have_count(2)
    page.locator("tbody tr", has_text="notes.jpg").click()
    expect(page.locator(".problem")).to_contain_text("PDF, JPEG, PNG")
    page.go_back()
    expect(page.locator("#batch")).to_be_visible()


@pytest.fixture
def batch(open_page, sheet_files, sure, doubtful):
    """Twelve sheets, half of them answered; `go_on()` lets the rest be."""
    held: list[Route] = []
    state = {"answered": 0, "open": False}

    def answer(route: Route) -> None:
        state["answered"] += 1
        turn = state["answered"] % 6
        route.fulfill(status=422 if turn == 4 else 200, json=REFUSED if turn == 4 else doubtful if turn == 2 else sure)

    def serve(route: Route) -> None:
        if state["open"] or state["answered"] < 6:
            answer(route)
        else:
            held.append(route)

    def go_on() -> None:
        state["open"] = True
        while held:
            answer(held.pop())

    page = open_page(before=lambda page: page.route("**/extract*", serve))
    page.set_input_files("#files", sheet_files(12))
    expect(page.locator("#pace")).to_contain_text("6 of 12 sheets")
    page.go_on = go_on
    return page


def test_progress_pace_and_time_left_are_shown_while_it_reads(batch, look):
    text = batch.locator("#pace").inner_text()
    assert "a minute" in text and text.endswith("left"), text
    assert batch.locator("#bar").evaluate("bar => bar.value / bar.max") == 0.5
    expect(batch.locator("td.note", has_text="Reading")).to_have_count(2)
    look(batch, "batch-half")
    batch.go_on()
    expect(batch.locator("#pace")).to_contain_text("12 of 12 sheets")
    expect(batch.locator("#announcer")).to_have_text("12 of 12 done, 2 to look at, 2 failed")
    look(batch, "batch")


def test_counters_filter_and_the_search_finds(batch):
    batch.go_on()
    expect(batch.locator("#group-all b")).to_have_text("12")
    expect(batch.locator("#group-read b")).to_have_text("8")
    expect(batch.locator("#group-check b")).to_have_text("2")
    expect(batch.get_by_role("columnheader", name="Weakest")).to_be_visible()
    expect(batch.locator("tbody tr", has_text="sheet 2.jpg").locator(".number")).to_have_text("52 %")
    expect(batch.locator("tbody tr", has_text="sheet 3.jpg").locator(".number")).to_have_text("99 %")
    batch.get_by_role("button", name="Failed").first.click()
    expect(batch.locator("tbody tr:visible")).to_have_count(2)
    expect(batch.locator("tbody tr:visible td.note").first).to_have_text("The file is damaged. Scan it again.")
    batch.get_by_role("button", name="All").first.click()
    batch.fill("#find", "sheet 11")
    expect(batch.locator("tbody tr:visible")).to_have_count(1)
    batch.fill("#find", "nobody")
    expect(batch.locator("#none")).to_be_visible()


def test_what_failed_is_tried_again(batch):
    batch.go_on()
    expect(batch.locator("#pace")).to_contain_text("12 of 12")
    batch.unroute("**/extract*")
    batch.get_by_role("button", name="Try the failed again").click()
    expect(batch.locator("#group-failed b")).to_have_text("0")
    expect(batch.locator("#retry")).to_be_hidden()


def test_the_csv_has_a_line_for_every_sheet(batch, sure):
    batch.go_on()
    expect(batch.locator("#pace")).to_contain_text("12 of 12")
    with batch.expect_download() as download:
        batch.get_by_role("button", name="Download CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["file"] for row in rows] == [f"sheet {number}.jpg" for number in range(1, 13)]
    assert list(rows[0]) == ["file", "register_number", "register_confidence", "subject_code", "subject_confidence", "note"]
    read = [row for row in rows if row["register_number"]]
    assert len(read) == 10 and all(row["register_number"] == sure["register_number"] for row in read)
    assert [row["note"] for row in rows if not row["register_number"]] == [REFUSED["detail"]] * 2


def test_a_row_opens_and_the_keys_walk_the_sheets(batch):
    batch.go_on()
    expect(batch.locator("#pace")).to_contain_text("12 of 12")
    batch.locator("tbody button").nth(2).focus()
    batch.keyboard.press("Enter")
    expect(batch.locator("#sheet-title")).to_have_text("sheet 3.jpg")
    batch.keyboard.press("j")
    expect(batch.locator("#sheet-title")).to_have_text("sheet 4.jpg")
    batch.keyboard.press("k")
    batch.keyboard.press("k")
    expect(batch.locator("#sheet-title")).to_have_text("sheet 2.jpg")
    batch.keyboard.press("Escape")
    expect(batch.locator("#batch")).to_be_visible()
    expect(batch.locator("tbody button").nth(1)).to_be_focused()


def test_a_folders_sheets_are_taken_and_nothing_else(open_page, sure, tmp_path):
    page = open_page(before=lambda page: page.route("**/extract*", lambda route: route.fulfill(json=sure)))
    sample = (ROOT / "web/sheet/sample.jpg").read_bytes()
    for name in ("exam/10.jpg", "exam/9.jpg", "exam/room b/1.JPG", "exam/list.txt", "exam/.hidden/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(sample)
    page.set_input_files("#tree", tmp_path / "exam")
    expect(page.locator("#pace")).to_contain_text("3 of 3 sheets")
    assert page.locator("tbody tr th").all_inner_texts() == ["exam/9.jpg", "exam/10.jpg", "exam/room b/1.JPG"]


def test_an_open_sheet_stays_as_it_is_while_others_come_in(batch):
    batch.locator("tbody tr", has_text="sheet 4.jpg").click()
    expect(batch.locator("#position")).to_have_text("4 of 12, 6 done")
    batch.get_by_role("button", name="Choose another file").focus()
    batch.go_on()
    expect(batch.locator("#position")).to_have_text("4 of 12")
    expect(batch.get_by_role("button", name="Choose another file")).to_be_focused()
    batch.go_back()
    expect(batch.locator("#batch")).to_be_visible()
