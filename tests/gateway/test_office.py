"""What an office does beside single uploads: a watched folder, a backup, PDF pages."""

import io
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy
import requests
from conftest import ROOT
from gateway.kit import number_of, sheet
from PIL import Image


def test_a_backup_is_taken_while_it_runs_and_restored(start_gateway, space, export, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    stop = threading.Event()

    def send() -> None:
        number = 100
        while not stop.is_set():
            gateway.post("/scan-upload", sheet(number))
            number += 1

    for number in range(5):
        gateway.post("/scan-upload", sheet(number))
    sender = threading.Thread(target=send)
    sender.start()
    done = run("gateway", "backup", tmp_path / "copy", "--data", gateway.data)
    stop.set()
    sender.join()
    assert done.returncode == 0, done.stderr
    assert run("gateway", "backup", tmp_path / "copy", "--data", gateway.data).returncode == 2
    gateway.kill()
    done = run("gateway", "restore", tmp_path / "copy", "--data", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    again = start_gateway(space_url=space.url, data=tmp_path / "new")
    again.wait_until_idle()
    numbers = {record["register_number"] for record in export(again)}
    assert {number_of(sheet(number)) for number in range(5)} <= numbers
    assert again.post("/scan-upload", sheet(0)).json()["duplicate"] is True
    first = requests.get(again.url + "/records").json()["records"][-1]
    assert requests.get(f"{again.url}/records/{first['artifact_uuid']}/file").content == sheet(0)


@contextmanager
def watching(alcove: Path, folder: Path, gateway, settle: float) -> Iterator[None]:
    watch = subprocess.Popen([str(alcove), "watch", str(folder), "--gateway", gateway.url, "--settle", str(settle)],
                             stderr=subprocess.DEVNULL, env={**os.environ, "ALCOVE_TOKEN": ""})
    try:
        yield
    finally:
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(timeout=60) == 0


def test_a_watched_folder_is_emptied_through_an_outage(start_gateway, space, export, alcove, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    gateway = start_gateway(space_url=space.url)
    (folder / "1.pdf").write_bytes(sheet(1))
    (folder / "note.txt").write_text("not a sheet")
    (folder / "bad.pdf").write_bytes(b"hello")
    gateway.kill()
    with watching(alcove, folder, gateway, settle=0.2):
        time.sleep(1)
        assert (folder / "1.pdf").exists(), "nobody took it"
        # The same address answers again.
        process = subprocess.Popen([str(alcove), "gateway", "--port", str(gateway.port), "--host", "127.0.0.1", "--data", str(gateway.data)],
                                   env=gateway.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            (folder / "2.pdf").write_bytes(sheet(2))
            end = time.monotonic() + 60
            while len(list(folder.glob("done/*"))) < 2 and time.monotonic() < end:
                time.sleep(0.05)
            end = time.monotonic() + 60
            while len(export(gateway)) < 2 and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    assert sorted(path.name for path in folder.glob("done/*")) == ["1.pdf", "2.pdf"]
    assert [path.name for path in folder.glob("refused/*")] == ["bad.pdf"]
    assert (folder / "note.txt").exists()
    journal = [json.loads(line) for line in (folder / "alcove-journal.jsonl").read_text().splitlines()]
    assert {(line["file"], line["result"]) for line in journal} == {("1.pdf", "taken"), ("2.pdf", "taken"), ("bad.pdf", "refused")}
    assert {record["original_filename"] for record in export(gateway)} == {"1.pdf", "2.pdf"}


def test_a_file_that_still_grows_is_left_alone(start_gateway, space, export, alcove, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    gateway = start_gateway(space_url=space.url)
    with watching(alcove, folder, gateway, settle=4):
        content = sheet(1)
        with (folder / "1.pdf").open("wb", buffering=0) as scan:
            for start in range(0, len(content), len(content) // 4 + 1):
                scan.write(content[start:start + len(content) // 4 + 1])
                time.sleep(1.5)
                assert (folder / "1.pdf").exists(), "taken while it was being written"
        end = time.monotonic() + 60
        while not export(gateway) and time.monotonic() < end:
            time.sleep(0.1)
    [record] = export(gateway)
    assert requests.get(f"{gateway.url}/records/{record['artifact_uuid']}/file").content == content


def test_a_picture_becomes_a_pdf_page_that_reads_the_same(start_gateway, space, models, run, samples, tmp_path):
    gateway = start_gateway(space_url=space.url)
    for name in ("clean-band.jpg", "clean-ledger.png"):
        stored = gateway.post("/scan-upload", (ROOT / "samples/sheets" / name).read_bytes(), name).json()
        reply = requests.get(f"{gateway.url}/records/{stored['artifact_uuid']}/pdf")
        assert reply.status_code == 200 and stored["renamed_filename"] in reply.headers["Content-Disposition"]
        page = tmp_path / f"{name}.pdf"
        page.write_bytes(reply.content)
        read = json.loads(run("read", page, "--models", models, "--format", "json").stdout)[0]
        assert read["register_number"] == samples[name]["register_number"]


def encoded(image: Image.Image, **how) -> bytes:
    out = io.BytesIO()
    image.save(out, **how)
    return out.getvalue()


def test_pictures_of_every_kind_become_pdf_pages(start_gateway, space, tmp_path, run):
    """What no PDF holds as it is goes in as it looks: every page, upright, on white."""
    gateway = start_gateway(space_url=space.url)
    plain = Image.new("RGB", (400, 300), (250, 250, 250))
    plain.paste((200, 30, 30), (20, 20, 120, 90))
    clear = plain.convert("RGBA")
    clear.putalpha(Image.new("L", plain.size, 255))
    clear.paste((0, 0, 0, 0), (200, 150, 400, 300))
    deep = Image.fromarray(numpy.asarray(plain.convert("L")).astype(numpy.uint16) * 257)
    turned = Image.Exif()
    turned[0x0112] = 6
    kinds = {
        "bmp": (encoded(plain, format="BMP"), 1), "webp": (encoded(plain, format="WEBP", lossless=True), 1),
        "tiff": (encoded(plain, format="TIFF", save_all=True, append_images=[plain, plain], compression="tiff_lzw"), 3),
        "bilevel tiff": (encoded(plain.convert("1"), format="TIFF", compression="group4"), 1),
        "cmyk jpeg": (encoded(plain.convert("CMYK"), format="JPEG", quality=95), 1), "16-bit png": (encoded(deep, format="PNG"), 1),
        "palette png": (encoded(plain.quantize(8), format="PNG"), 1), "clear png": (encoded(clear, format="PNG"), 1),
        "turned tiff": (encoded(plain, format="TIFF", exif=turned), 1), "heic": ((ROOT / "src/imaging/testdata/four_corners.heic").read_bytes(), 1)}
    for name, (content, pages) in kinds.items():
        reply = gateway.post("/scan-upload", content, f"{name.split()[-1]}.bin")
        assert reply.status_code == 200, (name, reply.text)
        document = requests.get(f"{gateway.url}/records/{reply.json()['artifact_uuid']}/pdf", timeout=120)
        if name == "heic" and document.status_code == 422:  # libheif's decoder is a package of its own
            assert document.json()["code"] == "no_pdf"
            continue
        assert document.status_code == 200 and document.content.startswith(b"%PDF-"), (name, document.text)
        # Seen through the decoder itself, by way of a gateway that takes the PDF in.
        again = gateway.post("/scan-upload", document.content, "again.pdf").json()["artifact_uuid"]
        picture = requests.get(f"{gateway.url}/records/{again}/page", timeout=120)
        assert picture.status_code == 200, (name, picture.text)
        seen = Image.open(io.BytesIO(picture.content)).convert("RGB")
        assert document.content.count(b"/Type /Page ") == pages, name
        if name == "heic":
            continue
        assert seen.size == ((300, 400) if name == "turned tiff" else (400, 300)), name
        red = seen.getpixel((240, 50) if name == "turned tiff" else (60, 50))
        bright = seen.getpixel((20, 380) if name == "turned tiff" else (380, 280))
        assert min(bright) > 235, (name, bright)
        if "bilevel" not in name:
            assert red[1] < 110 and (name == "16-bit png" or red[0] > 150), (name, red)
    broken = gateway.post("/scan-upload", kinds["bmp"][0][:40], "broken.bmp").json()
    refused = requests.get(f"{gateway.url}/records/{broken['artifact_uuid']}/pdf", timeout=120)
    assert refused.status_code == 422 and refused.json()["code"] == "no_pdf" and "/file" in refused.json()["detail"]
