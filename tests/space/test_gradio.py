"""The sheet Space through the real client of Gradio, and through its plain calls."""

import concurrent.futures

import pytest
import requests
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from conftest import ROOT

SHEETS = ROOT / "samples/sheets"


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url, verbose=False)


def extracted(server, name: str) -> dict:
    with (SHEETS / name).open("rb") as sheet:
        return requests.post(server.url + "/extract", files={"file": (name, sheet)}, timeout=120).json()


def events(server, path: str) -> list[str]:
    reply = requests.get(server.url + path, timeout=60)
    assert reply.headers["content-type"].startswith("text/event-stream")
    return [event for event in reply.text.split("\n\n") if event]


def without_times(reading: dict) -> dict:
    return {key: value for key, value in reading.items() if key != "timings_ms"}


def test_predict_returns_what_extract_says(server, client):
    name = "photo-desk.jpg"
    said = client.predict(handle_file(SHEETS / name), api_name="/predict")
    assert said["register_number"]
    assert without_times(said) == without_times(extracted(server, name))


def test_many_calls_of_one_session_each_get_their_own_answer(server, client):
    names = ["photo-desk.jpg", "clean-slip.pdf", "photo-exif.jpg"] * 2
    with concurrent.futures.ThreadPoolExecutor() as pool:
        wanted = list(pool.map(lambda name: extracted(server, name)["register_number"], names))
    jobs = [client.submit(handle_file(SHEETS / name), api_name="/predict") for name in names]
    assert [job.result(timeout=120)["register_number"] for job in jobs] == wanted


def test_a_sheet_that_cannot_be_read_is_said_in_the_servers_words(client, tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    with pytest.raises(AppError, match="not a picture of a kind we read"):
        client.predict(handle_file(tmp_path / "notes.jpg"), api_name="/predict")
    with pytest.raises(AppError, match="`password`"):
        client.predict(handle_file(SHEETS / "encrypted.pdf"), api_name="/predict")


def test_a_password_goes_along(client, samples):
    said = client.predict(handle_file(SHEETS / "encrypted.pdf"), samples["encrypted.pdf"]["password"], api_name="/predict")
    assert said["success"]


def test_a_call_without_the_client(server):
    with (SHEETS / "clean-slip.pdf").open("rb") as sheet:
        [path] = requests.post(server.url + "/gradio_api/upload", files={"files": ("../../slip.pdf", sheet)}, timeout=60).json()
    assert path.endswith("/slip.pdf") and ".." not in path
    called = requests.post(server.url + "/gradio_api/call/predict", json={"data": [{"path": path}]}, timeout=60).json()
    [event] = events(server, f"/gradio_api/call/predict/{called['event_id']}")
    assert event.startswith("event: complete\ndata: [{") and extracted(server, "clean-slip.pdf")["register_number"] in event


@pytest.mark.parametrize("path", ["uploads/" + "0" * 64 + "/a.pdf", "/etc/passwd", "http://127.0.0.1:1/a.jpg", "", None, 7])
def test_only_what_was_uploaded_is_read(server, path):
    called = requests.post(server.url + "/gradio_api/call/predict", json={"data": [{"path": path}]}, timeout=60).json()
    [event] = events(server, f"/gradio_api/call/predict/{called['event_id']}")
    assert event.startswith("event: error\n") and "no file that was uploaded here" in event


@pytest.mark.parametrize("body, status", [
    (b"", 400), (b"[]", 400), (b"\xff", 400), (b'{"session_hash": 5, "fn_index": 0}', 400), (b'{"session_hash": "a"}', 404),
    (b'{"session_hash": "a", "fn_index": -1}', 404), (b'{"session_hash": "a", "fn_index": 1e99}', 404),
    (b'{"session_hash": "%s", "fn_index": 0}' % (b"x" * 200), 400)])
def test_a_join_that_makes_no_sense_is_refused(server, body, status):
    reply = requests.post(server.url + "/gradio_api/queue/join", data=body, timeout=60)
    assert (reply.status_code, "detail" in reply.json()) == (status, True)


def test_a_call_without_its_arguments_fails_and_ends_the_stream(server):
    requests.post(server.url + "/gradio_api/queue/join", json={"session_hash": "mine", "fn_index": 0, "data": 5}, timeout=60)
    said = events(server, "/gradio_api/queue/data?session_hash=mine")
    assert "`file` is missing" in said[-2] and "close_stream" in said[-1]


def test_an_unknown_session_is_told_so(server):
    [said] = events(server, "/gradio_api/queue/data?session_hash=nobody")
    assert '"session_not_found":true' in said


def test_a_flood_of_calls_is_turned_away(server):
    join = {"session_hash": "flood", "fn_index": 0, "data": [{"path": "nothing"}]}
    # Calls that fail at once are done at once: they never fill the queue.
    assert all(requests.post(server.url + "/gradio_api/queue/join", json=join, timeout=60).status_code == 200 for _ in range(100))
    said = events(server, "/gradio_api/queue/data?session_hash=flood")
    assert sum("process_completed" in event for event in said) == 100


def test_a_server_with_a_token_wants_it_here_too(start_server):
    guarded = start_server(env={"ALCOVE_TOKEN": "secret"})
    guarded.wait_until("/readyz", 200)
    assert requests.post(guarded.url + "/gradio_api/queue/join", json={}, timeout=60).status_code == 401
    client = Client(guarded.url, verbose=False, headers={"Authorization": "Bearer secret"})
    assert client.predict(handle_file(SHEETS / "clean-slip.pdf"), api_name="/predict")["register_number"]
