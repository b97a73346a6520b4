"""The running server keeps to its own /openapi.json, whatever is sent to it."""

import subprocess
import sys
from pathlib import Path

import requests


def test_the_document_lists_what_there_is(server):
    document = requests.get(server.url + "/openapi.json", timeout=30).json()
    assert document["openapi"].startswith("3.1")
    methods = ("get", "post", "put", "delete")
    described = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in methods if method in item}
    assert described == set(requests.get(server.url + "/", timeout=30).json()["endpoints"])


def test_schemathesis_finds_nothing(server, tmp_path):
    """Positive and negative requests made from the document; every reply is checked against it.

    Two checks are left out: whether bytes are a picture is nothing a schema can say, so what it calls valid may be refused, and a form
    has no types, so what it calls invalid may be accepted.
    """
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", server.url + "/openapi.json", "--no-color",
               "--max-examples", "20", "--phases", "examples,coverage,fuzzing", "--generation-deterministic",
               "--request-timeout", "60", "--max-time", "90", "--continue-on-failure", "--suppress-health-check", "all",
               "--exclude-checks", "positive_data_acceptance,negative_data_rejection"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert requests.get(server.url + "/readyz", timeout=30).status_code == 200
