"""Single sheets on the page: what is shown, and that it is what the server said."""

import json

import pytest
from playwright.sync_api import Page, expect

from conftest import ROOT

SAMPLES = ROOT / "samples/sheets"
SHEET = SAMPLES / "clean-band.jpg"


def value_of(page: Page, field: str) -> str:
    return page.locator(f".field.{field} .strip .unseen").inner_text().split(";")[0]


def answer_of(page: Page) -> dict:
    return json.loads(page.locator("details pre").text_content())


def answer_with(reply: dict):
    return lambda page: page.route("**/extract*", lambda route: route.fulfill(json=reply))


@pytest.mark.parametrize("sample", ["sample.jpg", "sample-photo.jpg", "sample-form.jpg"])
def test_a_sample_shows_its_boxes_and_its_text(open_page, look, sample):
    page = open_page()
    expect(page.locator("#state")).to_have_attribute("data-phase", "ready")
    page.click(f"[data-sample='{sample}']")
    expect(page.locator(".verdict.read, .verdict.check")).to_be_visible()
    reply = answer_of(page)
    assert reply["register_number"] and reply["subject_code"], "the page's samples are sheets that are read"
    expect(page.locator(".frame:not(.other)")).to_have_count(2)
    assert "".join(page.locator(".frame").all_inner_texts()) == "", "nothing lies on the handwriting"
    assert page.locator(".legend span").all_inner_texts() == ["Register", "Subject"]
    expect(page.locator(".strip canvas")).to_have_count(2)
    for field in ("register_number", "subject_code"):
        assert value_of(page, field) == reply[field]
        box = next(box for box in reply["boxes"] if box["field"] == field and box["value"] == reply[field])
        shown = page.locator(f".field.{field} .cell")
        assert shown.locator("b").all_inner_texts() == [symbol["value"] for symbol in box["symbols"]]
        assert shown.locator("small").all_inner_texts() == [str(int(symbol["confidence"] * 100)) for symbol in box["symbols"]]
        places = [cell.bounding_box()["x"] for cell in shown.all()]
        assert places == sorted(places)
    expect(page.locator(".timings")).to_contain_text("find boxes")
    look(page, f"read-{sample.removesuffix('.jpg')}")


def test_a_doubtful_character_is_marked_and_says_what_else_it_may_be(open_page, look, doubtful):
    page = open_page(before=answer_with(doubtful))
    page.click("#sample")
    expect(page.locator(".verdict.check")).to_contain_text("Compare the marked character")
    expect(page.locator(".field.register_number .sure")).to_have_text("◐ weakest 52 %, check it")
    expect(page.locator(".field.subject_code .sure")).to_have_text("● 99 %, sure")
    weak = page.locator(".cell.weak")
    expect(weak).to_have_count(1)
    expect(weak.locator(".tip")).to_be_hidden()
    weak.focus()
    expect(weak.locator(".tip")).to_be_visible()
    expect(weak.locator(".tip")).to_contain_text("(52 %), or 8 (31 %)")
    look(page, "doubtful")


def test_reasons_are_told_in_the_servers_sentences(open_page, look, sure):
    told = {**sure, "reasons": ["blurred", "turned"],
            "advice": [{"code": "blurred", "message": "Retake: the register number is blurred."}, {"code": "turned", "message": "The page lay turned."}]}
    page = open_page(before=answer_with(told))
    page.click("#sample")
    expect(page.locator(".reason:not(.note)")).to_have_text("Retake: the register number is blurred.")
    expect(page.locator(".reason.note")).to_have_text("The page lay turned.")
    expect(page.locator(".verdict")).to_contain_text("Compare them with the sheet")
    expect(page.locator(".field.register_number .sure")).to_have_text("◐ check it")
    expect(page.locator(".field.subject_code .sure")).to_have_text("● 99 %, sure")
    look(page, "reasons")


def test_a_reason_that_names_no_field_leaves_none_of_them_sure(open_page, sure):
    page = open_page(before=answer_with({**sure, "reasons": ["blurred"]}))
    page.click("#sample")
    expect(page.locator(".sure")).to_have_text(["◐ check it", "◐ check it"])


def test_the_way_there_is_left_out_where_it_took_no_time(open_page, sure):
    page = open_page(before=answer_with({**sure, "timings_ms": {"detect": 90_000, "total": 90_000}}))
    page.click("#sample")
    expect(page.locator(".timings p")).to_have_text("Read in 90.0 s")


FIRST_PICTURE_LATE = """const open = createImageBitmap;
let late = 500;
window.createImageBitmap = async (blob) => {
  const wait = late;
  late = 0;
  await new Promise((done) => setTimeout(done, wait));
  return open(blob);
};"""


@pytest.mark.parametrize("script", ["", FIRST_PICTURE_LATE], ids=["picture first", "reading first"])
def test_a_turned_page_is_shown_as_it_was_read(open_page, sure, script):
    size = sure["page"]
    lying = {**sure, "orientation": 90, "page": {"width": size["height"], "height": size["width"]}, "reasons": ["turned"]}
    page = open_page(before=lambda page: (answer_with(lying)(page), page.add_init_script(script)))
    page.click("#sample")
    if script:
        page.wait_for_timeout(1000)
    expect(page.locator(".frame.register_number")).to_be_visible()
    shown = page.locator(".page canvas").evaluate("canvas => [canvas.width, canvas.height]")
    assert shown == [size["height"], size["width"]]
    # The sample's barcode is at the top right; a quarter turn clockwise brings it to the bottom right.
    dark = """(canvas, [x, y]) => {
      const {data} = canvas.getContext("2d").getImageData(canvas.width * x, canvas.height * y, canvas.width / 4, canvas.height / 4);
      return data.filter((value, index) => index % 4 === 0 && value < 90).length;
    }"""
    canvas = page.locator(".page canvas")
    assert canvas.evaluate(dark, [0.75, 0.6]) > 2 * canvas.evaluate(dark, [0.0, 0.0])


def test_a_later_page_is_asked_of_the_server(open_page, sure):
    asked = []

    def before(page):
        page.on("request", lambda request: asked.append(request.url.split("/")[-1]) if "/extract" in request.url else None)
        answer_with({**sure, "page": {**sure["page"], "number": 2, "of": 3}})(page)

    page = open_page(before=before)
    page.click("#sample")
    expect(page.locator("#sheet-facts")).to_contain_text("page 2 of 3")
    expect(page.locator(".blank")).to_have_text("This browser cannot show the page.")  # this answer brings no picture
    assert asked == ["extract", "extract?preview=1"]


def test_nothing_found_says_so(open_page, look, sure):
    empty = {**sure, "register_number": None, "subject_code": None, "boxes": [], "register_candidates": [], "subject_candidates": [],
             "confidence": None, "reasons": ["no_register_box", "no_subject_box"]}
    page = open_page(before=answer_with(empty))
    page.click("#sample")
    expect(page.locator(".verdict")).to_have_text("○Neither field could be read.")
    expect(page.locator(".reason")).to_have_text("See that the whole cover page is in the picture, flat and sharp.")
    assert page.locator(".nothing").all_inner_texts() == ["Not found on the page"] * 2
    look(page, "nothing-found")
    with page.expect_file_chooser():
        page.get_by_role("button", name="Choose another file").click()
    with page.expect_request("**/extract*"):
        page.get_by_role("button", name="Read again").click()
    page.set_input_files("#files", SHEET)
    page.get_by_role("button", name="All sheets").click()
    expect(page.locator("tbody td.note").first).to_have_text("No register number was found on the page.")


def test_a_pdf_is_shown_though_the_browser_cannot_draw_it(open_page, samples):
    page = open_page()
    page.set_input_files("#files", SAMPLES / "clean-slip.pdf")
    expect(page.locator(".frame.register_number")).to_have_count(1)
    assert value_of(page, "register_number") == samples["clean-slip.pdf"]["register_number"]
    colours = page.evaluate("""() => {
      const canvas = document.querySelector(".page canvas");
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(pixels.filter((_, index) => index % 4 === 0)).size;
    }""")
    assert colours > 10, "the page is drawn, not blank"


def test_a_pasted_and_a_dropped_picture_are_read(open_page, sure):
    page = open_page(before=answer_with(sure))
    give = """async ([kind, name]) => {
      const data = new DataTransfer();
      data.items.add(new File([await (await fetch("./sheet/sample.jpg")).blob()], name, {type: "image/jpeg"}));
      if (kind === "drop") dispatchEvent(new DragEvent("dragenter", {dataTransfer: data}));
      const seen = !document.querySelector("#curtain").hidden;
      dispatchEvent(kind === "drop" ? new DragEvent("drop", {dataTransfer: data}) : new ClipboardEvent("paste", {clipboardData: data}));
      return seen;
    }"""
    assert page.evaluate(give, ["drop", "dropped.jpg"]), "the whole window takes it"
    expect(page.locator("#sheet-title")).to_have_text("dropped.jpg")
    expect(page.locator("#curtain")).to_be_hidden()
    page.evaluate(give, ["paste", "pasted.jpg"])
    expect(page.locator("#sheet-title")).to_have_text("pasted.jpg")
    expect(page.locator(".verdict.read")).to_be_visible()
    expect(page.locator("#position")).to_contain_text("2 of 2")


def test_the_answer_is_copied_as_json_and_as_curl(open_page, sure, server):
    page = open_page(before=answer_with(sure), permissions=["clipboard-read", "clipboard-write"])
    page.set_input_files("#files", {"name": "it's, a sheet.jpg", "mimeType": "image/jpeg", "buffer": (ROOT / "web/sheet/sample.jpg").read_bytes()})
    page.get_by_role("button", name="Copy JSON").click()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == sure
    page.get_by_role("button", name="Copy curl").click()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == f"""curl -F 'file=@"it'\\''s, a sheet.jpg"' '{server.url}/extract'"""
    page.get_by_role("button", name="Copy register number").click()
    assert page.evaluate("navigator.clipboard.readText()") == sure["register_number"]
