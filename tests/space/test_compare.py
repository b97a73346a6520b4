"""`alcove read --compare`: against a server written here with the standard library, and against `alcove serve` itself."""

import csv
import http.server
import io
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from conftest import ROOT

SHEET = ROOT / "samples/sheets/clean-band.jpg"
Answer = Callable[[bytes], tuple[int, bytes]]


@pytest.fixture
def python_server() -> Iterator[Callable[[Answer], str]]:
    """A server of the contract in Python: `POST /extract` with what the test's function makes of the body."""
    running = []

    def start(answer: Answer) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, reply = answer(body) if self.path == "/extract" else (404, b'{"detail": "Not Found"}')
                self.send_response(status)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def ours(run, models) -> dict:
    """What we read, with the contract's keys alone: all that the original sends."""
    (reading,) = json.loads(run("read", SHEET, "--models", models, "--format", "json").stdout)
    assert reading["register_number"] and reading["subject_code"]
    return {key: reading[key] for key in ("success", "register_number", "subject_code", "register_candidates", "subject_candidates")}


def compare(run, models, url: str, *flags: str):
    return run("read", SHEET, "--models", models, "--compare", url, *flags)


def test_a_server_that_reads_the_same_agrees(run, models, python_server, ours):
    posted = []

    def answer(body: bytes) -> tuple[int, bytes]:
        posted.append(body)
        return 200, json.dumps(ours).encode()

    done = compare(run, models, python_server(answer))
    assert done.returncode == 0, done.stdout + done.stderr
    assert SHEET.read_bytes() in posted[0] and b'name="file"; filename="clean-band.jpg"' in posted[0], "the same file, as the contract wants it"
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[1] for row in rows[1:]] == ["success", "register_number", "register_confidence", "register_detection", "subject_code",
                                            "subject_confidence", "subject_detection", "time"]
    assert all(row[-1] == "agrees" for row in rows[1:-1])
    assert "1 of 1 agree in every field" in done.stderr


def test_what_differs_is_shown_with_how_much_and_how_long(run, models, python_server, ours):
    theirs = json.loads(json.dumps(ours))
    theirs["register_number"] = ours["register_number"][:-1]
    theirs["register_candidates"][0]["confidence"] = round(ours["register_candidates"][0]["confidence"] - 0.25, 4)

    def answer(_: bytes) -> tuple[int, bytes]:
        time.sleep(0.3)
        return 200, json.dumps(theirs).encode()

    url = python_server(answer)
    done = compare(run, models, url + "/extract", "--format", "json")
    assert done.returncode == 1
    (file,) = json.loads(done.stdout)
    fields = {field["field"]: field for field in file["fields"]}
    assert not file["agrees"] and not fields["register_number"]["agrees"] and fields["subject_code"]["agrees"]
    assert (fields["register_number"]["ours"], fields["register_number"]["theirs"]) == (ours["register_number"], theirs["register_number"])
    assert fields["register_number"]["distance"] == 1
    assert fields["register_confidence"]["distance"] == pytest.approx(0.25, abs=1e-6)
    assert file["milliseconds"]["theirs"] >= 300 and file["milliseconds"]["ours"] > 0

    rows = list(csv.DictReader(io.StringIO(compare(run, models, url + "/", "--format", "csv").stdout)))
    assert [row["agrees"] for row in rows if row["field"] == "register_number"] == ["no"]
    table = compare(run, models, url).stdout
    assert "differs in 1 symbol" in table and "differs by 0.2500" in table


@pytest.mark.parametrize(("status", "reply", "said"), [
    (500, b'{"detail": "CUDA out of memory"}', "CUDA out of memory"),
    (200, b'{"success": false, "error": "Could not decode"}', "Could not decode"),
    (502, b"<html>Bad gateway</html>", "status 502"),
    (302, b"", "status 302"),
    (500, b"{}", "status 500, and not a word why"),
    (200, b'{"success": true, "regi', "no JSON object"),
])
def test_a_server_that_fails_on_a_file_is_a_difference_in_its_own_words(run, models, python_server, status, reply, said):
    done = compare(run, models, python_server(lambda _: (status, reply)))
    assert done.returncode == 1
    assert said in next(line for line in done.stdout.splitlines() if " error " in line)


def test_a_server_that_is_not_there_is_one_sentence(run, models):
    done = compare(run, models, "http://127.0.0.1:9")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and "http://127.0.0.1:9/extract did not answer" in done.stderr


def test_our_own_server_reads_what_we_read(run, models, server):
    done = run("read", SHEET, ROOT / "samples/sheets/turned-90.jpg", ROOT / "samples/sheets/encrypted.pdf", "--models", models, "--compare", server.url)
    assert done.returncode == 0, done.stdout
    assert "3 of 3 agree in every field" in done.stderr
