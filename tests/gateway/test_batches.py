"""Stacks and large batches: cut at cover pages, streamed while they are read, whole after a restart."""

import contextlib
import io
import itertools
import json
import os
import re
import threading
import time
import zipfile
import zlib

import pytest
import requests
from conftest import ROOT
from gateway.kit import number_of, reading, sheet
from PIL import Image

SHEETS = int(os.environ.get("ALCOVE_BATCH", "300"))


def stack_of(*pages: str) -> bytes:
    """A PDF whose pages say what they are."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>",
               f"<< /Type /Pages /Kids [{' '.join(f'{2 * i + 3} 0 R' for i in range(len(pages)))}] /Count {len(pages)} >>"]
    for number, words in enumerate(pages):
        text = f"BT ({words}) Tj ET"
        objects += [f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents {2 * number + 4} 0 R >>",
                    f"<< /Length {len(text)} >>\nstream\n{text}\nendstream"]
    file, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects):
        places.append(len(file))
        file += f"{number + 1} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return file + (f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
                   f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(file)}\n%%EOF\n").encode()


def words_of(pdf: bytes) -> str:
    """What its first page says; PDFium packs the text of pages that it cuts out."""
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            stream = zlib.decompressobj().decompress(stream)
        if found := re.search(rb"\((.*?)\) Tj", stream):
            return found[1].decode()
    return re.search(rb"\((.*?)\) Tj", pdf)[1].decode()


def pages_in(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


class PageReader:
    """A Space that finds both boxes on pages that say `cover N`, and reads N off them."""

    def __init__(self, space) -> None:
        self.space, self.looked = space, []
        self.before = lambda words: None
        space.extract = self

    def __call__(self, handler, content: bytes) -> None:
        words = words_of(content)
        self.looked.append(words)
        self.before(words)
        found = reading(words.split()[1]) if words.startswith("cover") else {
            "success": True, "register_number": None, "subject_code": None, "register_candidates": [], "subject_candidates": []}
        self.space.send(handler, 200, json.dumps(found).encode())


def events(gateway, job: str):
    with requests.get(f"{gateway.url}/jobs/{job}/events", stream=True, timeout=120) as reply:
        kind = ""
        for line in reply.iter_lines():
            if line.startswith(b"event: "):
                kind = line[7:].decode()
            if line.startswith(b"data: "):
                yield kind, json.loads(line[6:])


STACK = ["left over", "cover 11", "answer 1", "answer 2", "cover 12", "cover 13", "answer 3"]
SHEETS_OF_STACK = [(None, "1-1"), ("11", "2-4"), ("12", "5-5"), ("13", "6-7")]


def test_a_stack_is_cut_at_its_cover_pages_and_streamed_meanwhile(start_gateway, space, export, database):
    pages = PageReader(space)
    first_result = threading.Event()
    waited = []
    # The last page is read only when the first sheet was told of.
    pages.before = lambda words: waited.append(first_result.wait(60)) if words == "answer 3" else None
    gateway = start_gateway(space_url=space.url, **database)
    assert requests.put(gateway.url + "/jobs/pile", files=[("file", ("pile.pdf", stack_of(*STACK)))]).status_code == 202
    seen = []
    for kind, line in events(gateway, "pile"):
        seen.append((kind, line))
        first_result.set()
    assert waited == [True] and seen[-1] == ("done", {"files": 4})
    assert sorted((line["register_number"] or "", line["pages"]) for kind, line in seen[:-1]) == sorted(
        (number or "", pages) for number, pages in SHEETS_OF_STACK)
    records = {record["pages"]: record for record in export(gateway)}
    assert {pages: record["register_number"] for pages, record in records.items()} == {pages: number for number, pages in SHEETS_OF_STACK}
    assert records["1-1"]["workflow_status"] == "needs_review" and records["2-4"]["workflow_status"] == "pending"
    assert {record["original_filename"] for record in records.values()} == {"pile.pdf"}
    for pages_of, count in (("2-4", 3), ("5-5", 1)):
        cut = requests.get(f"{gateway.url}/records/{records[pages_of]['artifact_uuid']}/pdf").content
        assert pages_in(cut) == count and stack_of("cover 1").startswith(cut[:5])
    assert len(pages.looked) == len(STACK), "each page is read once"
    # The same again is the same job.
    assert requests.put(gateway.url + "/jobs/pile", files=[("file", ("pile.pdf", stack_of(*STACK)))]).json()["state"] == "done"
    assert len(export(gateway)) == 4


def test_a_stack_that_was_cut_is_kept_in_its_sheets_alone(start_gateway, space, export, database, run):
    """So that nobody's page stays behind in it: its own bytes go with the last cut, its name with the last of its sheets."""
    PageReader(space)
    gateway = start_gateway(space_url=space.url, **database)
    pile, name = stack_of(*STACK), "Müller, Anna and others.pdf"
    for job in ("one", "two"):
        requests.put(f"{gateway.url}/jobs/{job}", files=[("file", (name, pile))], timeout=60)
        gateway.wait_until_idle()
    records = export(gateway)
    assert len(records) == 8 and gateway.kept_files() == {record["sha256"] for record in records}
    # Sent again it is known, and is not kept again.
    requests.put(f"{gateway.url}/jobs/one", files=[("file", (name, pile))], timeout=60)
    assert gateway.kept_files() == {record["sha256"] for record in records}

    def purge(numbers: str) -> None:
        gateway.sql(f"UPDATE records SET accepted_at = 1 WHERE register_number IN ({numbers})")
        done = run("gateway", "purge", "--data", gateway.data, env=database or {"DATABASE_URL": ""})
        assert done.returncode == 0, done.stderr

    gone = {record["sha256"] for record in records if record["register_number"] == "11"}
    purge("'11'")
    assert gateway.kept_files() == {record["sha256"] for record in records} - gone
    assert gateway.sql("SELECT COUNT(*) FROM sheets WHERE stack = '' AND original_filename = ''") == [("0",)]
    purge("'', '12', '13'")
    assert gateway.kept_files() == set()
    left = gateway.sql("SELECT original_filename, handed_in FROM sheets")
    assert len(left) == 10 and all(not row[0] and row[1].startswith("purged/") for row in left)
    if not database:
        assert all("Anna".encode() not in path.read_bytes() for path in gateway.data.iterdir() if path.is_file()), "nor in what was written over"


def test_a_stack_outlives_the_gateway(start_gateway, space, export):
    pages = PageReader(space)
    halfway = threading.Event()
    pages.before = lambda words: (halfway.set(), time.sleep(60)) if words == "cover 13" and not halfway.is_set() else None
    gateway = start_gateway("--policy", "remote-only", space_url=space.url)
    requests.put(gateway.url + "/jobs/pile", files=[("file", ("pile.pdf", stack_of(*STACK)))])
    assert halfway.wait(60)
    gateway.kill()
    again = start_gateway("--policy", "remote-only", space_url=space.url)
    again.wait_until_idle()
    assert sorted((record["register_number"] or "", record["pages"]) for record in export(again)) == sorted(
        (number or "", pages) for number, pages in SHEETS_OF_STACK)
    assert requests.get(again.url + "/jobs/pile").json()["state"] == "done"


def test_what_is_a_stack_can_be_said(start_gateway, space, export):
    PageReader(space)
    gateway = start_gateway(space_url=space.url)
    two = [("file", ("a.pdf", stack_of("cover 1", "cover 2"))), ("file", ("b.pdf", stack_of("cover 3", "answer 1")))]
    assert requests.put(gateway.url + "/jobs/whole", files=two).json()["files"] == 2
    assert requests.put(gateway.url + "/jobs/cut", files=two, data={"split": "covers"}).status_code == 202
    assert requests.put(gateway.url + "/jobs/one", files=two[:1], data={"split": "no"}).status_code == 202
    assert requests.put(gateway.url + "/jobs/odd", files=two, data={"split": "somehow"}).json()["code"] == "bad_split"
    gateway.wait_until_idle()
    count = {name: sum(record["job"] == name for record in export(gateway)) for name in ("whole", "cut", "one", "odd")}
    assert count == {"whole": 2, "cut": 3, "one": 1, "odd": 0}
    locked = requests.put(gateway.url + "/jobs/broken", files=[("file", ("c.pdf", b"%PDF-1.4\n(cover 9) Tj half a file"))])
    assert locked.status_code == 202, "one sheet, which the reader judges"
    gateway.wait_until_idle()
    assert requests.get(gateway.url + "/jobs/broken").json()["read"] == 1


def test_a_stack_of_real_sheets_is_read_here(start_gateway, models, samples):
    names = [name for name in ("clean-band.jpg", "clean-ledger.png") if name in samples]
    blank = Image.new("RGB", (1240, 1754), "white")
    covers = [Image.open(ROOT / "samples/sheets" / name).convert("RGB") for name in names]
    file = io.BytesIO()
    covers[0].save(file, "PDF", resolution=200, save_all=True, append_images=[blank, covers[1], blank, blank])
    gateway = start_gateway(models=models)
    requests.put(gateway.url + "/jobs/pile", files=[("file", ("pile.pdf", file.getvalue()))])
    gateway.wait_until_idle()
    results = requests.get(gateway.url + "/jobs/pile").json()["results"]
    assert [(line["pages"], line["register_number"]) for line in results] == [
        ("1-2", samples[names[0]]["register_number"]), ("3-5", samples[names[1]]["register_number"])]


def test_folders_and_archives_keep_their_names_and_lose_nothing(start_gateway, space, export):
    gateway = start_gateway(space_url=space.url)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for folder in ("room 1", "room 2"):
            for number in range(3):
                zipped.writestr(f"{folder}/{number}.pdf", sheet(f"{folder}/{number}"))
        zipped.writestr("__MACOSX/room 1/._0.pdf", b"litter")
    assert requests.put(gateway.url + "/jobs/rooms", data=archive.getvalue(), headers={"Content-Type": "application/zip"}).json()["files"] == 6
    gateway.wait_until_idle()
    expected = sorted(number_of(sheet(f"room {room}/{number}")) for room in (1, 2) for number in range(3))
    assert sorted(record["register_number"] for record in export(gateway)) == expected


@pytest.mark.parametrize("kind", ["files", "archive"])
def test_a_large_batch_survives_a_restart_halfway(start_gateway, space, export, kind):
    """script/test --long sends 10,000."""
    gate = threading.Event()
    half = SHEETS // 2

    def extract(handler, content):
        if space.asked > half and not gate.is_set():
            gate.wait(600)
        space.send(handler, 200, json.dumps(reading(number_of(content))).encode())

    space.extract = extract
    gateway = start_gateway("--policy", "remote-only", space_url=space.url)
    sheets = [sheet(number) for number in range(SHEETS)]
    first = []

    def follow() -> None:
        while not first:
            first.extend(time.monotonic() - start for _ in itertools.islice(events(gateway, "exam"), 1))
            time.sleep(0.02)

    follower = threading.Thread(target=follow)
    start = time.monotonic()
    follower.start()
    if kind == "files":
        put = requests.put(gateway.url + "/jobs/exam", files=[("file", (f"{number}.pdf", content)) for number, content in enumerate(sheets)], timeout=600)
    else:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            for number, content in enumerate(sheets):
                zipped.writestr(f"{number}.pdf", content)
        put = requests.put(gateway.url + "/jobs/exam", data=archive.getvalue(), headers={"Content-Type": "application/zip"}, timeout=600)
    taken = time.monotonic() - start
    assert put.status_code == 202 and put.json()["files"] == SHEETS
    follower.join(60)
    assert first, "results are told while the rest is still to be read"
    end = time.monotonic() + 600
    while space.asked <= half and time.monotonic() < end:
        time.sleep(0.05)
    # Reading stands still, and an upload is taken all the same.
    assert gateway.post("/scan-upload", sheet("late"), headers={"Prefer": "respond-async"}).status_code == 202
    gateway.kill()
    gate.set()
    again = start_gateway("--policy", "remote-only", space_url=space.url)
    restarted = time.monotonic()
    again.wait_until_idle(900)
    print(f"{SHEETS} sheets as {kind}: the first result {first[0]:.1f} s after the request began, all taken in after {taken:.1f} s, "
          f"the half that was left read within {time.monotonic() - restarted:.1f} s of a restart")
    numbers = sorted(record["register_number"] for record in export(again))
    assert numbers == sorted(map(number_of, [*sheets, sheet("late")]))
    job = requests.get(again.url + "/jobs/exam", timeout=120).json()
    assert job["state"] == "done" and job["read"] == SHEETS
