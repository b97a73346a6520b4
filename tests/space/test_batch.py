"""Many sheets at once: results as they come, and jobs to come back for."""

import io
import json
import time
import zipfile

import pytest
import requests

from conftest import ROOT

SHEETS = ROOT / "samples/sheets"
SHEET = (SHEETS / "clean-slip.pdf").read_bytes()


def lines(reply: requests.Response) -> list[dict]:
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in reply.iter_lines()]


def batch(server, files, **more) -> requests.Response:
    return requests.post(server.url + "/extract/batch", files=files, stream=True, timeout=300, **more)


def zip_of(entries: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def sheets_read(server) -> int:
    text = requests.get(server.url + "/metrics", timeout=30).text
    return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith("alcove_sheets_total"))


def wait_until_idle(server) -> None:
    deadline = time.monotonic() + 120
    while any(requests.get(server.url + "/status", timeout=30).json()["queue"][key] for key in ("waiting", "running")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def one_worker(start_server):
    server = start_server("--workers", 1)
    server.wait_until("/readyz", 200)
    return server


# --- POST /extract/batch ---


def test_each_file_reads_as_it_does_alone(server):
    names = ["clean-slip.pdf", "clean-band.jpg", "encrypted.pdf", "scan-grey.tiff"]
    contents = {name: (SHEETS / name).read_bytes() for name in names} | {"notes.txt": b"not a sheet"}
    results = lines(batch(server, [("file", pair) for pair in contents.items()], data={"exam_type": "CIA1"}))
    assert sorted(line["index"] for line in results) == list(range(5))
    for line in results:
        name = line["file"]
        assert name == list(contents)[line["index"]]
        alone = requests.post(server.url + "/extract", files={"file": (name, contents[name])}, timeout=120)
        assert line["status"] == alone.status_code and line["success"] == (alone.status_code == 200), name
        if alone.ok:
            assert line["exam_type"] == "CIA1"
        for key in ("register_number", "subject_code", "detail", "code", "reasons"):
            assert line.get(key) == alone.json().get(key), (name, key)


@pytest.mark.parametrize("road", ["form", "body"])
def test_a_zip_is_its_files(server, road):
    archive = zip_of({"monday/": b"", "monday/a.pdf": SHEET, "__MACOSX/._a.pdf": b"x", ".DS_Store": b"x",
                      "../../etc/passwd.jpg": SHEET, "inner.zip": zip_of({"b.pdf": SHEET}), "bomb.jpg": b"\0" * (60 << 20),
                      "empty.jpg": b""})
    assert len(archive) < 1 << 20
    if road == "form":
        reply = batch(server, {"file": ("sheets.zip", archive)})
    else:
        reply = requests.post(server.url + "/extract/batch", data=archive, headers={"Content-Type": "application/zip"}, timeout=300)
    results = {line["file"]: (line["status"], line.get("code")) for line in lines(reply)}
    assert results == {"monday/a.pdf": (200, None), "../../etc/passwd.jpg": (422, "bad_entry_name"), "inner.zip": (400, "unknown_format"),
                       "bomb.jpg": (413, "file_too_large"), "empty.jpg": (422, "empty_file")}


def test_archives_that_cannot_be_read_are_refused_as_a_whole(server):
    whole = zip_of({f"{i}.jpg": b"x" for i in range(3)})
    many = zip_of({f"{i}.jpg": b"" for i in range(2500)})
    bomb = zip_of({f"{i}.jpg": b"\0" * (40 << 20) for i in range(15)})
    for content, status, code in ((whole[:-30], 422, "damaged_zip"), (b"PK\3\4" + b"x" * 500, 422, "damaged_zip"),
                                  (many, 413, "too_many_files"), (bomb, 413, "batch_too_large"), (zip_of({}), 400, "no_file")):
        reply = batch(server, {"file": ("a.zip", content)})
        assert (reply.status_code, reply.json()["code"]) == (status, code), reply.text
        assert reply.json()["detail"]
    too_many = batch(server, [("file", ("a.jpg", b"x"))] * 501)
    assert too_many.status_code == 413 and too_many.json()["code"] == "too_many_files"
    assert batch(server, {"exam_type": (None, "CIA1")}).json()["code"] == "no_file"
    assert requests.post(server.url + "/extract/batch", json={}, timeout=30).status_code == 400


def test_results_come_while_the_rest_is_read_and_others_get_their_turn(one_worker):
    before = sheets_read(one_worker)
    reply = batch(one_worker, [("file", (f"{i}.pdf", SHEET)) for i in range(12)])
    stream = reply.iter_lines(chunk_size=1)
    json.loads(next(stream))
    assert sheets_read(one_worker) < before + 12, "the first line came before the last sheet was read"
    single = requests.post(one_worker.url + "/extract", files={"file": ("a.pdf", SHEET)}, timeout=120)
    assert single.status_code == 200
    assert sheets_read(one_worker) < before + 13, "a single sheet does not wait for a whole batch"
    assert len(list(stream)) == 11


def test_whoever_hangs_up_is_not_read_for(one_worker):
    before = sheets_read(one_worker)
    reply = batch(one_worker, [("file", (f"{i}.pdf", SHEET)) for i in range(40)])
    next(reply.iter_lines(chunk_size=1))
    reply.close()
    wait_until_idle(one_worker)
    assert sheets_read(one_worker) < before + 40


def test_a_client_of_http_1_0_gets_it_whole(server, connect):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nrubbish\r\n--x--\r\n'
    head = f"POST /extract/batch HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = connect()
    connection.sendall(head.encode() + body)
    received = b""
    while piece := connection.recv(65536):
        received += piece
    head, text = received.split(b"\r\n\r\n", 1)
    assert b"chunked" not in head.lower() and json.loads(text)["status"] == 422


def test_a_client_that_wants_the_connection_closed_gets_all_of_it(server):
    reply = batch(server, {"file": ("a.pdf", SHEET)}, headers={"Connection": "close"})
    assert len(lines(reply)) == 1
    assert reply.headers["connection"] == "close"


# --- jobs ---


def put(server, job: str, files, **more) -> requests.Response:
    return requests.put(f"{server.url}/jobs/{job}", files=files, timeout=120, **more)


def wait_for(server, job: str) -> dict:
    deadline = time.monotonic() + 120
    while (state := requests.get(f"{server.url}/jobs/{job}", timeout=30).json())["state"] != "done":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return state


def events(server, job: str, after: int | None = None) -> list[tuple[int, str, dict]]:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    reply = requests.get(f"{server.url}/jobs/{job}/events", headers=headers, timeout=120)
    assert reply.status_code == 200 and reply.headers["content-type"] == "text/event-stream"
    found = []
    for block in reply.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def test_a_job_can_be_sent_twice_and_asked_for_at_any_time(server):
    files = [("file", (f"{i}.pdf", SHEET)) for i in range(3)]
    before = sheets_read(server)
    first = put(server, "monday-1", files)
    assert first.status_code == 202 and first.headers["location"] == "/jobs/monday-1" and int(first.headers["retry-after"]) >= 1
    done = wait_for(server, "monday-1")
    assert (done["files"], done["read"]) == (3, 3) and all(line["success"] for line in done["results"])
    again = put(server, "monday-1", files)
    assert again.status_code == 200 and again.json() == done
    assert sheets_read(server) == before + 3
    other = put(server, "monday-1", files[:2])
    assert other.status_code == 409 and other.json()["code"] == "other_content"
    assert put(server, "no good", files).json()["code"] == "bad_job_id"


def test_events_go_on_where_a_client_left_off(server):
    put(server, "events", [("file", (f"{i}.pdf", SHEET)) for i in range(4)])
    everything = events(server, "events")
    assert [number for number, _, _ in everything] == [1, 2, 3, 4, 5]
    assert [kind for _, kind, _ in everything] == ["result"] * 4 + ["done"]
    assert everything[-1][2] == {"id": "events", "files": 4, "read": 4}
    assert events(server, "events", after=2) == everything[2:]
    nothing = requests.get(server.url + "/jobs/events/events", headers={"Last-Event-ID": "5"}, timeout=30)
    assert nothing.status_code == 204
    assert events(server, "events", after=10**30) == everything, "a number that is none starts at the beginning"


def test_head_of_a_stream_is_its_head_alone(server, connect):
    requests.put(f"{server.url}/jobs/head", files=[("files", ("a.jpg", SHEET))], timeout=60)
    connection = connect()
    connection.sendall(b"HEAD /jobs/head/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    reply = b"".join(iter(lambda: connection.recv(65536), b""))
    head, body = reply.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200") and b"text/event-stream" in head and body == b""


def test_a_removed_job_is_forgotten(server):
    put(server, "gone", {"file": ("a.pdf", SHEET)})
    assert requests.delete(server.url + "/jobs/gone", timeout=30).status_code == 204
    for path in ("/jobs/gone", "/jobs/gone/events"):
        reply = requests.get(server.url + path, timeout=30)
        assert reply.status_code == 404 and "again" in reply.json()["detail"]


def test_sigterm_reads_the_job_to_its_end_and_nothing_outlives_the_server(start_server):
    server = start_server("--workers", 1)
    server.wait_until("/readyz", 200)
    put(server, "last", [("file", (f"{i}.pdf", SHEET)) for i in range(5)])
    follower = requests.get(server.url + "/jobs/last/events", stream=True, timeout=120)
    stream = follower.iter_lines(chunk_size=1)
    next(stream)
    assert server.stop() == 0
    assert b"event: done" in list(stream)
    fresh = start_server()
    fresh.wait_until("/readyz", 200)
    assert requests.get(fresh.url + "/jobs/last", timeout=30).status_code == 404
