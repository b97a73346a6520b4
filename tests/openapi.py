"""What the tests of the three servers' /openapi.json share."""

import subprocess
import sys
from pathlib import Path

import requests

METHODS = ("get", "post", "put", "delete")


def described(url: str) -> set[str]:
    """What the document says there is, as "GET /path"."""
    document = requests.get(url + "/openapi.json", timeout=30).json()
    assert document["openapi"].startswith("3.1")
    return {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in METHODS if method in item}


def listed(url: str) -> set[str]:
    """What the server itself lists."""
    return set(requests.get(url + "/", timeout=30).json()["endpoints"])


def schemathesis(url: str, folder: Path, *arguments: str) -> None:
    """Positive and negative requests made from the document; every reply is checked against it.

    Two checks are left out: whether bytes are a picture is nothing a schema can say, so what it calls valid may be refused, and a form
    has no types, so what it calls invalid may be accepted.
    """
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", url + "/openapi.json", "--no-color", *arguments,
               "--max-examples", "20", "--phases", "examples,coverage,fuzzing", "--generation-deterministic",
               "--request-timeout", "60", "--max-time", "90", "--continue-on-failure", "--suppress-health-check", "all",
               "--exclude-checks", "positive_data_acceptance,negative_data_rejection"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert requests.get(url + "/readyz", timeout=30).status_code == 200
