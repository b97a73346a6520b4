"""The class list in the gateway: imported from the shell, decisions on the records, answers by people, the trail."""

import json
import sqlite3
import time

from gateway.kit import number_of, sheet


def wait_for(look, seconds: float = 60):
    """What `look` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


def decided(export, gateway, decision: str, count: int) -> list[dict]:
    def look():
        records = export(gateway)
        return records if sum(record["decision"] == decision for record in records) == count else None

    return wait_for(look)


def write_list(path, numbers) -> None:
    path.write_text("register_number,name,subject_code\n" + "".join(f"{number},Name {i},CS101\n" for i, number in enumerate(numbers)))


def test_a_list_imported_beside_a_running_gateway_decides(start_gateway, space, export, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    listed, stranger = sheet(1), sheet(2)
    gateway.post("/scan-upload", listed, "a.pdf")
    gateway.post("/scan-upload", stranger, "b.pdf")
    decided(export, gateway, "accepted", 2)  # by the rules alone: nobody gave a list

    path = tmp_path / "class.csv"
    write_list(path, [number_of(listed), *range(700_000_000_000, 700_000_000_050)])
    done = run("gateway", "roster", path, "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    assert "51 entries, 0 lines left out; kept as version 1; the running gateway" in done.stdout
    records = {record["original_filename"]: record for record in decided(export, gateway, "review", 1)}
    mine, other = records["a.pdf"], records["b.pdf"]
    assert mine["decision"] == "accepted" and float(mine["margin"]) > 2 and mine["reasons"] == []
    assert mine["roster_candidates"][0]["register_number"] == number_of(listed)
    assert mine["roster_candidates"][0]["name"] == "Name 0" and len(mine["roster_candidates"]) == 5
    assert other["decision"] == "review" and other["reasons"] == ["not_in_roster"]
    assert other["register_number"] == number_of(stranger), "what was read is kept"

    again = run("gateway", "roster", path, "--data", gateway.data)
    assert "already there as version 1" in again.stdout


def test_an_answer_settles_a_record_and_the_trail_tells_it(start_gateway, space, export, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    content = sheet(3)
    uuid = gateway.post("/scan-upload", content, "c.pdf").json()["artifact_uuid"]
    path = tmp_path / "class.csv"
    write_list(path, range(700_000_000_000, 700_000_000_050))
    assert run("gateway", "roster", path, "--data", gateway.data).returncode == 0
    decided(export, gateway, "review", 1)
    done = run("gateway", "confirm", uuid, "700000000007", "--who", "anna", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    [record] = decided(export, gateway, "accepted", 1)
    assert record["register_number"] == "700000000007" and record["renamed_filename"] == "700000000007_CS101_CIA1.pdf"
    assert run("gateway", "confirm", "no-such-record", "7000", "--data", gateway.data).returncode == 2

    sound = run("gateway", "verify-trail", "--data", gateway.data)
    assert sound.returncode == 0 and "sound" in sound.stdout
    end = sound.stdout.split("the end is ")[1].strip()
    assert gateway.stop() == 0

    database = sqlite3.connect(gateway.data / "gateway.sqlite")
    rows = database.execute("SELECT number, who, what, about FROM trail ORDER BY number").fetchall()
    assert rows[-1][1:] == ("anna", "confirmed", uuid)
    assert number_of(content) in database.execute("SELECT detail FROM trail WHERE number = ?", (rows[-1][0],)).fetchone()[0]
    with database:
        database.execute("UPDATE trail SET who = 'nobody' WHERE number = ?", (rows[-1][0],))
    broken = run("gateway", "verify-trail", "--data", gateway.data)
    assert broken.returncode == 1 and f"row {rows[-1][0]} was changed" in broken.stdout
    with database:
        database.execute("DELETE FROM trail WHERE number = ?", (rows[-1][0],))
    gone = run("gateway", "verify-trail", "--data", gateway.data, "--known", end)
    assert gone.returncode == 1 and f"row {rows[-1][0]} is missing" in gone.stdout


def test_findings_name_their_lines_and_a_preview_keeps_nothing(run, tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes("\ufeffregister_number;name\n2101;Anbu K\n2101;Arun J\n2.12223E+11;Divya R\n=2103;Meena V\n".encode())
    done = run("gateway", "roster", path, "--preview", "--format", "json", "--data", tmp_path / "data")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["entries"] == 1 and found["left_out"] == 3 and found["version"] is None
    assert [(each["line"], each["code"]) for each in found["findings"]] == [(3, "other_name"), (4, "rounded_number"), (5, "formula")]
    assert not (tmp_path / "data").exists()
    assert run("gateway", "roster", tmp_path / "nothing.csv", "--data", tmp_path / "data").returncode == 2
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04" + bytes(100))
    refused = run("gateway", "roster", tmp_path / "book.xlsx", "--data", tmp_path / "data")
    assert refused.returncode != 0 and "CSV" in refused.stderr


def test_a_list_imported_while_nothing_runs_judges_at_once(start_gateway, space, export, run, tmp_path):
    gateway = start_gateway(space_url=space.url)
    content = sheet(4)
    gateway.post("/scan-upload", content, "d.pdf")
    assert gateway.stop() == 0
    path = tmp_path / "class.csv"
    write_list(path, [number_of(content), "700000000001"])
    done = run("gateway", "roster", path, "--data", gateway.data)
    assert "kept as version 1; 1 records judged anew" in done.stdout, done.stdout + done.stderr
    assert export(gateway)[0]["roster_candidates"][0]["name"] == "Name 0"
