"""alcove model pull against the fake hub, in one cache with the Python client."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from hub.fake_hub import Fault, Hub

FILES = {"config.json": b'{"a": 1}', "odd": b"odd", "a b/c#d%é.txt": b"name", "model.bin": bytes(range(256)) * 8000, "empty.txt": b""}


@pytest.fixture
def net(hub: Hub):
    repo = hub.store.create("models", "alice/net")
    hub.store.put(repo, FILES)
    return repo


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_python_finds_what_alcove_fetched(hub, net, call, python, hub_env):
    hub.page = 2
    done = call("model", "pull", "alice/net")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert {name: data for name, data in contents(folder).items() if name != ".gitattributes"} == FILES
    assert not [one for one in hub.requests if one.origin == "cdn" and "authorization" in one.headers]
    before = len(hub.requests)
    out = python("from huggingface_hub import *; print(snapshot_download('alice/net')); print(hf_hub_download('alice/net', 'model.bin'))")
    assert out.splitlines() == [str(folder), str(folder / "model.bin")]
    assert not [one for one in hub.requests[before:] if one.method == "GET" and "resolve" in one.path], "nothing was fetched again"
    assert python("from huggingface_hub import *; print(scan_cache_dir().warnings, snapshot_download('alice/net', local_files_only=True))").startswith("[] /")


def test_alcove_finds_what_python_fetched(hub, net, call, python):
    folder = python("from huggingface_hub import *; print(snapshot_download('alice/net'))").strip()
    before = len(hub.requests)
    done = call("model", "pull", "alice/net")
    assert done.stdout.strip() == folder
    assert [one.path for one in hub.requests[before:]] == ["/api/models/alice/net/revision/main"]
    offline = call("model", "pull", "alice/net", env={"HF_HUB_OFFLINE": "1"})
    assert offline.stdout.strip() == folder
    assert len(hub.requests) == before + 1


def test_single_files_patterns_and_revisions(hub, net, call):
    done = call("model", "pull", "alice/net", "a b/c#d%é.txt", "config.json")
    assert [Path(line).read_bytes() for line in done.stdout.splitlines()] == [b"name", FILES["config.json"]]
    some = call("model", "pull", "alice/net", "--include", "*.json", "--include", "*.bin", "--exclude", "config*")
    assert "1 file," in some.stderr
    old = net.refs["main"]
    hub.store.put(net, {"config.json": b"new"})
    assert Path(call("model", "pull", "alice/net", "config.json").stdout.strip()).read_bytes() == b"new"
    assert Path(call("model", "pull", "alice/net", "config.json", "--revision", old).stdout.strip()).read_bytes() == FILES["config.json"]


def test_goes_on_where_an_earlier_run_ended(hub, net, call, hub_env):
    size = len(FILES["model.bin"])
    hub.faults = [Fault("GET cdn", cut=size // 3, times=1), Fault("GET cdn", status=403)]
    assert call("model", "pull", "alice/net", "model.bin").returncode != 0
    part = next((Path(hub_env["HF_HOME"]) / "hub").rglob("*.alcove-part"))
    assert part.stat().st_size == size // 3
    hub.faults = []
    done = call("model", "pull", "alice/net", "model.bin")
    assert Path(done.stdout.strip()).read_bytes() == FILES["model.bin"]
    assert hub.seen("GET /[0-9a-f]{64}")[-1].headers["range"] == f"bytes={size // 3}-"
    assert not part.exists()


def test_a_body_that_ends_again_and_again(hub, net, call):
    """Each try brings a piece, so none is counted as a failure."""
    hub.faults = [Fault("GET cdn", cut=300_000)]
    done = call("model", "pull", "alice/net", "model.bin")
    assert Path(done.stdout.strip()).read_bytes() == FILES["model.bin"], done.stderr
    assert [one.headers.get("range") for one in hub.seen("GET /[0-9a-f]{64}")][1] == "bytes=300000-"


def test_does_not_keep_what_is_not_what_was_announced(hub, net, call, hub_env):
    for fault in (Fault("GET cdn", corrupt=True), Fault("GET hub .*config.json", corrupt=True)):
        hub.faults = [fault]
        name = "model.bin" if "cdn" in fault.match else "config.json"
        done = call("model", "pull", "alice/net", name)
        assert done.returncode == 1 and "is not what the Hub announced" in done.stderr
    blobs = next((Path(hub_env["HF_HOME"]) / "hub").rglob("blobs"))
    assert list(blobs.iterdir()) == []
    hub.faults = []
    assert call("model", "pull", "alice/net", "model.bin", "config.json").returncode == 0


@pytest.mark.parametrize("fault, says", [
    (Fault("hub .*resolve", status=429, headers={"Retry-After": "100"}), "ask again in 100 s"),
    (Fault("hub .*resolve", status=200, body="<html>log in</html>"), "is it a Hub?"),
    (Fault("hub .*resolve", status=307, headers={"Location": "/alice/net/resolve/main/model.bin"}), "in a circle"),
    (Fault("hub .*resolve", status=302, headers={"Location": "http://127.0.0.1:1/x", "X-Repo-Commit": "a" * 40, "X-Linked-Etag": '"../../../evil"'}), "is it a Hub?"),
])
def test_a_hub_that_cannot_be_trusted(hub, net, call, hub_env, fault, says):
    hub.faults = [fault]
    done = call("model", "pull", "alice/net", "model.bin")
    assert done.returncode != 0 and says in done.stderr, done.stderr
    assert "hf_alice_write" not in done.stdout + done.stderr


def test_a_size_that_is_a_lie(hub, net, call):
    digest = hashlib.sha256(FILES["model.bin"]).hexdigest()
    headers = {"Location": f"{hub.url('cdn')}/{digest}?X-Amz-Signature={hub.signature}", "X-Repo-Commit": net.refs["main"], "X-Linked-Etag": f'"{digest}"'}
    hub.faults = [Fault("hub .*resolve", status=302, headers={**headers, "X-Linked-Size": "1000"})]
    done = call("model", "pull", "alice/net", "model.bin")
    assert done.returncode == 2 and "more than the 1000 bytes it announced" in done.stderr, done.stderr


@pytest.mark.parametrize("repo, env, says", [
    ("bob/none", {}, "does not exist"),
    ("bob/secret", {"HF_TOKEN": ""}, "set HF_TOKEN"),
    ("bob/gated", {}, "ask for access"),
    ("alice/net", {"HF_TOKEN": "hf_wrong"}, "revoked"),
    ("alice/net", {"HF_TOKEN": "hf_se cret"}, "copy it once more"),
    ("alice/net", {"HF_TOKEN": "sk-secret"}, "begin with hf_"),
    ("alice/../net", {}, "cannot be the name"),
    ("alice/net", {"HF_ENDPOINT": "http://127.0.0.1:1"}, "did not answer"),
    ("alice/net", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
])
def test_says_what_is_wrong(hub, net, call, repo, env, says):
    hub.store.create("models", "bob/secret", private=True)
    hub.store.create("models", "bob/gated", gated=True)
    done = call("model", "pull", repo, "config.json", env=env)
    assert done.returncode in (2, 3) and says in done.stderr, done.stderr
    assert "secret" not in done.stderr.replace("bob/secret", "") and "cret" not in done.stderr.replace("bob/secret", "")


def test_two_processes_fetch_one_file_once(hub, net, call):
    hub.faults = [Fault("GET cdn", delay=0.5, times=1)]
    done = []
    threads = [threading.Thread(target=lambda: done.append(call("model", "pull", "alice/net", "model.bin"))) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [one.returncode for one in done] == [0, 0] and done[0].stdout == done[1].stdout
    assert len(hub.seen("GET /[0-9a-f]{64}")) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_cache_of_another_user(hub, net, alcove, hub_env):
    """Nobody's pull into a cache that is root's: said in a sentence, and nothing is broken in it."""
    with tempfile.TemporaryDirectory(prefix="alcove-other-user-") as folder:
        os.chmod(folder, 0o755)
        # Nobody may not look into the build folder of root.
        program = Path(folder) / "bin"
        program.mkdir()
        for file in (alcove, *alcove.parent.glob("*.so")):
            shutil.copy(file, program)
        (Path(folder) / "hub").mkdir()
        env = {**hub_env, "HF_HOME": folder, "HOME": folder}
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program / "alcove", "model", "pull", "alice/net", "config.json"],
                              env=env, cwd="/", capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "set HF_HOME" in done.stderr, done.stderr
        assert list((Path(folder) / "hub").iterdir()) == []


def test_a_cache_of_somebody_else(hub, net, call, tmp_path):
    """Root may write anywhere, so the folder is one that nobody can make."""
    done = call("model", "pull", "alice/net", "config.json", env={"HF_HUB_CACHE": "/proc/cache"})
    assert done.returncode == 2 and "set HF_HOME" in done.stderr


def test_a_hub_that_says_later(hub, net, call):
    """429 without a word on how long; 503; and a connection that ends: each passes."""
    hub.faults = [Fault("HEAD hub .*resolve", status=429, times=2), Fault("GET cdn", status=503, times=1), Fault("GET cdn", cut=0, times=1)]
    assert call("model", "pull", "alice/net", "model.bin").returncode == 0


def test_a_full_disk(hub, net, alcove, hub_env):
    """A limit on the size of files stands for the disk; what fitted is kept."""
    line = f"trap '' XFSZ; ulimit -f 500; exec {alcove} model pull alice/net model.bin"
    done = subprocess.run(["bash", "-c", line], env=hub_env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and "make room and start again" in done.stderr, done.stderr
    part = next((Path(hub_env["HF_HOME"]) / "hub").rglob("*.alcove-part"))
    assert 400_000 < part.stat().st_size <= 512_000


def test_files_that_lie_in_xet_come_over_plain_http(hub, net, call):
    hub.xet = True
    done = call("model", "pull", "alice/net", "model.bin")
    assert Path(done.stdout.strip()).read_bytes() == FILES["model.bin"], done.stderr
    assert not hub.seen("xet|reconstruction") and len(hub.seen("GET /[0-9a-f]{64}")) == 1


def test_a_renamed_repository(hub, net, call):
    hub.store.moved["models", "alice/old"] = "alice/net"
    done = call("model", "pull", "alice/old", "config.json")
    assert done.returncode == 0 and "models--alice--old" in done.stdout


def test_the_token_stays_out_of_the_process_list(hub, net, alcove, hub_env):
    hub.faults = [Fault("GET cdn", delay=1, times=1)]
    with subprocess.Popen([alcove, "model", "pull", "alice/net", "model.bin"], env=hub_env, stdout=subprocess.PIPE) as process:
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.communicate(timeout=60)
    assert b"hf_" not in command
