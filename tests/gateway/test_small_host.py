"""A small host: little memory, whoever hangs on."""

import concurrent.futures
import contextlib
import json
import os
import re
import socket
import threading
import time
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


def test_idle_listeners_and_slow_senders_do_not_hold_up_an_upload(start_gateway, space):
    """A job that never ends is followed 300 times; a hundred connections send a header a byte at a time."""
    blocked = threading.Event()

    def extract(handler, content):
        if content == sheet("blocked"):
            blocked.wait(120)
        space.send(handler, 200, json.dumps(reading(number_of(content))).encode())

    space.extract = extract
    gateway = start_gateway("--policy", "remote-only", space_url=space.url)
    requests.put(gateway.url + "/jobs/long", files=[("file", ("a.pdf", sheet("blocked")))])
    with contextlib.ExitStack() as open_ones:
        def connect(text: bytes) -> socket.socket:
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=60))
            connection.sendall(text)
            return connection

        followers = [connect(b"GET /jobs/long/events HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(300)]
        slow = [connect(b"POST /scan-upload HT") for _ in range(100)]
        for connection in slow:
            connection.sendall(b"T")
        for number in range(5):
            assert gateway.post("/scan-upload", sheet(number)).status_code == 200
        assert requests.get(gateway.url + "/health").status_code == 200
        blocked.set()
        for follower in followers[:20]:
            text = b""
            end = time.monotonic() + 60
            while b"event: done" not in text and time.monotonic() < end:
                text += follower.recv(65536)
            assert b"event: result" in text
