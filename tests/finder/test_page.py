"""The finder's page in every state people meet."""

import json
import re

import pytest
import requests
from playwright.sync_api import Page, expect

from conftest import ROOT

WEB = ROOT / "web"
ATTENTION = "Attention Is All You Need"


def type_query(page: Page, text: str) -> None:
    page.locator("#q").fill(text)


def first_title(page: Page):
    return page.locator(".row h2").first


def test_it_opens_with_the_newest_papers_and_what_to_ask(open_page, look):
    page = open_page()
    expect(page.locator("#count")).to_have_text("Newest papers")
    expect(page.locator(".welcome .chip")).to_have_count(5)
    expect(page.locator("#facets legend").first).to_have_text("Venue")
    expect(page.locator("#holdings")).to_contain_text("papers")
    look(page, "finder-empty")


def test_results_come_while_typing_and_the_address_keeps_them(open_page, look):
    page = open_page()
    type_query(page, "attention is all you need")
    expect(first_title(page)).to_have_text(ATTENTION)
    expect(page.locator(".row mark").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=attention\+is\+all\+you\+need"))
    look(page, "finder-results")
    again = open_page(path="/" + page.url.split("/", 3)[3])
    expect(first_title(again)).to_have_text(ATTENTION)
    expect(again.locator("#q")).to_have_value("attention is all you need")


# Answers arrive in two parts, and the page may have turned to another question between them.
IN_TWO_PARTS = """
  const send = window.fetch;
  window.fetch = async (address, options) => {
    const reply = await send(address, options), whole = reply.json.bind(reply);
    reply.json = async () => {
      await new Promise((later) => setTimeout(later, 400));
      options?.signal?.throwIfAborted();
      return whole();
    };
    return reply;
  };"""


def test_a_question_dropped_with_half_its_answer_leaves_no_trace(open_page):
    page = open_page(before=lambda page: page.add_init_script(IN_TWO_PARTS))
    expect(page.locator("#count")).to_have_text("Newest papers")
    for text in ("a", "attention", "attention is all"):
        type_query(page, text)
        page.wait_for_timeout(300)  # asked, and not yet answered whole
    type_query(page, ATTENTION)
    expect(first_title(page)).to_have_text(ATTENTION)
    page.wait_for_timeout(600)
    expect(page.locator(".problem")).to_have_count(0)
    expect(first_title(page)).to_have_text(ATTENTION)


def test_an_answer_that_is_none_is_told(open_page):
    page = open_page(path="/?q=attention+is+all+you+need")
    expect(first_title(page)).to_have_text(ATTENTION)
    page.route("**/api/**", lambda route: route.fulfill(body="<html>This Space is waking</html>", content_type="text/html"))
    type_query(page, "attention is all you need now")
    expect(page.locator(".problem")).to_contain_text("No connection")
    expect(first_title(page)).to_have_text(ATTENTION)


def test_facets_narrow_and_the_way_back_widens(open_page):
    page = open_page()
    type_query(page, "learning")
    expect(page.locator("#count")).to_have_text(re.compile(r"^\d+ papers$"))
    everything = page.locator("#count").inner_text()
    box = page.locator("#facets fieldset", has_text="Year").locator("label").first
    few = int(box.locator("small").inner_text())
    box.click()
    expect(page.locator("#count")).to_have_text(f"{few} paper{'' if few == 1 else 's'}")
    expect(page.locator(".chips .chip")).to_have_count(1)
    page.go_back()
    expect(page.locator("#count")).to_have_text(everything)


def test_nothing_found_offers_what_would_help(open_page, look):
    page = open_page(path="/?q=attention&author=vaswani&year=1950")
    expect(page.locator(".none h2")).to_have_text("No paper fits.")
    look(page, "finder-nothing")
    page.get_by_role("button", name="Without year 1950: 1 paper").click()
    expect(first_title(page)).to_have_text(ATTENTION)
    page.go_back()
    page.get_by_role("button", name="Clear all filters").click()
    expect(page.locator(".chips .chip")).to_have_count(0)
    expect(first_title(page)).to_contain_text("Attention")


def test_a_condition_that_keeps_papers_out_is_lifted_in_words(open_page):
    page = open_page(path="/?q=author:vaswani+-year:2017")
    page.get_by_role("button", name="With year 2017: 1 paper").click()
    expect(first_title(page)).to_have_text(ATTENTION)


def test_a_paper_opens_beside_its_list(open_page, look):
    page = open_page(path="/?q=attention+is+all+you+need")
    first_title(page).click()
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text(ATTENTION)
    expect(panel.locator(".abstract")).to_be_visible()
    expect(panel.locator(".why")).to_contain_text("#1 by words")
    expect(panel.locator(".near li")).to_have_count(6)
    look(page, "finder-paper")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_it_is_used_by_keyboard_alone(open_page):
    page = open_page()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("convolutional networks")
    page.keyboard.press("Enter")
    expect(page.locator(".row mark").first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    title = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("s")
    page.keyboard.press("o")
    expect(page.locator("#panel h2")).to_have_text(title)
    expect(page.locator("#panel .shelf")).to_be_visible()
    page.keyboard.press("t")
    expect(page.locator(".badge.kept").first).to_have_text("reading")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.locator("#count")).to_have_text("My list: 1 paper")
    page.keyboard.press("[")
    expect(page.locator("#q")).to_have_value("convolutional networks")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_keys_do_nothing_behind_a_dialog(open_page):
    page = open_page(path="/?q=attention+is+all+you+need")
    expect(first_title(page)).to_have_text(ATTENTION)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator("#formats")).to_be_visible()
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    expect(page.locator("#formats")).to_be_hidden()
    page.locator("#list").click()
    expect(page.locator("#count")).to_have_text("My list: 0 papers")


def test_tab_completes_a_field_and_a_name(open_page):
    page = open_page()
    expect(page.locator("#facets legend").first).to_be_visible()
    field = page.locator("#q")
    field.press_sequentially("auth")
    expect(page.locator("#hint")).to_contain_text("author:")
    field.press("Tab")
    expect(field).to_have_value("author:")


def test_the_list_stays_in_the_browser_and_goes_to_a_file(open_page, look, tmp_path):
    page = open_page(path="/?q=attention+is+all+you+need")
    page.locator(".row .acts button").first.click()
    page.reload()
    page.locator("#list").click()
    expect(first_title(page)).to_have_text(ATTENTION)
    expect(page.locator("#q")).to_have_value("")
    look(page, "finder-list")
    page.get_by_role("button", name="Back to the search").click()
    expect(page.locator("#q")).to_have_value("attention is all you need")
    page.go_back()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the list").click()
    saving.value.save_as(tmp_path / "list.json")
    assert ATTENTION in (tmp_path / "list.json").read_text()
    other = open_page(path="/?list=1")
    expect(other.locator("#count")).to_have_text("My list: 0 papers")
    other.locator("#import").set_input_files(tmp_path / "list.json")
    expect(first_title(other)).to_have_text(ATTENTION)
    (tmp_path / "wrong.json").write_text("[")
    other.locator("#import").set_input_files(tmp_path / "wrong.json")
    expect(other.locator(".problem")).to_contain_text("no reading list")


def test_the_tray_exports_and_compares(open_page, look):
    page = open_page(path="/?q=image+recognition")
    for number in range(2):
        page.locator(".pick").nth(number).check()
    expect(page.locator("#tray")).to_contain_text("2 papers selected")
    look(page, "finder-tray")
    page.locator("#tray").get_by_role("button", name="Compare").click()
    expect(page.locator("#compare td").first).to_be_visible()
    page.locator("#compare > button").click()
    page.locator("#tray").get_by_role("button", name="Export").click()
    with page.expect_download() as saving:
        page.get_by_role("link", name="BibTeX").click()
    assert saving.value.path().read_text().count("@") == 2


def test_where_words_alone_are_searched_it_says_so_and_offers_no_more(open_page):
    page = open_page(path="/?q=attention+is+all+you+need&mode=meaning")
    expect(first_title(page)).to_have_text(ATTENTION)
    expect(page.locator("#state-text")).to_have_text("Words only")
    expect(page.locator(".middle")).to_contain_text("Only words are searched here, not meanings.")
    expect(page.locator("body")).not_to_contain_text("--model")
    expect(page.locator("[data-mode=words]")).to_have_attribute("aria-pressed", "true")
    for mode in ("both", "meaning"):
        expect(page.locator(f"[data-mode={mode}]")).to_be_disabled()


def test_meaning_is_offered_where_it_can_be_searched(open_page, finder):
    status = {**requests.get(finder.url + "/status", timeout=60).json(), "by_meaning": True}
    page = open_page(before=lambda page: page.route("**/status", lambda route: route.fulfill(json=status)))
    expect(page.locator("#state-text")).to_have_text("Ready")
    expect(page.locator("[data-mode=both]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-mode=meaning]")).to_be_enabled()


def test_a_venue_without_its_year_is_given_one(open_page):
    page = open_page(path="/?q=alphafold")
    expect(page.locator(".row .where").first).to_have_text("Nature 2021")


def test_more_like_this_starts_from_papers(open_page):
    page = open_page(path="/?q=attention+is+all+you+need")
    page.locator(".row .acts button", has_text="More like this").first.click()
    expect(page.locator(".chips .chip")).to_contain_text(ATTENTION)
    expect(page.locator(".row h2", has_text=ATTENTION)).to_have_count(0)
    expect(page.locator(".row").first).to_be_visible()


def test_markup_in_papers_is_text_and_tex_is_readable(open_page):
    page = open_page(path="/?q=zymurgy")
    title = first_title(page)
    expect(title).to_contain_text("<img src=x onerror=alert(1)> & <b>bold</b> α2 ≤ 1⁄n claims")
    title.click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("<script>alert(2)</script>")
    expect(panel.locator(".abstract")).to_contain_text("It costs $5 to $10 and no more.")
    # Addresses that are no web addresses are not followed.
    expect(panel.locator("a")).to_have_count(0)
    assert page.locator("script:not([src])").count() == 0


def test_more_comes_while_scrolling(open_page):
    page = open_page(path="/?q=learning")
    expect(page.locator(".row")).not_to_have_count(0)
    page.mouse.move(640, 600)
    for _ in range(30):
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(50)
    assert page.locator(".row").count() > 20
    ids = page.locator(".row").evaluate_all("rows => rows.map((row) => row.dataset.id)")
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name, status, says", [
    ("waking", {"state": "loading", "papers": 135, "by_meaning": False, "index": {"state": "idle", "done": 0, "total": 135}}, "by words for the moment"),
    ("failed", {"state": "failed", "error": "model.safetensors is cut short", "papers": 135, "index": {"state": "idle"}}, "could not be loaded: model.safetensors is cut short."),
    ("indexing", {"state": "ready", "papers": 5275, "index": {"state": "indexing", "done": 2100, "total": 5275, "per_second": 9, "seconds_left": 353}},
     "2,100 of 5,275"),
    ("fetching", {"state": "ready", "papers": 1000, "index": {"state": "indexing", "done": 0, "total": 1000, "phase": "fetching", "venue": "NeurIPS.cc/2025/Conference",
                                                              "phase_done": 2000, "phase_total": 5275, "per_second": 400, "seconds_left": 8}},
     "2,000 of 5,275 papers fetched from NeurIPS.cc/2025/Conference"),
])
def test_what_the_server_is_doing_is_told(open_page, look, name, status, says):
    page = open_page(before=lambda page: page.route("**/status", lambda route: route.fulfill(json=status)))
    expect(page.locator("#notice")).to_contain_text(says)
    expect(page.locator(".row").first).to_be_visible()
    look(page, f"finder-{name}")


def test_offline_keeps_what_was_found(open_page, look):
    page = open_page(path="/?q=attention+is+all+you+need")
    expect(first_title(page)).to_have_text(ATTENTION)
    page.route("**/api/**", lambda route: route.abort())
    page.route("**/status", lambda route: route.abort())
    type_query(page, "attention is all you need now")
    expect(page.locator("#notice")).to_contain_text("No connection", timeout=5_000)  # found out at once, not at the next look
    expect(page.locator("#state-text")).to_have_text("Offline")
    expect(page.locator(".problem")).to_contain_text("It is asked again as soon as the server answers.")
    expect(first_title(page)).to_have_text(ATTENTION)
    look(page, "finder-offline")
    page.unroute("**/api/**")
    page.unroute("**/status")
    expect(page.locator(".problem")).to_have_count(0)


def test_a_pasted_abstract_survives_a_reload(open_page, finder):
    abstract = requests.get(finder.url + "/api/search", params={"q": "attention is all you need", "n": 1}, timeout=60).json()["results"][0]
    text = requests.get(finder.url + "/api/paper", params={"id": abstract["id"]}, timeout=60).json()["abstract"] * 4
    page = open_page()
    type_query(page, text)
    page.locator("#q").press("Enter")
    expect(first_title(page)).to_have_text(ATTENTION)
    page.reload()
    expect(page.locator("#q")).to_have_value(text.strip())
    expect(first_title(page)).to_have_text(ATTENTION)


def test_nothing_is_shared_between_visitors(open_page):
    one = open_page(path="/?q=attention+is+all+you+need")
    one.locator(".row .acts button").first.click()
    expect(one.locator(".badge.kept")).to_have_count(1)
    other = open_page(path="/?q=attention+is+all+you+need")
    expect(other.locator(".row").first).to_be_visible()
    expect(other.locator(".badge.kept")).to_have_count(0)


def test_the_page_is_light(finder):
    """First visit, as browsers ask for it."""
    page = requests.get(finder.url + "/", headers={"Accept": "text/html", "Accept-Encoding": "gzip"}, timeout=60)
    files = set(re.findall(r'"\./((?:finder|shared)/[^"]+)"', page.text)) | {f"finder/{file.name}" for file in (WEB / "finder").glob("*.js")}
    weight = int(page.headers["content-length"])
    for file in files:
        weight += int(requests.get(f"{finder.url}/{file}", headers={"Accept-Encoding": "gzip"}, timeout=60).headers["content-length"])
    assert weight < 60 * 1024
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_every_file_of_the_page_is_in_the_program(finder):
    for file in (WEB / "finder").iterdir():
        assert requests.get(f"{finder.url}/finder/{file.name}", timeout=60).content == file.read_bytes(), file.name


def test_saved_lists_hold_nothing_but_papers(open_page, tmp_path):
    hostile = {"list": {"x": {"paper": {"title": "<img src=x onerror=alert(1)>", "authors": "no list"}, "state": "<b>", "note": 5}, "y": {"paper": None}}}
    (tmp_path / "list.json").write_text(json.dumps(hostile))
    page = open_page(path="/?list=1")
    page.locator("#import").set_input_files(tmp_path / "list.json")
    expect(first_title(page)).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator(".row")).to_have_count(1)
