"""The paper finder of the real binary over the sample papers; and its page in a real browser, as in tests/space/page."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browsing import opening
from conftest import ROOT
from serving import Server, free_port, starting

SAMPLES = ROOT / "samples/papers/papers.jsonl"

# What would be somebody's script, were it not escaped everywhere.
HOSTILE = {"id": "hostile", "title": "<img src=x onerror=alert(1)> & <b>bold</b> $\\alpha^{2} \\leq \\frac{1}{n}$ claims",
           "authors": ["<script>alert(2)</script>", "Zoë O'Brien"], "keywords": ["<i>markup</i>"], "venue": "NeurIPS 1999",
           "year": 1999, "abstract": "A \"quoted\" <script>alert(3)</script> sentence about zymurgy. It costs $5 to $10 and no more.",
           "url": "javascript:alert(4)", "pdf": "data:text/html,<script>alert(5)</script>"}


@pytest.fixture(scope="session")
def index(run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample papers and a hostile one, by their words alone."""
    data, more = tmp_path_factory.mktemp("finder"), tmp_path_factory.mktemp("more") / "hostile.jsonl"
    more.write_text(json.dumps(HOSTILE) + "\n")
    done = run("papers", "import", SAMPLES, more, "--data", data)
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture(scope="session")
def start_finder(alcove: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory):
    with starting() as run:
        def start(data: Path, *arguments: object, env: dict[str, str] | None = None) -> Server:
            port = free_port()
            return run([str(alcove), "serve", "paper-finder", "--port", str(port), "--host", "127.0.0.1", "--data", str(data), *map(str, arguments)],
                       port, tmp_path_factory.mktemp("serve") / "log",
                       {**os.environ, "ALCOVE_CACHE": str(cache), "ALCOVE_MODEL": "none", "ALCOVE_VENUES": "none", **(env or {})})

        yield start


@pytest.fixture(scope="session")
def finder(start_finder, index: Path) -> Server:
    running = start_finder(index)
    running.wait_until("/readyz", 200)
    return running


@pytest.fixture
def open_page(browser: Browser, finder: Server):
    with opening(browser, finder.url, "finder/index.html") as open_one:
        yield open_one
