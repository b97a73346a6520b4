"""Killed at any moment, the gateway has one record for each sheet it accepted."""

import collections
import hashlib
import itertools
import os
import random
import threading
import time

import requests
from gateway.kit import number_of, sheet

KILLS = int(os.environ.get("ALCOVE_KILLS", "20"))
SENDERS = 3


class Office:
    """Scanners that send one sheet after the other, and send again what was not answered."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.accepted: set[bytes] = set()
        self.unanswered: collections.deque[bytes] = collections.deque()
        self.lock = threading.Lock()

    def send_until(self, gateway, stop: threading.Event, chance: random.Random) -> None:
        while not stop.is_set():
            with self.lock:
                content = self.unanswered.popleft() if self.unanswered else sheet(next(self.numbers))
            headers = {"Prefer": "respond-async"} if chance.random() < 0.7 else {}
            try:
                reply = gateway.post("/scan-upload", content, f"{number_of(content)}.pdf", headers=headers)
                kept = reply.status_code in (200, 202)
            except requests.RequestException:
                kept = False
            with self.lock:
                (self.accepted.add if kept else self.unanswered.append)(content)


def test_kill_at_any_moment(start_gateway, space, export, database):
    chance = random.Random(os.environ.get("ALCOVE_SEED"))
    space.delay = 0.02
    office = Office()
    for _ in range(KILLS):
        gateway = start_gateway("--policy", "remote-only", "--lease", 3, space_url=space.url, **database)
        stop = threading.Event()
        senders = [threading.Thread(target=office.send_until, args=(gateway, stop, random.Random(chance.random())))
                   for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.02, 0.5))
        gateway.kill()
        stop.set()
        for sender in senders:
            sender.join()

    gateway = start_gateway("--policy", "remote-only", "--lease", 3, space_url=space.url, **database)
    gateway.wait_until_idle(180)
    records = export(gateway)
    assert len(office.accepted) > KILLS
    count = collections.Counter(record["sha256"] for record in records)
    assert set(count.values()) == {1}
    missing = {hashlib.sha256(content).hexdigest() for content in office.accepted} - set(count)
    assert not missing
    numbers = {hashlib.sha256(content).hexdigest(): number_of(content) for content in office.accepted}
    for record in records:
        if record["sha256"] in numbers:
            assert record["register_number"] == numbers[record["sha256"]]
            assert record["workflow_status"] == "pending"
            assert record["served_by"] == "remote"
