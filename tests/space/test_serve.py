"""The answer-sheet Space over HTTP: its contract, its refusals, its life."""

import base64
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from conftest import ROOT

LIMIT = 52_428_800
SHEET = ROOT / "samples/sheets/clean-slip.pdf"


def extract(server, content: bytes, name: str = "sheet.jpg", **fields: str) -> requests.Response:
    return requests.post(server.url + "/extract", files={"file": (name, content)}, data=fields, timeout=120)


# --- what a client of the original relies on ---


def test_root_names_the_service_and_a_browser_gets_the_page(server):
    reply = requests.get(server.url + "/", timeout=10)
    assert reply.json()["service"] == "Answer Sheet ML Inference"
    assert "POST /extract" in reply.json()["endpoints"] and reply.json()["version"]
    assert "browser" in reply.json()["page"] and "standard error" in reply.json()["log"]
    page = requests.get(server.url + "/", headers={"Accept": "text/html,*/*;q=0.8"}, timeout=10)
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"


def test_health_and_status(server):
    assert requests.get(server.url + "/health", timeout=10).json() == {"status": "ok", "service": "Answer Sheet ML Inference"}
    status = requests.get(server.url + "/status", timeout=10).json()
    assert status["ready"] is True and isinstance(status["device"], str)
    assert (status["primary_yolo"], status["register_crnn"], status["subject_crnn"]) == (True, True, True)
    assert {model["role"] for model in status["models"]} >= {"detector", "register_reader", "subject_reader"}
    assert all(len(model["sha256"]) == 64 for model in status["models"])


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"])
def test_probes(server, path):
    assert requests.get(server.url + path, timeout=10).status_code == 200


def test_extract_answers_the_contracts_body(server, samples):
    reply = extract(server, SHEET.read_bytes(), SHEET.name, exam_type="CIA1")
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["success"] is True and body["exam_type"] == "CIA1"
    for field in ("register", "subject"):
        for candidate in body[f"{field}_candidates"]:
            assert set(candidate) == {"value", "confidence", "detection_confidence"}
            assert 0 <= candidate["confidence"] <= 1 and 0 <= candidate["detection_confidence"] <= 1
    truth = samples[SHEET.name]
    assert (body["register_number"], body["subject_code"]) == (truth["register_number"], truth["subject_code"])
    best = [body["register_candidates"][0]["confidence"], body["subject_candidates"][0]["confidence"]]
    assert body["confidence"] == min(best)
    assert body["reasons"] == [advice["code"] for advice in body["advice"]] and body["timings_ms"]["total"] > 0
    for box in body["boxes"]:
        left, top, right, bottom = box["box"]
        assert 0 <= left < right <= body["page"]["width"] and 0 <= top < bottom <= body["page"]["height"]
    assert reply.headers["access-control-allow-origin"] == "*" and reply.headers["x-request-id"]


def test_base64_in_every_spelling_reads_the_same(server):
    small = (ROOT / "web/sheet/sample.jpg").read_bytes()
    text = base64.b64encode(small).decode()
    url = server.url + "/extract/base64"
    replies = [
        extract(server, small),
        requests.post(url, data={"image_data": text}, timeout=120),
        requests.post(url, files={"image_data": (None, text)}, timeout=120),
        requests.post(url, json={"image_data": text, "filename": "sheet.jpg"}, timeout=120),
        requests.post(url, json={"image_data": "data:image/jpeg;base64," + text}, timeout=120),
    ]
    for reply in replies:
        assert reply.status_code == 200, reply.text
        assert reply.json()["boxes"] == replies[0].json()["boxes"]
    assert requests.post(url, timeout=30).status_code == 400
    assert requests.post(url, params={"image_data": "a*b"}, timeout=30).status_code == 400


def test_a_preview_comes_only_when_asked_for(server):
    files = {"file": (SHEET.name, SHEET.read_bytes())}
    body = requests.post(server.url + "/extract?preview=1", files=files, timeout=120).json()
    picture = base64.b64decode(body["preview"].removeprefix("data:image/jpeg;base64,"))
    assert picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9")
    assert "preview" not in extract(server, SHEET.read_bytes()).json()


def test_posteriors_come_only_when_asked_for_and_say_what_was_read(server):
    files = {"file": ("sheet.pdf", SHEET.read_bytes())}
    body = requests.post(server.url + "/extract?posteriors=1", files=files, timeout=120).json()
    box = next(box for box in body["boxes"] if box["field"] == "register_number")
    sent = box["posteriors"]
    rows = base64.b64decode(sent["data"])
    classes = len(sent["alphabet"]) + 1
    assert len(rows) == sent["steps"] * classes
    best = [min(range(classes), key=lambda each: rows[step * classes + each]) for step in range(sent["steps"])]
    read = "".join(sent["alphabet"][each - 1] for before, each in zip([0, *best], best) if each and each != before)
    assert read == box["value"] == body["register_number"]
    assert all("posteriors" not in box for box in extract(server, SHEET.read_bytes()).json()["boxes"])


# --- bad input: a sentence and the contract's status, never a 500 ---


def test_unrecognised_content_is_judged_by_its_name(server):
    for name, status in (("sheet.jpg", 422), ("sheet.PDF", 422), ("notes.txt", 400), ("sheet", 400)):
        for content in (b"", b"just some text that was renamed\n" * 20, b"\0" * 4096):
            reply = extract(server, content, name)
            assert reply.status_code == status, (name, content[:10], reply.text)
            assert reply.json()["detail"]
            assert (reply.json().get("success") is False) == (status == 422)


def test_good_content_wins_over_a_wrong_name(server):
    assert extract(server, SHEET.read_bytes(), "sheet.txt").status_code == 200


def test_an_encrypted_pdf_says_so(server):
    reply = extract(server, (ROOT / "samples/sheets/encrypted.pdf").read_bytes(), "encrypted.pdf")
    assert reply.status_code == 422 and reply.json()["code"] == "pdf_encrypted"
    assert set(reply.json()) >= {"success", "error", "detail"}


@pytest.mark.parametrize("name", ["clean-band.jpg", "clean-ledger.png", "clean-slip.pdf", "scan-grey.tiff", "clean-plain.webp", "scan-grey.bmp"])
def test_a_file_cut_anywhere_never_breaks_the_server(server, name):
    whole = (ROOT / "samples/sheets" / name).read_bytes()
    for part in range(12):
        reply = extract(server, whole[: len(whole) * part // 12], name)
        assert reply.status_code in (200, 422), (part, reply.status_code, reply.text[:200])
        assert reply.status_code == 200 or reply.json()["detail"]
    assert requests.get(server.url + "/readyz", timeout=10).status_code == 200


def test_multipart_that_is_none(server):
    url = server.url + "/extract"
    sheet = SHEET.read_bytes()
    cases = {
        "without boundary": requests.post(url, data=b"x", headers={"Content-Type": "multipart/form-data"}, timeout=30),
        "wrong boundary": requests.post(url, data=b"--a\r\n", headers={"Content-Type": "multipart/form-data; boundary=b"}, timeout=30),
        "no file": requests.post(url, files={"exam_type": (None, "CIA1")}, timeout=30),
        "text in the field": requests.post(url, files={"file": (None, "text")}, timeout=30),
        "another field": requests.post(url, files={"image": ("a.jpg", b"x")}, timeout=30),
        "no body": requests.post(url, timeout=30),
        "json": requests.post(url, json={"file": "x"}, timeout=30),
        "two files": requests.post(url, files=[("file", ("a.pdf", sheet)), ("file", ("b.pdf", sheet))], timeout=30),
        "cut off": requests.post(url, data=b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
                                 headers={"Content-Type": "multipart/form-data; boundary=b"}, timeout=30),
    }
    for case, reply in cases.items():
        assert reply.status_code == 400, (case, reply.text)
        assert len(reply.json()["detail"]) > 10, case
    assert cases["no file"].json()["detail"].startswith("No file")
    assert "one is wanted" in cases["two files"].json()["detail"]


def test_unknown_paths_and_methods_answer_in_json(server):
    assert requests.get(server.url + "/nope", timeout=10).status_code == 404
    assert requests.get(server.url + "/nope", timeout=10).json()["detail"]
    wrong = requests.get(server.url + "/extract", timeout=10)
    assert wrong.status_code == 405 and wrong.json()["detail"] and wrong.headers["allow"] == "POST"
    assert requests.options(server.url + "/extract", timeout=10).headers["access-control-allow-methods"]


# --- sizes ---

HEAD = "POST /extract HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n{}\r\n\r\n"


def test_a_body_one_byte_too_long_is_refused_before_it_is_read(connect, read_reply):
    connection = connect()
    connection.sendall(HEAD.format(f"Content-Length: {LIMIT + 1}").encode())
    reply = read_reply(connection)  # not a byte of the body was sent
    assert reply.status == 413 and str(LIMIT) in reply.json()["detail"]
    assert reply.headers["connection"] == "close"


def test_a_client_that_sends_it_all_first_still_gets_the_refusal(server):
    reply = requests.post(server.url + "/extract", data=b"x" * (LIMIT + 1), timeout=60,
                          headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert reply.status_code == 413 and reply.json()["detail"]


def send_while_listening(connection: socket.socket, pieces) -> None:
    """Sends until told to stop by a reply or a closed connection."""
    connection.settimeout(0)
    for piece in pieces:
        view = memoryview(piece)
        while view:
            try:
                view = view[connection.send(view):]
            except BlockingIOError:
                time.sleep(0.001)
            except (BrokenPipeError, ConnectionResetError):
                return
    connection.settimeout(30)


@pytest.mark.parametrize("chunk", [1 << 16, LIMIT + 1], ids=["small chunks", "one chunk"])
def test_a_chunked_body_is_stopped_at_the_limit(connect, read_reply, chunk):
    connection = connect()
    connection.sendall(HEAD.format("Transfer-Encoding: chunked").encode())
    piece = f"{chunk:x}\r\n".encode() + b"x" * chunk + b"\r\n"
    send_while_listening(connection, [piece] * (LIMIT // chunk + 1))
    reply = read_reply(connection)
    assert reply.status == 413 and reply.json()["detail"]


def test_the_largest_body_is_read(server):
    sheet = SHEET.read_bytes()
    form = requests.Request("POST", server.url + "/extract", files={"file": ("a.pdf", sheet)}).prepare()
    padding = LIMIT - len(form.body)
    reply = extract(server, sheet + b"\0" * padding, "a.pdf")
    assert reply.status_code in (200, 422), reply.text  # the bytes after a PDF's end may or may not be forgiven
    assert reply.request.headers["content-length"] == str(LIMIT)


# --- HTTP itself ---


@pytest.mark.parametrize("body", [b"2\r\nab\r\n-2\r\n\r\n", b"-1\r\nx", b"fffffffffffffffff\r\n", b"zz\r\n", b"2\r\nabc\r\n", b"\r\n"])
def test_chunk_lengths_that_lie(server, connect, body):
    connection = connect()
    connection.sendall(HEAD.format("Transfer-Encoding: chunked").encode() + body)
    assert connection.recv(64).startswith(b"HTTP/1.1 400")
    assert requests.get(server.url + "/health", timeout=10).status_code == 200


@pytest.mark.parametrize("headers", ["Content-Length: -2", "Content-Length: 5abc", "Content-Length: 99999999999999999999",
                                     "Content-Length: 5\r\nTransfer-Encoding: chunked"])
def test_lengths_that_make_no_sense(connect, headers):
    connection = connect()
    connection.sendall(HEAD.format(headers).encode())
    assert connection.recv(64).startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))


def test_rubbish_and_endless_headers(server, connect):
    for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 1000,
                 b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % i for i in range(100_000))):
        connection = connect()
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert requests.get(server.url + "/health", timeout=10).status_code == 200


def test_a_request_may_come_byte_by_byte_and_connections_are_reused(connect, read_reply):
    connection = connect()
    for byte in b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n":
        connection.sendall(bytes([byte]))
    assert read_reply(connection).status == 200
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
    together = b""
    while together.count(b'"Answer Sheet ML Inference"}') < 3:
        together += connection.recv(65536)
    assert together.count(b"HTTP/1.1 200 OK") == 3
    connection.sendall(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(65536).endswith(b"\r\n\r\n"), "a HEAD has no body"


# --- its life ---


def test_probes_answer_before_the_models_do(start_server, tmp_path):
    """Timed on a start that has to compile everything."""
    server = start_server(env={"ALCOVE_CACHE": str(tmp_path / "empty")})
    first = server.wait_until("/health", 200)
    early = requests.get(server.url + "/status", timeout=10).json()
    ready = server.wait_until("/readyz", 200)
    assert first < 5
    if not early["ready"]:  # a machine may be quicker than this test
        assert early["error"] and early["state"] == "loading" and ready > 0
    assert server.stop() == 0


def test_missing_models_are_named_and_found_when_they_come(start_server, tmp_path, models):
    folder = tmp_path / "models"
    folder.mkdir()
    server = start_server(models_folder=folder)
    server.wait_until("/health", 200)
    deadline = time.monotonic() + 20
    while (status := requests.get(server.url + "/status", timeout=10).json()).get("state") == "loading":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert status["ready"] is False and status["error"].startswith("Model weights not found: ")
    assert (status["primary_yolo"], status["register_crnn"], status["subject_crnn"]) == (False, False, False)
    refused = extract(server, SHEET.read_bytes())
    assert refused.status_code == 503 and int(refused.headers["retry-after"]) >= 1 and refused.json()["detail"]
    assert requests.get(server.url + "/readyz", timeout=10).status_code == 503
    for file in models.iterdir():
        if file.suffix in (".pt", ".pth"):
            (folder / file.name).symlink_to(file)
    server.wait_until("/readyz", 200)
    assert extract(server, SHEET.read_bytes()).status_code == 200
    assert server.stop() == 0


def test_a_full_house_says_so_at_once_and_probes_go_on(start_server):
    server = start_server("--workers", 1, "--queue", 1)
    server.wait_until("/readyz", 200)
    sheet = SHEET.read_bytes()
    slowest = 0.0
    with ThreadPoolExecutor(24) as crowd:
        replies = [crowd.submit(extract, server, sheet) for _ in range(24)]
        while not all(reply.done() for reply in replies):
            start = time.monotonic()
            assert requests.get(server.url + "/livez", timeout=10).status_code == 200
            slowest = max(slowest, time.monotonic() - start)
            time.sleep(0.01)
    answers = [reply.result() for reply in replies]
    assert {reply.status_code for reply in answers} == {200, 429}
    for reply in answers:
        if reply.status_code == 429:
            assert int(reply.headers["retry-after"]) >= 1 and reply.json()["detail"]
    assert slowest < 2, "probes must not wait for sheets"
    assert server.stop() == 0


def test_the_token_guards_extract_and_stays_out_of_the_log(start_server):
    server = start_server(env={"ALCOVE_TOKEN": "open-sesame"})
    server.wait_until("/readyz", 200)
    assert requests.get(server.url + "/status", timeout=10).status_code == 200
    assert extract(server, SHEET.read_bytes()).status_code == 401
    for wrong in ("Bearer open-sesamo", "open-sesame", "Basic open-sesame"):
        reply = requests.post(server.url + "/extract", headers={"Authorization": wrong}, files={"file": ("a.pdf", SHEET.read_bytes())}, timeout=30)
        assert reply.status_code == 401 and reply.json()["detail"]
    reply = requests.post(server.url + "/extract", headers={"Authorization": "Bearer open-sesame"},
                          files={"file": ("a.pdf", SHEET.read_bytes())}, timeout=120)
    assert reply.status_code == 200
    assert server.stop() == 0
    assert "sesam" not in server.log.read_text()


def test_the_log_is_json_without_names_or_readings(start_server, samples):
    server = start_server()
    server.wait_until("/readyz", 200)
    body = extract(server, SHEET.read_bytes(), "Jane Doe 2026.pdf").json()
    requests.get(server.url + "/Jane-Doe.pdf", timeout=10)
    assert server.stop() == 0
    lines = server.log_lines()
    assert any(line["event"] == "request" and line["route"] == "/extract" and line["status"] == 200 for line in lines)
    text = server.log.read_text()
    for secret in ("Jane", body["register_number"], body["subject_code"]):
        assert secret not in text


def test_the_log_of_a_start_says_what_was_found_and_how_long_it_took(start_server, models):
    server = start_server()
    server.wait_until("/readyz", 200)
    assert server.stop() == 0
    lines = [line for line in server.log_lines() if line["event"] in {"listening", "models_found", "model_loaded", "models_ready"}]
    assert [line["event"] for line in lines] == ["listening", "models_found", *["model_loaded"] * 3, "models_ready"]
    assert lines[0]["port"] == server.port
    assert lines[1]["folder"] == str(models) and "improved_weights.pt" in lines[1]["files"]
    assert [line["role"] for line in lines[2:5]] == ["detector", "register_reader", "subject_reader"]
    for line in lines[2:5]:
        assert line["file"] and line["what"] and 0 < line["seconds"] <= lines[-1]["seconds"]


def test_metrics_count_what_happened(start_server):
    server = start_server()
    server.wait_until("/readyz", 200)
    extract(server, SHEET.read_bytes())
    extract(server, b"text", "a.jpg")
    text = requests.get(server.url + "/metrics", timeout=10).text
    assert 'alcove_requests_total{route="/extract",status="200",outcome="ok",reason=""} 1' in text
    assert 'alcove_requests_total{route="/extract",status="422",outcome="unreadable",reason="unknown_format"} 1' in text
    assert 'alcove_sheets_total{outcome="ok"} 1' in text and 'alcove_stage_seconds_count{stage="detect"} 1' in text
    assert "alcove_ready 1" in text and "alcove_model_load_seconds" in text
    assert server.stop() == 0


def test_sigterm_finishes_the_sheets_in_hand(start_server):
    server = start_server("--workers", 1)
    server.wait_until("/readyz", 200)
    sheet = SHEET.read_bytes()
    with ThreadPoolExecutor(4) as crowd:
        replies = [crowd.submit(extract, server, sheet) for _ in range(4)]
        deadline = time.monotonic() + 10
        while requests.get(server.url + "/status", timeout=10).json()["queue"]["running"] == 0:
            assert time.monotonic() < deadline
        assert server.stop() == 0
        for reply in replies:
            assert reply.result().status_code in (200, 503), "every client gets an answer"
        assert any(reply.result().status_code == 200 for reply in replies)


def test_a_port_that_is_taken_is_a_clear_sentence(server, run):
    done = run("serve", "answer-sheet", "--port", server.port, "--host", "127.0.0.1")
    assert done.returncode != 0
    assert f"port {server.port} is taken" in done.stderr


def test_a_second_signal_ends_it_at_once(start_server):
    server = start_server("--workers", 1)
    server.wait_until("/readyz", 200)
    held = socket.create_connection(("127.0.0.1", server.port))
    held.sendall(HEAD.format("Content-Length: 1000").encode() + b"--x")  # an upload that never ends
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert server.process.poll() is None, "it waits for the upload"
    assert requests.get(server.url + "/readyz", timeout=10).status_code == 503
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=5) == 128 + signal.SIGTERM
    held.close()


def test_every_sample_is_read_or_refused_with_a_reason(server, samples):
    for name in samples:
        reply = extract(server, (ROOT / "samples/sheets" / name).read_bytes(), name)
        assert reply.status_code in (200, 422), (name, reply.text)
        body = reply.json()
        if reply.status_code == 422:
            assert body["code"] and body["detail"]
        elif body["register_number"] is None or body["subject_code"] is None:
            assert body["reasons"], name
