"""A small host: little memory, whoever hangs on."""

import concurrent.futures
import contextlib
import io
import json
import os
import re
import socket
import statistics
import threading
import time
import zipfile
from pathlib import Path

import requests
from gateway.kit import number_of, reading, sheet


def memory(gateway, what: str) -> float:
    """MB: VmRSS now, VmHWM at most so far."""
    return int(re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{gateway.process.pid}/status").read_text())[1]) / 1024


def large(number: int) -> bytes:
    return sheet(number) + os.urandom(64) * (5_000_000 // 64)


def test_a_crowd_of_large_uploads_fits_into_little_memory(start_gateway, space, export):
    gateway = start_gateway(space_url=space.url)
    assert memory(gateway, "VmRSS") < 60
    sheets = [large(number) for number in range(100)]
    with concurrent.futures.ThreadPoolExecutor(len(sheets)) as clients:
        statuses = list(clients.map(lambda content: gateway.post("/scan-upload", content, headers={"Prefer": "respond-async"}).status_code, sheets))
    assert statuses == [202] * len(sheets)
    gateway.wait_until_idle()
    assert memory(gateway, "VmHWM") < 150
    assert sorted(record["register_number"] for record in export(gateway)) == sorted(map(number_of, sheets))
    assert not list((gateway.data / "incoming").iterdir())


def upload_times(gateway, numbers: range) -> float:
    """The median, in seconds."""
    took = []
    for number in numbers:
        start = time.perf_counter()
        assert gateway.post("/scan-upload", sheet(number)).status_code == 200
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def test_listeners_and_slow_senders_do_not_hold_up_an_upload(start_gateway, space):
    """300 follow a job that does not end; 300 more never come to an end with what they send, half of them in the head, half in the body."""
    blocked, over = threading.Event(), threading.Event()

    def extract(handler, content):
        if content == sheet("blocked"):
            blocked.wait(120)
        space.send(handler, 200, json.dumps(reading(number_of(content))).encode())

    space.extract = extract
    gateway = start_gateway("--policy", "remote-only", space_url=space.url)
    requests.put(gateway.url + "/jobs/long", files=[("file", ("a.pdf", sheet("blocked")))])
    alone = upload_times(gateway, range(15))
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    with contextlib.ExitStack() as open_ones:
        def connect(text: bytes) -> socket.socket:
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=60))
            connection.sendall(text)
            return connection

        followers = [connect(b"GET /jobs/long/events HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(300)]
        slow = [connect(b"POST /scan-upload HTTP/1.1\r\nHost: x\r\nX-Slow: ") for _ in range(150)]
        slow += [connect(b"POST /scan-upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n" + form)
                 for _ in range(150)]
        rounds = 0

        def trickle() -> None:
            nonlocal rounds
            while not over.wait(0.1):
                for connection in slow:
                    connection.sendall(b"a")  # raises when the gateway has closed it, and `rounds` stands still
                rounds += 1

        attacker = threading.Thread(target=trickle)
        attacker.start()
        try:
            while rounds < 3:
                assert attacker.is_alive()
                time.sleep(0.05)
            under_attack = upload_times(gateway, range(15, 45))
            seen = rounds
            assert requests.get(gateway.url + "/health").status_code == 200
        finally:
            over.set()
            attacker.join()
        print(f"an upload takes {alone * 1000:.1f} ms alone, {under_attack * 1000:.1f} ms beside 300 listeners and 300 slow senders ({seen} bytes each)")
        assert seen > 3 and under_attack < 5 * alone
        assert memory(gateway, "VmHWM") < 150
        blocked.set()
        for follower in followers:
            text = b""
            while b"event: done" not in text:
                piece = follower.recv(65536)
                assert piece, text
                text += piece
            assert b"event: result" in text


def test_an_archive_is_whole_for_a_proxy_of_the_old_kind(start_gateway, space):
    """HTTP/1.0 knows no pieces, so the whole is collected, however large."""
    gateway = start_gateway(space_url=space.url)
    for uuid in [gateway.post("/scan-upload", large(number)).json()["artifact_uuid"] for number in range(3)]:
        gateway.judged(uuid)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(b"GET /export?format=zip&exam_type=CIA1&subject_code=CS101 HTTP/1.0\r\nHost: x\r\n\r\n")
        head, body = b"".join(iter(lambda: connection.recv(1 << 20), b"")).split(b"\r\n\r\n", 1)
    assert b" 200 " in head.splitlines()[0] and len(body) > 10_000_000
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert len(archive.namelist()) == 3 and archive.testzip() is None


def test_who_takes_an_archive_slowly_does_not_fill_the_memory(start_gateway, space):
    """300 MB of sheets, of which somebody takes a little, and waits; the disk's threads serve others meanwhile."""
    gateway = start_gateway(space_url=space.url)
    with concurrent.futures.ThreadPoolExecutor(4) as clients:
        uuids = list(clients.map(lambda number: gateway.post("/scan-upload", large(number)).json()["artifact_uuid"], range(60)))
    for uuid in uuids:
        gateway.judged(uuid)
    before = memory(gateway, "VmRSS")
    query = {"format": "zip", "exam_type": "CIA1", "subject_code": "CS101"}
    with contextlib.ExitStack() as open_ones:
        slow = [open_ones.enter_context(requests.get(gateway.url + "/export", params=query, stream=True, timeout=60)) for _ in range(2)]
        bodies = [reply.iter_content(1 << 20) for reply in slow]
        first = [next(body) for body in bodies]
        time.sleep(1)
        assert gateway.post("/scan-upload", sheet("meanwhile")).status_code == 200
        assert memory(gateway, "VmRSS") < before + 60
        archive = zipfile.ZipFile(io.BytesIO(first[0] + b"".join(bodies[0])))
    assert len(archive.namelist()) == 60 and archive.testzip() is None
    assert memory(gateway, "VmHWM") < 150
