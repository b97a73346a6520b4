"""HTTP as attackers and bad networks write it, over raw sockets: none of it crashes, hangs or answers 500."""

import json
import os
import socket
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from conftest import ROOT

SHEET = (ROOT / "samples/sheets/clean-slip.pdf").read_bytes()
GET = b"GET /health HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /extract HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"


def all_of(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def replies(received: bytes) -> list[tuple[int, dict]]:
    found = []
    while received:
        head, rest = received.split(b"\r\n\r\n", 1)
        names = {line.split(b": ")[0].lower(): line.split(b": ")[1] for line in head.split(b"\r\n")[1:]}
        length = int(names[b"content-length"])
        found.append((int(head.split()[1]), json.loads(rest[:length])))
        received = rest[length:]
    return found


SMUGGLING = {
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "two equal lengths": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nabcde",
    "a signed length": POST + b"Content-Length: +5\r\n\r\nabcde",
    "a length in hex": POST + b"Content-Length: 0x5\r\n\r\nabcde",
    "an empty length": POST + b"Content-Length:\r\n\r\nabcde",
    "length and chunks": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n" + GET + b"\r\n",
    "chunks and length": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n",
    "two encodings": CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a folded header": GET + b"X-A: b\r\n  c\r\n\r\n",
    "a folded length": POST + b"Content-Length:\r\n 5\r\n\r\nabcde",
    "a blank before the colon": POST + b"Content-Length : 5\r\n\r\nabcde",
    "a header without colon": GET + b"Content-Length 5\r\n\r\n",
    "a header without name": GET + b": x\r\n\r\n",
    "a bare line feed in a header": GET + b"X-A: b\nContent-Length: 5\r\n\r\n",
    "a NUL in a header": GET + b"X-A: b\0c\r\n\r\n",
    "a blank first line of headers": b"GET /health HTTP/1.1\r\n Host: a\r\n\r\n",
    "two hosts": GET + b"Host: b\r\n\r\n",
    "a negative chunk": CHUNKED + b"\r\n-5\r\nabcde\r\n0\r\n\r\n",
    "a chunk with a sign": CHUNKED + b"\r\n+5\r\nabcde\r\n0\r\n\r\n",
    "a chunk with 0x": CHUNKED + b"\r\n0x5\r\nabcde\r\n0\r\n\r\n",
    "a chunk too long to count": CHUNKED + b"\r\n" + b"f" * 17 + b"\r\n",
    "a chunk without its line end": CHUNKED + b"\r\n5\r\nabcdeXX0\r\n\r\n",
    "a chunk of no digits": CHUNKED + b"\r\n;a=b\r\n0\r\n\r\n",
    "a trailer": CHUNKED + b"\r\n0\r\nContent-Length: 5\r\n\r\n",
}


@pytest.mark.parametrize("shape", SMUGGLING)
def test_what_two_servers_may_read_differently_is_refused_and_ends_the_connection(connect, shape):
    connection = connect()
    connection.sendall(SMUGGLING[shape] + GET + b"\r\n")
    connection.shutdown(socket.SHUT_WR)
    answers = replies(all_of(connection))
    assert len(answers) == 1, "nothing that comes after is taken for a request"
    status, body = answers[0]
    assert status in (400, 501) and body["detail"] and body["code"]


@pytest.mark.parametrize("request_line, status", [
    (b"BREW /coffee HTTP/1.1", 405), (b"TRACE / HTTP/1.1", 405), (b"GET / HTTP/9.9", 400), (b"GET /", 400), (b"GET  / HTTP/1.1", 400),
    (b"GET /" + b"a" * 70_000 + b" HTTP/1.1", 414)])
def test_request_lines_that_are_none(connect, request_line, status):
    connection = connect()
    connection.sendall(request_line + b"\r\nHost: a\r\n\r\n")
    [(got, body)] = replies(all_of(connection))
    assert got == status and body["detail"] and body["code"]


@pytest.mark.parametrize("headers", [b"".join(b"h%d: x\r\n" % i for i in range(10_000)), b"X-A: " + b"a" * 10_000 + b"\r\n",
                                     b"X-A: " + b"a" * 100_000 + b"\r\n", b"".join(b"h%d: %s\r\n" % (i, b"a" * 1000) for i in range(100))],
                         ids=["ten thousand", "ten thousand bytes", "one that never ends", "many long ones"])
def test_headers_without_measure(server, connect, headers):
    connection = connect()
    try:
        connection.sendall(GET + headers + b"\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass
    connection.shutdown(socket.SHUT_WR)
    received = all_of(connection)
    if received:  # a reset may overtake the reply while headers are still being sent
        assert replies(received)[0][0] in (200, 400, 431)
    assert requests.get(server.url + "/health", timeout=30).status_code == 200


def test_ten_thousand_bytes_of_header_are_fine(connect, read_reply):
    connection = connect()
    connection.sendall(GET + b"X-A: " + b"a" * 10_000 + b"\r\n\r\n")
    assert read_reply(connection).status == 200


def test_no_websocket_is_spoken_here(connect, read_reply):
    connection = connect()
    connection.sendall(GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n")
    reply = read_reply(connection)
    assert reply.status == 400 and reply.json()["code"] == "no_websocket"


def test_a_request_cut_anywhere_costs_nobody_else_anything(server, connect):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + SHEET + b"\r\n--x--\r\n"
    whole = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    for part in range(20):
        connection = connect()
        connection.sendall(whole[: len(whole) * part // 20])
        if part % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset in place of an end
        connection.close()
    deadline = time.monotonic() + 30
    while "alcove_requests_in_flight 1\n" not in (text := requests.get(server.url + "/metrics", timeout=30).text):
        assert time.monotonic() < deadline, [line for line in text.splitlines() if "flight" in line]
    assert requests.get(server.url + "/readyz", timeout=30).status_code == 200


def test_a_slow_upload_is_told_so_and_silence_is_ended(start_server, read_reply):
    server = start_server("--upload-time", 1, "--idle-time", 1)
    server.wait_until("/readyz", 200)

    def slow(data: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        connection.sendall(data)
        return connection

    stalled = slow(POST + b"Content-Length: 1000\r\n\r\n--x")
    chunks = slow(CHUNKED + b"\r\n3\r\n--x\r\n")
    headers = slow(GET)
    silent = slow(b"")
    between = slow(GET + b"\r\n")
    for upload in (stalled, chunks):
        reply = read_reply(upload)
        assert reply.status == 408 and reply.json()["code"] == "too_slow" and reply.headers["connection"] == "close"
    assert all_of(headers) == b"" and all_of(silent) == b"", "closed without a word: nothing was asked"
    assert all_of(between).startswith(b"HTTP/1.1 200 OK")
    for connection in (stalled, chunks):
        assert all_of(connection) == b""
    assert server.stop() == 0


@pytest.mark.parametrize("at_once", [1000, 8], ids=["in one piece", "a few at a time"])
def test_who_asks_without_reading_the_answers_is_hung_up_on(start_server, at_once):
    """Two megabytes of questions for the contract are a gigabyte of answers."""
    server = start_server()
    server.wait_until("/readyz", 200)
    before, most = server.resident(), 0
    questions = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * at_once
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        try:
            for _ in range(48_000 // at_once):
                connection.sendall(questions)
                most = max(most, server.resident())
                if at_once < 1000:
                    time.sleep(0.0005)  # so that they do not come together after all
        except (BrokenPipeError, ConnectionResetError):
            pass
        deadline = time.monotonic() + 30
        while str(connection.getsockname()[1]) in open_connections(server):
            assert time.monotonic() < deadline, "it is still listened to"
            most = max(most, server.resident())
            time.sleep(0.02)
    assert most - before < 200 << 20
    assert requests.get(server.url + "/livez", timeout=30).status_code == 200
    assert server.stop() == 0


def open_connections(server) -> set[str]:
    """The ports of those connected to the server."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {str(int(line[2].split(":")[1], 16)) for line in lines
            if line[1].endswith(f":{server.port:04X}") and line[3] == "01"}


def test_answers_that_are_read_may_be_many_and_large(server, connect, read_reply):
    connection = connect()
    for _ in range(200):  # many times what may be left unread
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_reply(connection).status == 200


def test_in_a_crowd_bodies_have_to_come_sooner(start_server, read_reply):
    server = start_server("--upload-time", 100)
    server.wait_until("/readyz", 200)
    alone = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    alone.sendall(POST + b"Content-Length: 1000\r\n\r\n--x")
    crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(720)]
    try:
        for connection in crowd:
            connection.sendall(POST + b"Content-Length: 1000\r\n\r\n--x")
        start = time.monotonic()
        assert requests.get(server.url + "/livez", timeout=30).status_code == 200
        reply = read_reply(alone)
        assert reply.status == 408 and reply.json()["code"] == "too_slow"
        assert time.monotonic() - start < 50, "long before its hundred seconds"
    finally:
        for connection in [alone, *crowd]:
            connection.close()
    assert server.stop() == 0


# --- who may ask, who hears what ---


def test_tokens_come_from_a_file_too(start_server, tmp_path):
    (tmp_path / "tokens").write_text("# scanners\nfirst\nsecond\n")
    server = start_server("--token-file", tmp_path / "tokens", "--guard-metrics", env={"ALCOVE_TOKEN": "third"})
    server.wait_until("/readyz", 200)
    for path in ("/health", "/livez", "/v2/health/ready", "/v2/models/detector/ready", "/openapi.json"):
        assert requests.get(server.url + path, timeout=30).status_code == 200
    for token, status in (("first", 200), ("second", 200), ("third", 200), ("fourth", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.get(server.url + "/metrics", headers=headers, timeout=30).status_code == status
    for method, path in (("post", "/extract/batch"), ("put", "/jobs/1"), ("get", "/jobs/1"), ("get", "/jobs/1/events"), ("delete", "/jobs/1")):
        refused = requests.request(method, server.url + path, timeout=30)
        assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
    assert server.stop() == 0


def test_a_token_file_without_a_token_does_not_leave_the_door_open(run, tmp_path):
    (tmp_path / "tokens").write_text("# none yet\n")
    for file in (tmp_path / "tokens", tmp_path / "missing"):
        done = run("serve", "answer-sheet", "--token-file", file)
        assert done.returncode == 2 and "token file" in done.stderr


def test_pages_elsewhere_may_call_when_they_are_named(start_server):
    server = start_server("--allowed-origin", "https://exams.example,https://office.example")
    server.wait_until("/health", 200)
    for origin, heard in (("https://office.example", "https://office.example"), ("https://evil.example", None)):
        reply = requests.get(server.url + "/health", headers={"Origin": origin}, timeout=30)
        assert reply.headers.get("access-control-allow-origin") == heard and reply.headers["vary"] == "Origin"
    assert reply.headers["x-request-id"]
    named = requests.get(server.url + "/health", headers={"Origin": "https://exams.example"}, timeout=30)
    assert "Retry-After" in named.headers["access-control-expose-headers"]
    assert requests.get(server.url + "/", timeout=30).headers["vary"] == "Accept, Origin"
    preflight = requests.options(server.url + "/jobs/1", headers={"Origin": "https://exams.example"}, timeout=30)
    assert preflight.status_code == 204 and preflight.headers["access-control-allow-methods"] == "PUT, GET, DELETE, OPTIONS"
    assert server.stop() == 0


def test_a_request_is_found_again_by_its_id_and_its_trace(start_server):
    server = start_server()
    server.wait_until("/readyz", 200)
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    headers = {"X-Request-Id": "desk-7", "traceparent": f"00-{trace}-{span}-01"}
    reply = requests.post(server.url + "/extract", headers=headers, files={"file": ("a.pdf", SHEET)}, timeout=120)
    assert reply.headers["x-request-id"] == "desk-7"
    assert float(reply.headers["x-queue-time"]) >= 0 and float(reply.headers["x-inference-time"]) > 0
    assert "detect;dur=" in reply.headers["server-timing"]
    forged = requests.get(server.url + "/nope", headers={"X-Request-Id": 'a"} {"event":"forged', "traceparent": "00-x"}, timeout=30)
    assert forged.headers["x-request-id"] != 'a"} {"event":"forged'
    assert server.stop() == 0
    lines = [line for line in server.log_lines() if line["event"] == "request"]
    [line] = [line for line in lines if line["id"] == "desk-7"]
    assert (line["route"], line["method"], line["status"], line["trace_id"], line["parent_id"]) == ("/extract", "POST", 200, trace, span)
    assert line["ms"] > 0
    assert [other for other in lines if other["route"] == "/other" and other["reason"] == "no_such_path" and "trace_id" not in other]


def test_the_log_can_be_text(start_server):
    server = start_server("--log", "text")
    server.wait_until("/readyz", 200)
    requests.get(server.url + "/nope", timeout=30)
    assert server.stop() == 0
    assert 'request id="' in server.log.read_text() and "{" not in server.log.read_text()


# --- under load, and on machines that refuse things ---


def test_probes_never_wait_for_sheets(start_server):
    """Every core infers; a probe takes a small part of a sheet's time all the same."""
    server = start_server("--workers", os.cpu_count() or 2, "--queue", 64)
    server.wait_until("/readyz", 200)

    def sheet(_) -> float:
        start = time.monotonic()
        assert requests.post(server.url + "/extract", files={"file": ("a.pdf", SHEET)}, timeout=120).status_code == 200
        return time.monotonic() - start

    probes = []
    with ThreadPoolExecutor(8) as crowd, requests.Session() as session:
        sheets = [crowd.submit(sheet, i) for i in range(40)]
        while not all(each.done() for each in sheets):
            start = time.monotonic()
            assert session.get(server.url + "/livez", timeout=30).status_code == 200
            probes.append(time.monotonic() - start)
            time.sleep(0.005)
    waits = [each.result() for each in sheets]
    assert len(probes) >= 20
    assert statistics.quantiles(probes, n=10)[8] < statistics.median(waits) / 2
    assert server.stop() == 0


@pytest.mark.parametrize("where", ["/proc/no-such-folder", "/dev/null/under-a-file"])
def test_a_cache_that_cannot_be_written_is_done_without(start_server, where):
    server = start_server(env={"ALCOVE_CACHE": where})
    server.wait_until("/readyz", 200)
    assert requests.post(server.url + "/extract", files={"file": ("a.pdf", SHEET)}, timeout=120).status_code == 200
    assert server.stop() == 0
    assert any(line["event"] == "compiled_model_not_kept" for line in server.log_lines())


def test_a_disk_that_is_full_is_done_without(start_server, tmp_path):
    """No file may grow to the size of a compiled model, as on a full disk: the models are compiled and served, and nothing half-written
    stays. Sheets are smaller: the limit holds for the memory in which they are shown to the decoders, too."""
    full_disk = ("sh", "-c", "trap '' XFSZ; exec prlimit --fsize=524288 \"$@\"", "sh")
    server = start_server(env={"ALCOVE_CACHE": str(tmp_path / "cache")}, under=full_disk)
    server.wait_until("/readyz", 200)
    assert requests.post(server.url + "/extract", files={"file": ("a.pdf", SHEET)}, timeout=120).status_code == 200
    assert server.stop() == 0
    left = [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert not left, left


def test_no_home_and_no_place_to_write_are_needed(start_server):
    server = start_server(env={"ALCOVE_CACHE": "", "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"})
    server.wait_until("/readyz", 200)
    assert requests.post(server.url + "/extract", files={"file": ("a.pdf", SHEET)}, timeout=120).status_code == 200
    assert server.stop() == 0


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
READ_ONLY = ("unshare", "--mount", "sh", "-c", 'mount -o remount,ro,bind / && exec "$@"', "sh")


def test_a_user_without_rights_on_a_read_only_system_serves(start_server, alcove, models):
    under = (*READ_ONLY, *NOBODY)
    if subprocess.run([*under, "test", "-x", alcove, "-a", "-r", models / "improved_weights.pt"], capture_output=True).returncode != 0:
        pytest.skip("takes root, and a checkout that everybody may read")
    assert subprocess.run([*under, "touch", "/tmp/written"], capture_output=True).returncode != 0
    server = start_server(env={"HOME": "/nonexistent", "ALCOVE_CACHE": "/tmp/compiled"}, under=under)
    server.wait_until("/readyz", 200)
    assert requests.post(server.url + "/extract", files={"file": ("a.pdf", SHEET)}, timeout=120).status_code == 200
    limits = requests.get(server.url + "/status", timeout=30).json()["decode_workers"]["limits"]
    assert limits["memory"] and limits["files"] and limits["dies_with_parent"]
    assert server.stop() == 0
