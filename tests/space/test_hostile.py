"""Files and requests made to do harm, against the real server: each sender gets an answer, and nobody else notices."""

import io
import json
import os
import random
import signal
import socket
import struct
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from conftest import ROOT

SHEET = (ROOT / "samples/sheets/clean-slip.pdf").read_bytes()
JPEG = (ROOT / "web/sheet/sample.jpg").read_bytes()
# Of the mutating client; script/test --long gives it a minute.
SECONDS = float(os.environ.get("ALCOVE_FUZZ_SECONDS", "3"))


def extract(server, content: bytes, name: str = "sheet.jpg") -> requests.Response:
    return requests.post(server.url + "/extract", files={"file": (name, content)}, timeout=120)


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99999))) + chunk(b"IEND", b"")


def pdf(kids: str, count: int, pages: list[str]) -> bytes:
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {count} >>", *pages]
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(objects, 1))
    return f"%PDF-1.4\n{body}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n%%EOF\n".encode()


def page(box: str) -> str:
    return f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] >>"


def tiff_circle() -> bytes:
    """A grey picture of 4 by 4, whose directory is followed by itself."""
    entries = {256: 4, 257: 4, 258: 8, 262: 1, 273: 8, 278: 4, 279: 16}
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return struct.pack("<2sHI", b"II", 42, 24) + bytes(16) + directory + struct.pack("<I", 24)


TEN_THOUSAND = pdf(" ".join(f"{n + 3} 0 R" for n in range(10_000)), 10_000, [page("0 0 9 9")] * 10_000)
HOSTILE = {
    "a PNG of 50,000 by 50,000": (png(50_000, 50_000), 413, "too_many_pixels"),
    "a PNG without its pixels": (png(3_000, 3_000), 422, None),
    "a PDF without pages": (pdf("", 0, []), 422, "damaged"),
    "a PDF of ten thousand pages": (TEN_THOUSAND, 413, "too_many_pages"),
    "a PDF page of 200 inches": (pdf("3 0 R", 1, [page("0 0 14400 14400")]), 413, "too_many_pixels"),
    "a TIFF whose directory is its own next": (tiff_circle(), 200, None),
    "a ZIP before a JPEG": (b"PK\3\4" + bytes(26) + JPEG, 422, "unknown_format"),
    "a JPEG with an archive behind it": (JPEG + b"PK\3\4" + bytes(26), 200, None),
    "half a PDF": (SHEET[: len(SHEET) // 2], 422, "truncated"),
    "nothing": (b"", 422, "empty_file"),
    "a text": (b"Dear Sir or Madam", 422, "unknown_format"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_each_hostile_file_has_its_code(server, name):
    content, status, code = HOSTILE[name]
    reply = extract(server, content)
    assert reply.status_code == status, reply.text
    assert code is None or reply.json()["code"] == code
    assert status == 200 or reply.json()["detail"].isprintable()


# Each would keep a worker for hours, or take gigabytes, if it were built before it is refused.
LARGE_JSON = {
    "values": b'{"x": [' + b"[]," * 10_000_000 + b"0]}",
    "objects": b'{"x": [' + b'{"":0},' * 1_000_000 + b"0]}",
    "keys": b"{" + b",".join(b'"%d":0' % number for number in range(1_000_000)) + b"}",
}


@pytest.mark.parametrize("kind", LARGE_JSON)
def test_json_of_very_many_parts_is_refused_before_it_is_built(server, kind):
    reply = requests.post(server.url + "/extract/base64", data=LARGE_JSON[kind], headers={"Content-Type": "application/json"}, timeout=60)
    assert reply.status_code == 400 and "JSON" in reply.json()["detail"], reply.text
    assert len(reply.json()["detail"]) < 100


def test_an_archive_whose_entries_share_a_bomb_is_no_work(server):
    """400 entries over the same fifty megabytes of zeros, each of which claims to be small."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(50 << 20))
    lying = whole.getvalue().replace(struct.pack("<I", 50 << 20), struct.pack("<I", 1000))
    directory, end = lying.rfind(b"PK\1\2"), lying.rfind(b"PK\5\6")
    entry, count = lying[directory:end], 400
    bomb = lying[:directory] + entry * count + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(entry) * count, directory, 0)
    start = time.monotonic()
    requests.post(server.url + "/extract", files={"file": ("a.pdf", SHEET)}, timeout=120)
    sheet = time.monotonic() - start
    reply = requests.post(server.url + "/extract/batch", data=bomb, headers={"Content-Type": "application/zip"}, timeout=300)
    took = time.monotonic() - start - sheet
    assert [json.loads(line)["code"] for line in reply.iter_lines()] == ["damaged_zip"] * count
    assert took < count * sheet / 5, "an entry is far less work than a sheet"


def poisoned(models: Path, name: str, folder: Path) -> Path:
    """The models, one of them with nothing but NaN in its layers."""
    for file in models.iterdir():
        if file.suffix in (".pt", ".pth") and file.name != name:
            (folder / file.name).symlink_to(file)
    with zipfile.ZipFile(models / name) as whole, zipfile.ZipFile(folder / name, "w") as made:
        for entry in whole.namelist():
            content = whole.read(entry)
            # All ones are a NaN in half and in single precision. What is small says how the layers are built.
            made.writestr(entry, b"\xff" * len(content) if "/data/" in entry and len(content) > 16 else content)
    return folder


@pytest.mark.parametrize("name, reason", [("improved_weights.pt", "no_register_box"), ("best_crnn_model(git).pth", "blank_register")])
def test_a_model_whose_numbers_are_none_reads_nothing(start_server, models, tmp_path, name, reason):
    server = start_server(models_folder=poisoned(models, name, tmp_path), env={"ALCOVE_CACHE": "none"})
    server.wait_until("/readyz", 200)
    reply = requests.post(server.url + "/extract?posteriors=1", files={"file": ("a.pdf", SHEET)}, timeout=120)
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["register_number"] is None and body["confidence"] is None and reason in body["reasons"]
    shares = [share for box in body["boxes"] for share in (box["confidence"], box["detection_confidence"])]
    assert all(0 <= share <= 1 for share in shares)
    assert server.stop() == 0


def children_of(process: int) -> list[int]:
    """The process's children, by their stat files."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == process:
            found.append(int(stat.parent.name))
    return found


def test_hostile_files_and_sheets_leave_nothing_behind(start_server):
    server = start_server("--workers", 2)
    server.wait_until("/readyz", 200)
    files = [content for content, _, _ in HOSTILE.values()] + [SHEET] * 4

    def one_round():
        with ThreadPoolExecutor(4) as senders:
            list(senders.map(lambda content: extract(server, content), files))

    def descriptors() -> int:
        return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))

    def settled(count, most: int) -> bool:
        end = time.monotonic() + 30
        while count() > most and time.monotonic() < end:
            time.sleep(0.05)
        return count() <= most

    one_round()
    one_round()  # what compiling and the first batches keep is there now
    before, held = descriptors(), server.resident()
    for _ in range(6):
        one_round()
    # One page in eight kept would be more than this.
    a_page = 1654 * 2339 * 3
    assert settled(lambda: server.resident() - held, 3 * a_page), "memory grows with the sheets"
    assert settled(descriptors, before + 2), "descriptors leak"  # connections come and go
    (keeper,) = children_of(server.process.pid)
    assert settled(lambda: len(children_of(keeper)), 2), "workers pile up"


def test_the_workers_limits_are_on_the_status(server):
    workers = requests.get(server.url + "/status", timeout=10).json()["decode_workers"]
    assert workers["count"] >= 1 and workers["lost"] >= 0
    assert set(workers["limits"]) == {"seccomp", "no_new_privileges", "memory", "cpu_time", "files", "file_size",
                                      "no_core", "dies_with_parent"}
    assert all(isinstance(granted, bool) for granted in workers["limits"].values())


def test_a_killed_keeper_is_replaced(start_server):
    server = start_server()
    server.wait_until("/readyz", 200)
    (keeper,) = children_of(server.process.pid)
    os.kill(keeper, signal.SIGKILL)
    assert extract(server, SHEET).status_code == 200
    (other,) = children_of(server.process.pid)
    assert other != keeper
    assert server.stop() == 0
    assert not Path(f"/proc/{other}").exists(), "the keeper outlives its server"


REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n",
    b"GET /status HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /extract HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=c\r\nContent-Length: 96\r\n\r\n"
    b'--c\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\npixels of a sheet\r\n--c--\r\n',
    b"POST /extract HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=c\r\n\r\n"
    b"5\r\n--c\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
    b"PUT /jobs/7 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"OPTIONS * HTTP/1.0\r\nOrigin: https://a.example\r\n\r\n",
)
WORDS = (b"\r\n", b"\n", b"\0", b": ", b"%00", b"\xff" * 9, b"Content-Length: 5\r\n", b"Content-Length: -1\r\n",
         b"Transfer-Encoding: chunked\r\n", b"HTTP/9.9", b"99999999999999999999", b"A" * 9000, b"/../" * 50, b"0\r\n\r\n")


def mutated(chance: random.Random) -> bytes:
    request = bytearray(chance.choice(REQUESTS))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(request) + 1)
        action = chance.randrange(4)
        if action == 0 and request:
            request[place % len(request)] = chance.randrange(256)
        elif action == 1:
            request[place:place] = chance.choice(WORDS)
        elif action == 2:
            del request[place : place + chance.randint(1, 40)]
        else:
            request[place:place] = request[chance.randrange(len(request) + 1) :][:60]
    return bytes(request)


def test_mutated_requests_never_find_a_fault(server):
    seed = random.randrange(1 << 32)
    chance, end, count = random.Random(seed), time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        request = mutated(chance)
        count += 1
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.settimeout(0.05)
            try:
                connection.sendall(request)
                reply = connection.recv(65536)
            except (TimeoutError, ConnectionError):
                continue  # it waits for more, or hung up
        assert not reply.startswith(b"HTTP/1.1 500"), f"seed {seed}, request {count}: {request!r}"
        assert server.process.poll() is None, f"seed {seed}, request {count} ended the server: {request!r}"
    assert requests.get(server.url + "/livez", timeout=10).status_code == 200
    assert count > 0
