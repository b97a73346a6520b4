"""What nobody should send, and disks and clocks that let a gateway down: a clear answer, and nothing lost."""

import contextlib
import hashlib
import io
import json
import resource
import sqlite3
import threading
import time
import zipfile

import requests
from gateway.kit import number_of, reading, sheet

NAMES = ["../../../etc/passwd.pdf", "..\\..\\boot.pdf", "'; DROP TABLE records; --.pdf", "<script>alert(1)</script>.pdf", "a\"b.pdf",
         "=HYPERLINK(\"http://x\").pdf", "%2e%2e%2fx.pdf", "$(touch x).pdf", "..", ".", "\u202egpj.pdf", "x" * 3000 + ".pdf"]


def test_names_are_data_and_nothing_else(start_gateway, space, export, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    for number, name in enumerate(NAMES):
        assert gateway.post("/scan-upload", sheet(number), name).status_code in (200, 422), name
    records = export(gateway)
    assert len(records) == len(NAMES)
    for record in records:
        assert "/" not in record["original_filename"] and "\\" not in record["original_filename"] and len(record["original_filename"]) <= 200
        assert record["renamed_filename"] == f"{record['register_number']}_CS101_CIA1.pdf"
        reply = requests.get(f"{gateway.url}/records/{record['artifact_uuid']}/file")
        assert reply.headers["Content-Disposition"] == "attachment" and reply.headers["X-Content-Type-Options"] == "nosniff"
    strange = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "data" and "files" not in path.parts
               and not path.name.startswith("log-")]
    assert not strange, "no file anywhere but where the gateway's files are"
    cells = run("gateway", "export", "--data", gateway.data, "--format", "csv").stdout
    assert ",=HYPERLINK" not in cells and ',"=HYPERLINK' not in cells


def test_fields_that_are_tricks_are_refused(start_gateway, space, export):
    gateway = start_gateway(space_url=space.url)
    for exam in ("'; DROP TABLE records; --", "<b>CIA1</b>", "../CIA1", "CIA1\r\nX-Header: 1", "C" * 33):
        assert gateway.post("/scan-upload", sheet(1), exam_type=exam).json()["code"] == "bad_exam_type", exam
    for path in ("/records/..%2f..%2fetc%2fpasswd/file", "/records/'%20OR%20'1'='1", "/jobs/..%2f..%2fx", "/records/%00"):
        assert requests.get(gateway.url + path).status_code in (400, 404), path
    assert requests.put(gateway.url + "/jobs/a b'", files=[("file", ("a.pdf", sheet(1)))]).json()["code"] == "bad_job_id"
    assert export(gateway) == []


def test_archives_that_are_traps(start_gateway, space, export):
    gateway = start_gateway(space_url=space.url)

    def put(job: str, entries: dict[str, bytes]) -> requests.Response:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
        return requests.put(f"{gateway.url}/jobs/{job}", data=file.getvalue(), headers={"Content-Type": "application/zip"}, timeout=120)

    assert put("traps", {"bomb.pdf": b"\0" * (60 << 20), "../../astray.pdf": sheet(1), "note.txt": b"hello", "good.pdf": sheet(2)}).status_code == 202
    gateway.wait_until_idle()
    found = {record["original_filename"]: (record["workflow_status"], record["error_code"]) for record in export(gateway)}
    assert found == {"bomb.pdf": ("unreadable", "file_too_large"), "astray.pdf": ("unreadable", "bad_entry_name"),
                     "note.txt": ("unreadable", "unknown_format"), "good.pdf": ("pending", None)}
    assert space.asked == 1, "what is no sheet is not sent to the Space"
    assert requests.put(f"{gateway.url}/jobs/broken", data=b"PK\3\4 and no more", headers={"Content-Type": "application/zip"}).status_code == 422
    assert put("empty", {}).json()["code"] == "no_file"


def test_a_full_disk_at_each_step_loses_nothing(start_gateway, space, export):
    gate = threading.Event()

    def extract(handler, content):
        if content == sheet("held"):
            gate.wait(60)
        space.send(handler, 200, json.dumps(reading(number_of(content))).encode())

    space.extract = extract
    gateway = start_gateway("--policy", "remote-only", space_url=space.url, ignore_file_limit=True)

    def leave_room_for(size: int) -> None:
        """No file of the gateway may grow beyond that."""
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def send(content: bytes) -> requests.Response:
        return gateway.post("/scan-upload", content, headers={"Prefer": "respond-async"})

    large = sheet("large") + bytes(600_000)
    taken = [sheet("before"), sheet("held")]
    assert [send(content).status_code for content in taken] == [202, 202]
    while space.asked < 2:
        time.sleep(0.02)

    leave_room_for(300_000)  # the body does not fit while it arrives
    refused = send(large)
    assert refused.status_code == 503 and refused.json()["code"] == "disk_full" and "Retry-After" in refused.headers
    leave_room_for(100_000)  # the file does not fit
    refused = send(large[:200_000])
    assert refused.status_code == 503 and refused.json()["code"] == "disk_full" and "Retry-After" in refused.headers
    leave_room_for(1_000)  # the queue does not fit
    refused = send(sheet("queue"))
    assert refused.status_code == 503, refused.text
    assert requests.get(gateway.url + "/health").status_code == 200
    gate.set()  # and the record of the sheet that is read now does not
    time.sleep(1)
    assert gateway.process.poll() is None

    leave_room_for(resource.RLIM_INFINITY)
    taken += [large, large[:200_000], sheet("queue")]
    assert [send(content).status_code for content in taken[2:]] == [202] * 3
    gateway.wait_until_idle()
    assert sorted(record["register_number"] for record in export(gateway)) == sorted(map(number_of, taken))
    assert not list((gateway.data / "incoming").iterdir())


def test_a_database_that_somebody_locks_loses_nothing(start_gateway, space, export):
    gateway = start_gateway(space_url=space.url)
    with contextlib.closing(sqlite3.connect(gateway.data / "gateway.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        statuses = []

        def send(number: int) -> None:
            statuses.append(gateway.post("/scan-upload", sheet(number), headers={"Prefer": "respond-async"}))

        senders = [threading.Thread(target=send, args=(number,)) for number in range(6)]
        for sender in senders:
            sender.start()
        time.sleep(2)
        assert requests.get(gateway.url + "/health", timeout=30).status_code == 200
        other.execute("ROLLBACK")
        for sender in senders:
            sender.join()
    assert {reply.status_code for reply in statuses} <= {202, 503}
    assert all("Retry-After" in reply.headers for reply in statuses if reply.status_code == 503)
    for number in range(6):  # whoever was told to come back comes back
        assert gateway.post("/scan-upload", sheet(number), headers={"Prefer": "respond-async"}).status_code == 202
    gateway.wait_until_idle()
    assert sorted(record["register_number"] for record in export(gateway)) == sorted(number_of(sheet(number)) for number in range(6))


def test_a_sheet_that_ends_the_program_again_and_again_is_set_aside(start_gateway, space, export):
    """As far as the gateway can tell: it is killed each time it reads that one. The others get through, before it is given up and after."""
    under_way = threading.Event()

    def extract(handler, content):
        if content == sheet("poison"):
            under_way.set()
            time.sleep(60)
        space.send(handler, 200, json.dumps(reading(number_of(content))).encode())

    space.extract = extract
    gateway = start_gateway("--policy", "remote-only", "--under-way", 1, space_url=space.url)
    assert gateway.post("/scan-upload", sheet("poison"), headers={"Prefer": "respond-async"}).status_code == 202
    for life in range(10):
        assert under_way.wait(60), life
        if life == 3:
            assert gateway.post("/scan-upload", sheet("good"), headers={"Prefer": "respond-async"}).status_code == 202
        gateway.kill()
        under_way.clear()
        gateway = start_gateway("--policy", "remote-only", "--under-way", 1, space_url=space.url)
    gateway.wait_until_idle()
    found = {record["sha256"]: record["workflow_status"] for record in export(gateway)}
    assert found == {hashlib.sha256(sheet("poison")).hexdigest(): "set_aside", hashlib.sha256(sheet("good")).hexdigest(): "pending"}


def test_a_clock_that_goes_back_holds_nothing_up(start_gateway, space, export, run):
    gateway = start_gateway("--policy", "remote-only", space_url="http://127.0.0.1:9")
    sheets = [sheet(number) for number in range(4)]
    for content in sheets:
        assert gateway.post("/scan-upload", content, headers={"Prefer": "respond-async"}).status_code == 202
    gateway.kill()
    with sqlite3.connect(gateway.data / "gateway.sqlite") as database:  # as if all that was done a day from now
        database.execute("UPDATE sheets SET accepted_at = accepted_at + 86400000, due_at = due_at + 86400000, lease_until = lease_until + 86400000")
    again = start_gateway("--policy", "remote-only", space_url=space.url)
    again.wait_until_idle()
    assert sorted(record["register_number"] for record in export(again)) == sorted(map(number_of, sheets))
    found = json.loads(run("gateway", "doctor", "--data", again.data, "--json", env={"HF_SPACE_URL": space.url, "DATABASE_URL": ""}).stdout)
    assert "clock_went_back" in {finding["code"] for finding in found["findings"]}
