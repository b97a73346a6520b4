"""What goes out of the office and what is let go of: exports, retention, the trail after a purge, the log."""

import csv
import hashlib
import io
import json
import os
import sqlite3
import zipfile

import requests
from gateway.kit import sheet
from gateway.test_review import LISTED, Office, picture, wait_for

MOODLE = "Identifier,Full name,Email address,Status,Grade,ID number\n"


def filed(office: Office, numbers: list[str]) -> list[str]:
    uuids = office.hand_in(*(picture(100 + index) for index in range(len(numbers))))
    for uuid, number in zip(uuids, numbers):
        assert office.post(f"/review/{uuid}", verdict="belongs", register_number=number, version=0).status_code == 200
        office.until(uuid, decision="accepted", register_number=number)
    return uuids


def taken_out(office: Office, kind: str) -> requests.Response:
    reply = office.http.get(office.url + "/export", params={"format": kind, "exam_type": "CIA1", "subject_code": "CS101"}, timeout=120)
    assert reply.status_code == 200 and reply.headers["Cache-Control"] == "no-store", reply.text
    return reply


def test_an_exam_goes_out_in_four_shapes(start_gateway, space):
    office = Office(start_gateway(space_url=space.url))
    rows = "".join(f"Participant {100 + i},\"Müller_{i}, A/B\",p{i}@example.org,,,{LISTED[i]}\n" for i in range(5))
    reply = office.http.post(office.url + "/roster?name=grades.csv", data=(MOODLE + rows).encode(), timeout=60)
    assert reply.status_code == 200 and reply.json()["entries"] == 5, reply.text
    filed(office, LISTED[:2])
    [doubtful] = office.hand_in(picture(200))

    plain = zipfile.ZipFile(io.BytesIO(taken_out(office, "zip").content))
    assert plain.testzip() is None
    assert plain.namelist() == [f"{number}_CS101_CIA1.pdf" for number in LISTED[:2]] + ["left-out.txt"]
    assert plain.read(plain.namelist()[0]).startswith(b"%PDF-")
    assert doubtful in plain.read("left-out.txt").decode()
    moodle = zipfile.ZipFile(io.BytesIO(taken_out(office, "moodle").content))
    folders = [name.split("/")[0] for name in moodle.namelist()[:2]]
    assert folders == ["Müller 0, A B_100_assignsubmission_file", "Müller 1, A B_101_assignsubmission_file"]
    assert all(name.split("_")[1].isdigit() for name in folders), "Moodle takes the second part for the participant"

    table = taken_out(office, "csv")
    assert table.headers["Content-Disposition"] == 'attachment; filename="CS101_CIA1_sheets.csv"'
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == 3
    lines = [json.loads(line) for line in taken_out(office, "jsonl").text.splitlines()]
    assert [line["register_number"] for line in lines[:2]] == LISTED[:2]
    assert office.http.get(office.url + "/export?format=xls", timeout=60).status_code == 400


def test_cells_that_look_like_formulas_are_text(start_gateway, space):
    office = Office(start_gateway(space_url=space.url))
    for index, name in enumerate(("=1+1.png", "+2.png", "-3.png", "@sum.png")):
        reply = office.http.post(office.url + "/scan-upload", files={"file": (name, picture(300 + index))}, timeout=60)
        office.gateway.judged(reply.json()["artifact_uuid"])
    names = [row["original_filename"] for row in csv.DictReader(io.StringIO(taken_out(office, "csv").text))]
    assert sorted(names) == sorted(["'=1+1.png", "'+2.png", "'-3.png", "'@sum.png"])


def test_what_is_over_goes_and_the_trail_stays_sound(start_gateway, space, run):
    gateway = start_gateway(space_url=space.url)
    office = Office(gateway)
    office.take_in()
    old, held, young = filed(office, LISTED[:3])
    sha256 = office.get(f"/records/{old}")["sha256"]
    with sqlite3.connect(gateway.data / "gateway.sqlite", timeout=30) as database:
        database.execute("UPDATE records SET accepted_at = accepted_at - 366 * 86400000 WHERE uuid IN (?, ?)", (old, held))

    def command(*words: str) -> str:
        done = run("gateway", *words, "--data", gateway.data)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "365" in command("retention")
    command("hold", "--number", LISTED[1], "--reason", "appeal")
    listed = command("purge", "--dry-run")
    assert old in listed and held in listed and young not in listed and "held" in listed
    assert office.get(f"/records/{old}")["register_number"] == LISTED[0], "a dry run leaves everything"
    before = command("verify-trail").split("the end is ")[1].strip()
    assert "1 sheets purged, 1 held" in command("purge")

    gone = office.get(f"/records/{old}")
    assert gone["workflow_status"] == "purged" and gone["register_number"] is None and gone["original_filename"] == ""
    assert gone["sha256"] == sha256 and gone["roster_candidates"] == [] and gone["reply"] is None
    assert not (gateway.data / "files" / sha256[:2] / sha256).exists()
    assert office.http.get(f"{office.url}/records/{old}/file", timeout=60).status_code == 404
    assert office.post(f"/review/{old}", verdict="belongs", register_number=LISTED[0]).status_code == 404
    for uuid, number in ((held, LISTED[1]), (young, LISTED[2])):
        assert office.get(f"/records/{uuid}")["register_number"] == number
    assert "sound" in command("verify-trail", "--known", before), "what was noted before the purge still holds"
    with sqlite3.connect(gateway.data / "gateway.sqlite") as database:
        assert ("shell", "purged", old) in database.execute("SELECT who, what, about FROM trail").fetchall()
    assert "0 sheets purged" in command("purge")

    command("hold", "--release", "1")
    command("retention", "CIA1", "--days", "1000")
    assert "0 sheets purged" in command("purge"), "this exam is kept longer now"


def test_a_gateway_that_is_told_to_purges_by_itself(start_gateway, space, run, database):
    gateway = start_gateway(space_url=space.url, **database)
    content = [sheet(number) for number in range(3)]
    uuids = [gateway.judged(gateway.post("/scan-upload", each).json()["artifact_uuid"])["artifact_uuid"] for each in content]
    gateway.sql(f"UPDATE records SET accepted_at = 1 WHERE uuid = '{uuids[0]}'")
    if not database:  # an upload that ended between the disk and the queue, and a draft of one
        lost = gateway.data / "files" / "ab" / ("ab" * 32)
        lost.parent.mkdir(parents=True, exist_ok=True)
        for path in (lost, lost.with_name(f".{lost.name}-1-1")):
            path.write_bytes(b"%PDF somebody's")
            os.utime(path, (1, 1))
    assert gateway.stop() == 0
    assert len(gateway.sql("SELECT 1 FROM records WHERE workflow_status = 'purged'")) == 0, "never without being told"

    gateway = start_gateway("--purge-every", 1, space_url=space.url, **database)

    def purged() -> set[str]:
        return {row[0] for row in gateway.sql("SELECT uuid FROM records WHERE workflow_status = 'purged'")}

    wait_for(lambda: purged() == {uuids[0]})
    gateway.sql(f"UPDATE records SET accepted_at = 1 WHERE uuid = '{uuids[1]}'")  # becomes due while it runs
    wait_for(lambda: purged() == set(uuids[:2]))
    wait_for(lambda: gateway.kept_files() == {hashlib.sha256(content[2]).hexdigest()})
    trail = gateway.sql("SELECT who, about FROM trail WHERE what = 'purged'")
    assert sorted(trail) == sorted(("timer", uuid) for uuid in uuids[:2]), "each once"
    checked = run("gateway", "verify-trail", "--data", gateway.data, env=database or {"DATABASE_URL": ""})
    assert checked.returncode == 0, checked.stdout


def test_a_copy_can_be_made_after_a_purge(start_gateway, space, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    uuids = [gateway.post("/scan-upload", sheet(number)).json()["artifact_uuid"] for number in range(2)]
    gateway.sql(f"UPDATE records SET accepted_at = 1 WHERE uuid = '{uuids[0]}'")
    assert run("gateway", "purge", "--data", gateway.data).returncode == 0
    for words in (("backup", tmp_path / "copy", "--data", gateway.data), ("restore", tmp_path / "copy", "--data", tmp_path / "new")):
        done = run("gateway", *words)
        assert done.returncode == 0 and "1 files" in done.stdout, done.stdout + done.stderr


def test_everything_about_one_person(start_gateway, space, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    office = Office(gateway)
    office.take_in()
    mine, other = filed(office, LISTED[:2])
    done = run("gateway", "student", LISTED[0], "--out", tmp_path / "one.zip", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    archive = zipfile.ZipFile(tmp_path / "one.zip")
    assert f"files/{mine}" in archive.namelist() and f"files/{other}" not in archive.namelist()
    assert archive.read(f"files/{mine}") == picture(100)
    [record] = json.loads(archive.read("records.json"))
    assert record["artifact_uuid"] == mine and LISTED[1] not in json.dumps(json.loads(archive.read("class-list.json")))


def test_nothing_personal_is_in_the_log(start_gateway, space):
    gateway = start_gateway(space_url=space.url)
    office = Office(gateway)
    office.take_in()
    uuids = filed(office, LISTED[:2])
    office.http.post(office.url + "/scan-upload", files={"file": ("Anna Miller 2021.png", picture(400))}, timeout=60)
    office.get("/people", q="Name 3")
    office.http.get(office.url + "/records/Anna%20Miller", timeout=60)
    taken_out(office, "zip")
    assert gateway.stop() == 0
    log = gateway.log.read_text()
    assert "/review/{uuid}" in log and "records_judged" in log
    for word in ("Name ", "Anna", "Miller", *LISTED, "class.csv", "scan-0", *uuids[:0]):
        assert word not in log, word
