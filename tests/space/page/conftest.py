"""The page in a real browser, against the real server. Screenshots are left in build/screenshots.

ALCOVE_WEB=web serves the page's files from that folder instead of the program, so that work on them needs no build.
"""

import copy
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser

from browsing import opening
from conftest import ROOT


@pytest.fixture
def open_page(browser: Browser, server):
    with opening(browser, server.url, "sheet/index.html") as open_one:
        yield open_one


@pytest.fixture(scope="session")
def reading(server) -> dict:
    """What the server says about the page's first sample."""
    sample = (ROOT / "web/sheet/sample.jpg").read_bytes()
    reply = requests.post(server.url + "/extract", files={"file": ("sample.jpg", sample)}, timeout=120)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def sure(reading: dict) -> dict:
    """The same, with every character certain."""
    made = copy.deepcopy(reading)
    for box in made["boxes"]:
        box["confidence"] = 0.99
        for symbol in box["symbols"]:
            symbol["confidence"] = 0.99
    return {**made, "confidence": 0.99, "reasons": []}


@pytest.fixture
def doubtful(sure: dict) -> dict:
    """The same, with one character that may be another."""
    made = copy.deepcopy(sure)
    box = next(box for box in made["boxes"] if box["field"] == "register_number")
    box["symbols"][3].update(confidence=0.52, alternatives=[{"value": "8", "confidence": 0.31}])
    return made


@pytest.fixture(scope="session")
def sheet_files(tmp_path_factory: pytest.TempPathFactory):
    """So many copies of the sample under names of their own."""
    def make(count: int) -> list[Path]:
        folder = tmp_path_factory.mktemp("sheets")
        sample = (ROOT / "web/sheet/sample.jpg").read_bytes()
        files = [folder / f"sheet {number}.jpg" for number in range(1, count + 1)]
        for file in files:
            file.write_bytes(sample)
        return files
    return make
