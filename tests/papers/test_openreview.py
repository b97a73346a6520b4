"""`alcove papers index` against a stand-in for OpenReview that misbehaves in the ways it is known to, and the stand-in against the
real client."""

import json
import os
import signal
import subprocess
import time

import pytest
from papers.openreview_server import VENUE, OpenReviewServer, note, odd_notes

QUICK = ("--pause", "0", "--patience", "2")


@pytest.fixture
def server():
    running = OpenReviewServer([note(number) for number in range(1, 41)] + odd_notes(100))
    yield running
    running.close()


def index(run, server, data, *arguments, env=None):
    return run("papers", "index", VENUE, "--data", data, "--api", server.url, "--older-api", server.url + "/v1", *QUICK, *arguments,
               env={"OPENREVIEW_USERNAME": "", "OPENREVIEW_PASSWORD": "", "OPENREVIEW_TOKEN": ""} | (env or {}))


def papers(run, data):
    return [json.loads(line) for line in run("papers", "export", "--data", data).stdout.splitlines()]


def test_a_venue_is_fetched_and_found(run, server, tmp_path):
    done = index(run, server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("44 papers in")
    by_id = {paper["id"]: paper for paper in papers(run, tmp_path)}
    assert by_id["note00001"]["venue"] == "Made 2025" and by_id["note00001"]["decision"] == "poster"
    assert by_id["note00001"]["url"] == "https://openreview.net/forum?id=note00001"
    assert by_id["note00100"]["authors"] == ["Uma Unified"]
    assert "authors" not in by_id["note00101"] and "abstract" not in by_id["note00102"]
    assert by_id["note00103"]["pdf"] == "https://example.org/x.pdf"
    assert "note00104" not in by_id, "it was deleted"
    found = run("papers", "search", "author:\"Author7, Ann\"", "--data", tmp_path, "--mode", "words", "--format", "jsonl")
    assert json.loads(found.stdout)["id"] == "note00007"


def test_what_changed_is_fetched_again(run, server, tmp_path):
    assert index(run, server, tmp_path).returncode == 0
    server.notes = [each for each in server.notes if each["id"] != "note00002"]
    server.notes[0]["content"]["title"]["value"] = "Another title"
    requests = len(server.requests)
    assert index(run, server, tmp_path).returncode == 0
    assert len(server.requests) == requests + 1, "only the group: the pages are fresh"
    done = index(run, server, tmp_path, "--afresh")
    assert "0 new, 1 changed, 42 as they were, 1 taken out" in done.stdout


def test_a_login_opens_what_guests_may_not_see(run, server, tmp_path):
    server.trouble = "challenge"
    done = index(run, server, tmp_path)
    assert done.returncode == 3
    assert "OPENREVIEW_USERNAME" in done.stderr and "import a file" in done.stderr
    assert len(server.requests) <= 3, "a 403 is not asked again"
    done = index(run, server, tmp_path, env={"OPENREVIEW_USERNAME": "me@x.org", "OPENREVIEW_PASSWORD": "secret"})
    assert done.returncode == 0, done.stderr
    assert server.logins == 1
    done = index(run, server, tmp_path, "--afresh", env={"OPENREVIEW_USERNAME": "me@x.org", "OPENREVIEW_PASSWORD": "wrong"})
    assert done.returncode == 3 and "Invalid username" in done.stderr and "wrong" not in done.stderr
    server.trouble = "mfa"
    done = index(run, server, tmp_path, "--afresh", env={"OPENREVIEW_USERNAME": "me@x.org", "OPENREVIEW_PASSWORD": "secret"})
    assert done.returncode == 3 and "second factor" in done.stderr


@pytest.mark.parametrize("trouble", ["429 once", "500 once", "html once", "half once", "cut once"])
def test_passing_trouble_is_waited_out(run, server, tmp_path, trouble):
    server.trouble, server.trouble_after = trouble, 1
    done = index(run, server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("44 papers in")


@pytest.mark.parametrize(("trouble", "says"), [("429", "enough requests"), ("500", "status 500"), ("html", "proxy"), ("half", "proxy"), ("cut", "")])
def test_lasting_trouble_is_explained_and_keeps_the_index(run, server, tmp_path, trouble, says):
    assert index(run, server, tmp_path).returncode == 0
    server.trouble = trouble
    done = index(run, server, tmp_path, "--afresh")
    assert done.returncode == 3
    assert says in done.stderr and "goes on from there" in done.stderr
    assert len(papers(run, tmp_path)) == 44


def test_unknown_venues_are_named(run, server, tmp_path):
    done = run("papers", "index", "Nobody.cc/1999", "--data", tmp_path, "--api", server.url, *QUICK)
    assert done.returncode == 2
    assert "Nobody.cc/1999" in done.stderr and "NeurIPS.cc/2025/Conference" in done.stderr


def test_a_killed_fetch_goes_on_where_it_was(alcove, run, tmp_path):
    server = OpenReviewServer([note(number) for number in range(1, 3_501)])
    command = [str(alcove), "papers", "index", VENUE, "--data", str(tmp_path), "--api", server.url, "--pause", "1500"]
    running = subprocess.Popen(command, env=os.environ | {"OPENREVIEW_TOKEN": "t"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("openreview/*/0001.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = len(server.requests)
    done = index(run, server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3500 papers in")
    pages = [request for request in server.requests[before:] if "/notes" in request]
    assert len(pages) <= 3 and "after=note01000" in pages[0]
    server.close()


def test_the_real_client_takes_the_stand_in(server):
    openreview = pytest.importorskip("openreview")
    client = openreview.api.OpenReviewClient(baseurl=server.url, username="me@x.org", password="secret")
    notes = client.get_all_notes(content={"venueid": VENUE})
    assert len(notes) == 45
    assert notes[0].content["title"]["value"].startswith("Paper 1 on")
    assert client.get_group(VENUE).content["subtitle"]["value"] == "Made 2025"
