"""Several workers on one queue, a disk that vanishes, a database of another time."""

import sqlite3
import subprocess
import time

import requests
from gateway.kit import number_of, sheet


def test_three_workers_one_killed_none_lost(start_gateway, space, export, postgres_server):
    space.delay = 0.05
    database = {"DATABASE_URL": postgres_server()}
    # The gateway itself takes sheets in and reads none: its policy has nobody to read with but the Space, which it cannot reach.
    gateway = start_gateway("--policy", "remote-only", space_url="http://127.0.0.1:9", **database)
    workers = [start_gateway("--policy", "remote-only", "--lease", 3, space_url=space.url, command="worker", **database)
               for _ in range(3)]
    sheets = [sheet(number) for number in range(60)]
    for content in sheets[:30]:
        assert gateway.post("/scan-upload", content, headers={"Prefer": "respond-async"}).status_code == 202
    end = time.monotonic() + 60
    while space.asked < 5 and time.monotonic() < end:
        time.sleep(0.02)
    workers[0].kill()
    for content in sheets[30:]:
        assert gateway.post("/scan-upload", content, headers={"Prefer": "respond-async"}).status_code == 202
    gateway.wait_until_idle()
    records = export(gateway)
    assert sorted(record["register_number"] for record in records) == sorted(map(number_of, sheets))
    assert [worker.stop() for worker in workers[1:]] == [0, 0]


def test_two_gateways_share_a_queue_and_tell_of_each_others_records(start_gateway, space, export, postgres_server):
    """What one takes in the other records; whoever waits at either hears of it, and nothing is there twice."""
    database = {"DATABASE_URL": postgres_server()}
    takes = start_gateway("--policy", "remote-only", "--hold", 60, space_url="http://127.0.0.1:9", data=None, **database)
    reads = start_gateway("--policy", "remote-only", space_url=space.url, data=takes.data.with_name("other"), **database)
    sheets = [sheet(number) for number in range(10)]
    answered = [takes.post("/scan-upload", content).json() for content in sheets[:5]]
    assert [answer["register_number"] for answer in answered] == [number_of(content) for content in sheets[:5]]
    assert reads.post("/scan-upload", sheets[0]).json()["artifact_uuid"] == answered[0]["artifact_uuid"], "the same sheet at the other door"
    files = [("file", (f"{number}.pdf", content)) for number, content in enumerate(sheets[5:])]
    assert requests.put(takes.url + "/jobs/both", files=files, timeout=60).status_code == 202
    for gateway in (takes, reads):
        told = requests.get(gateway.url + "/jobs/both/events", timeout=120).text
        assert told.count("event: result") == 5 and "event: done" in told
    assert sorted(record["register_number"] for record in export(reads)) == sorted(map(number_of, sheets))
    assert not any(path.is_file() for gateway in (takes, reads) for path in (gateway.data / "files").rglob("*")), "no copy stays on a machine"


def test_files_outlive_a_disk_that_vanishes(start_gateway, space, export, postgres_server):
    """Between taking in and reading, with DATABASE_URL."""
    database = {"DATABASE_URL": postgres_server()}
    first = start_gateway("--policy", "remote-only", space_url="http://127.0.0.1:9", **database)
    sheets = [sheet(number) for number in range(5)]
    for content in sheets:
        assert first.post("/extract", content, headers={"Prefer": "respond-async"}).status_code == 202
    first.kill()
    subprocess.run(["rm", "-rf", str(first.data)], check=True)
    second = start_gateway("--policy", "remote-only", space_url=space.url, **database)
    second.wait_until_idle()
    assert sorted(record["register_number"] for record in export(second)) == sorted(map(number_of, sheets))


def test_without_a_database_the_log_says_where_files_live(start_gateway, space):
    gateway = start_gateway(space_url=space.url)
    assert any(line["event"] == "files_live_on_this_disk" and "DATABASE_URL" in line["note"] for line in gateway.lines())


def test_a_newer_schema_is_refused_by_name(start_gateway, space):
    gateway = start_gateway(space_url=space.url)
    gateway.stop()
    with sqlite3.connect(gateway.data / "gateway.sqlite") as database:
        database.execute("UPDATE alcove_schema SET version = version + 1, written_by = '9.9'")
    refused = start_gateway(space_url=space.url, wait=False)
    assert refused.process.wait(timeout=60) == 1
    assert "alcove 9.9" in refused.log.read_text()
