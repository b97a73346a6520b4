"""Every state the page can be in, in every width and theme."""

from playwright.sync_api import Page, Route, expect

from conftest import ROOT

SAMPLES = ROOT / "samples/sheets"
SHEET = SAMPLES / "clean-band.jpg"


def is_ready(page: Page) -> None:
    expect(page.locator("#state")).to_have_attribute("data-phase", "ready")


def test_empty_invites(open_page, look):
    page = open_page()
    is_ready(page)
    expect(page.locator(".samples img")).to_have_count(3)
    look(page, "empty")


def test_a_phone_is_offered_its_camera(open_page):
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    assert page.locator("#shot").get_attribute("capture") == "environment"


def test_loading_shows_the_page_that_is_read(open_page, look, sure):
    held: list[Route] = []
    page = open_page(before=lambda page: page.route("**/extract*", lambda route: held.append(route)))
    page.click("#sample")
    expect(page.locator(".paper.busy canvas")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("Reading…")
    look(page, "loading")
    held[0].fulfill(json=sure)
    expect(page.locator(".verdict.read")).to_be_visible()


def test_waking_counts_and_starts_by_itself(open_page, look):
    asleep = {"ready": False, "state": "loading", "error": "The reader is starting"}
    page = open_page(before=lambda page: page.route("**/status", lambda route: route.fulfill(json=asleep)))
    expect(page.locator("#notice-title")).to_have_text("The reader is starting")
    page.set_input_files("#files", SHEET)
    expect(page.locator("#notice-text")).to_contain_text("Your file stays in this window and is read once it has started.")
    expect(page.locator("#notice-text")).to_contain_text("so far 2")
    look(page, "waking")
    page.unroute("**/status")
    expect(page.locator(".verdict.read, .verdict.check")).to_be_visible()
    expect(page.locator("#notice")).to_be_hidden()


def test_a_host_that_wakes_with_a_page_of_its_own_is_waited_for(open_page):
    page = open_page(before=lambda page: page.route("**/status", lambda route: route.fulfill(status=503, body="<html>waking", content_type="text/html")))
    expect(page.locator("#notice-title")).to_have_text("The reader is starting")


def test_models_that_do_not_load_are_named(open_page, look):
    broken = {"ready": False, "state": "failed", "error": "Model weights not found: best_subject_model_final.pth"}
    page = open_page(before=lambda page: page.route("**/status", lambda route: route.fulfill(json=broken)))
    expect(page.locator("#notice-title")).to_have_text("The reader cannot start")
    expect(page.locator("#notice-text")).to_have_text(
        "Model weights not found: best_subject_model_final.pth. Whoever runs this server has to mend that; the reader looks again by itself.")
    look(page, "no-models")


def test_busy_waits_as_long_as_it_was_asked_to(open_page, look, sure):
    answers = []

    def serve(route: Route) -> None:
        answers.append(route.request.timing["startTime"])
        if len(answers) == 1:
            route.fulfill(status=429, headers={"Retry-After": "240"}, json={"detail": "32 sheets wait already", "code": "overloaded"})
        else:
            route.fulfill(json=sure)

    def before(page: Page) -> None:
        page.clock.install()
        page.route("**/extract*", serve)

    page = open_page(before=before)
    page.click("#sample")
    expect(page.locator("#notice-title")).to_have_text("The server is busy")
    expect(page.locator("#notice-text")).to_contain_text("trying again in 4 min.")
    expect(page.locator("#state-text")).to_have_text("Busy")
    look(page, "busy")
    assert len(answers) == 1, "nothing is sent before its time"
    page.clock.fast_forward(241_000)
    expect(page.locator(".verdict.read")).to_be_visible()
    expect(page.locator("#notice")).to_be_hidden()
    assert len(answers) == 2


def test_busy_is_not_waited_for_by_those_who_will_not(open_page, sure):
    answers = []

    def serve(route: Route) -> None:
        answers.append(route)
        busy = {"status": 429, "headers": {"Retry-After": "240"}, "json": {"detail": "32 sheets wait already", "code": "overloaded"}}
        route.fulfill(**(busy if len(answers) == 1 else {"json": sure}))

    page = open_page(before=lambda page: page.route("**/extract*", serve))
    page.click("#sample")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".verdict.read")).to_be_visible()
    expect(page.locator("#now")).to_be_hidden()
    assert len(answers) == 2


def test_offline_keeps_the_files_and_sends_them_when_the_server_is_back(open_page, look, sheet_files):
    page = open_page()
    is_ready(page)
    page.context.set_offline(True)
    page.set_input_files("#files", sheet_files(2))
    expect(page.locator("#notice-title")).to_have_text("No connection to the server")
    expect(page.locator("#notice-text")).to_contain_text("Your 2 files stay in this window and are read once it answers.")
    look(page, "offline")
    page.context.set_offline(False)
    expect(page.locator("#pace")).to_contain_text("2 of 2 sheets", timeout=120_000)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#group-failed b")).to_have_text("0")


def test_an_upload_that_breaks_each_time_is_given_up_with_a_way_on(open_page):
    page = open_page(before=lambda page: page.route("**/extract*", lambda route: route.abort()))
    page.set_input_files("#files", SHEET)
    expect(page.locator(".problem")).to_contain_text("The connection broke")
    page.unroute("**/extract*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".verdict.read, .verdict.check")).to_be_visible()


def test_an_error_says_which_file_why_and_what_to_do(open_page, look, tmp_path):
    page = open_page()
    renamed = tmp_path / "notes.jpg"
    renamed.write_text("not a picture")
    page.set_input_files("#files", renamed)
    expect(page.locator("#sheet-title")).to_have_text("notes.jpg")
    problem = page.locator(".problem")
    expect(problem).to_contain_text("PDF, JPEG, PNG")
    expect(problem.locator("code")).to_contain_text("unknown_format · 422")
    expect(problem.get_by_role("button", name="Try again")).to_have_count(0)  # it would be refused again
    with page.expect_file_chooser():
        problem.get_by_role("button", name="Choose another file").click()
    look(page, "error")


def test_a_file_over_the_limit_is_not_sent(open_page):
    limits = {"ready": True, "state": "ready", "limits": {"body_bytes": 1000}}
    sent = []

    def before(page: Page) -> None:
        page.route("**/status", lambda route: route.fulfill(json=limits))
        page.on("request", lambda request: sent.append(request.url) if "/extract" in request.url else None)

    page = open_page(before=before)
    is_ready(page)
    page.set_input_files("#files", SHEET)
    expect(page.locator(".problem")).to_contain_text("at most 1000")
    assert sent == []


def test_a_locked_pdf_asks_for_its_password(open_page, look):
    page = open_page()
    page.set_input_files("#files", SAMPLES / "encrypted.pdf")
    expect(page.locator(".problem h3")).to_have_text("This PDF is locked with a password.")
    look(page, "locked")
    page.get_by_label("Password of the PDF").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".problem h3")).to_have_text("That password does not open this PDF.")


def test_one_password_opens_every_pdf_of_the_batch(open_page, sure):
    def serve(route: Route) -> None:
        opened = b"open sesame" in route.request.post_data_buffer
        locked = {"detail": "the document is encrypted", "code": "pdf_encrypted"}
        route.fulfill(status=200 if opened else 422, json=sure if opened else locked)

    page = open_page(before=lambda page: page.route("**/extract*", serve))
    page.set_input_files("#files", [{"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"} for name in "abc"])
    expect(page.locator("#group-failed b")).to_have_text("3")
    page.locator("tbody tr").first.click()
    page.get_by_label("Password of the PDF").fill("open sesame")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict.read")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#group-read b")).to_have_text("3")


def test_a_server_with_a_token_asks_for_it_once(open_page, look, start_server):
    guarded = start_server(env={"ALCOVE_TOKEN": "open-sesame"})
    guarded.wait_until("/readyz", 200)
    page = open_page(url=guarded.url)
    page.click("#sample")
    expect(page.locator("#token-title")).to_be_visible()
    expect(page.get_by_role("textbox", name="Access token")).to_be_focused()
    look(page, "token")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#token-text")).to_contain_text("did not accept")
    page.get_by_role("textbox", name="Access token").fill("open-sesame")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict.read, .verdict.check")).to_be_visible()
    expect(page.locator("#token")).to_be_hidden()
    page.reload()
    page.click("#sample")
    expect(page.locator(".verdict.read, .verdict.check")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0, "the token is gone with the tab"
    assert guarded.stop() == 0
