"""alcove space against the fake hub: from nothing to running, and what its owner does afterwards."""

import hashlib
import json
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import pytest
from hub.fake_hub import Fault, Hub

FOLDER_FILES = {"Dockerfile": b"FROM debian:12-slim\nRUN true\nEXPOSE 7860\nCMD [\"alcove\", \"serve\", \"answer-sheet\"]\n",
                "README.md": b"---\ntitle: t\nsdk: docker\napp_port: 7860\n---\n", ".gitattributes": b"*.pt filter=lfs diff=lfs merge=lfs -text\n"}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A small stand-in for the hundred megabytes of the real program."""
    folder = tmp_path / "program"
    (folder / "lib").mkdir(parents=True)
    (folder / "alcove").write_bytes(b"\x7fELF" + b"\0" * 5000)
    (folder / "lib/libopenvino.so.1").write_bytes(b"\x7fELF" + b"\1" * 9000)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "space"
    made.mkdir()
    for name, data in FOLDER_FILES.items():
        (made / name).write_bytes(data)
    return made


@pytest.fixture
def space(hub: Hub):
    """A Space that runs."""
    made = hub.create_space("alice/sheets")
    hub.store.put(hub.store.repos["spaces", "alice/sheets"], FOLDER_FILES)
    made.set("RUNNING")
    made.secrets["ALCOVE_TOKEN"] = "x"
    return made


def new(call, models, program, *arguments, **kwargs):
    return call("space", "new", "answer-sheet", "--models", models, "--program", program, "--yes", *arguments, **kwargs)


def files_of(hub: Hub, name: str) -> list[str]:
    return sorted(hub.store.repos["spaces", name].at("main").files)


def test_from_nothing_to_running(hub, call, models, program, tmp_path):
    hub.part_size = 200_000  # large files go up in parts
    done = new(call, models, program)
    assert done.returncode == 0, done.stderr
    space = hub.space("alice/answer-sheet-ml")
    assert space.stage == "RUNNING" and done.stdout.startswith(hub.app_host(space))
    assert "BUILDING" in done.stderr and "build | #1" in done.stderr and "free" not in done.stdout
    files = files_of(hub, "alice/answer-sheet-ml")
    assert {".dockerignore", ".gitattributes", "Dockerfile", "README.md", "program/alcove", "program/lib/libopenvino.so.1"} <= set(files)
    assert len([name for name in files if name.startswith("models/")]) == 3
    readme = hub.store.content(hub.store.repos["spaces", "alice/answer-sheet-ml"].at("main").files["README.md"]).decode()
    assert "\nlicense: mit\n" in readme and "\nsdk: docker\n" in readme and space.hardware == "cpu-basic" and not hub.store.repos["spaces", "alice/answer-sheet-ml"].private
    # The generated token is in the Space and in a file of its owner, and nowhere in what was printed.
    token = space.secrets["ALCOVE_TOKEN"]
    kept = tmp_path / "home/.config/alcove/alice--answer-sheet-ml.env"
    assert kept.read_text() == f"HF_SPACE_URL={hub.app_host(space)}\nHF_SPACE_TOKEN={token}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(token) >= 40 and token not in done.stdout + done.stderr and "hf_alice" not in done.stdout + done.stderr
    assert str(kept) in done.stdout and "/extract" in done.stdout
    assert not [one for one in hub.requests if one.origin == "cdn" and "authorization" in one.headers]
    assert hub.seen("PUT .*partNumber=2"), "parts were used"

    # Once more: nothing differs, nothing is sent, nothing restarts.
    before, boot = len(hub.requests), space.boot
    again = new(call, models, program)
    assert again.returncode == 0 and "0 files sent" in again.stderr, again.stderr
    changes = [one for one in hub.requests[before:] if one.method != "GET" and "preupload" not in one.path and "validate-yaml" not in one.path]
    assert changes == [] and space.boot == boot and space.secrets["ALCOVE_TOKEN"] == token

    # A variable that is new is one change.
    assert new(call, models, program, "--variable", "ALCOVE_THREADS=2").returncode == 0
    assert space.variables == {"ALCOVE_THREADS": "2"}


def test_hardware_with_a_gpu_gets_the_build_for_one(hub, call, models, program):
    done = new(call, models, program, "--hardware", "t4-small")
    assert done.returncode == 0 and "$0.40 per hour" in done.stdout + done.stderr
    files = hub.store.repos["spaces", "alice/answer-sheet-ml"].at("main").files
    assert "Dockerfile.cuda" not in files
    dockerfile, readme = (hub.store.content(files[name]).decode() for name in ("Dockerfile", "README.md"))
    assert "onnxruntime-gpu==" in dockerfile and "suggested_hardware: t4-small" in readme


@pytest.fixture
def index(call, tmp_path) -> Path:
    """Of papers by their words alone, with what a server leaves beside it."""
    papers = tmp_path / "papers.jsonl"
    papers.write_text('{"id": "a", "title": "Graphs", "abstract": "About graphs."}\n')
    done = call("papers", "import", papers, "--data", tmp_path / "index")
    assert done.returncode == 0, done.stderr
    (tmp_path / "index/model_weights").mkdir()
    (tmp_path / "index/model_weights/pytorch_model.bin").write_bytes(b"w")
    return tmp_path / "index"


def test_paper_finder_with_volume_and_secrets(hub, call, program, index, tmp_path):
    done = call("space", "new", "paper-finder", "--program", program, "--index", index, "--yes", "--private", "--name", "finder",
                "--volume", "bucket:alice/papers:/data", "--secret", "OPENREVIEW_PASSWORD", env={"OPENREVIEW_PASSWORD": "pass word"})
    assert done.returncode == 0, done.stderr
    space = hub.space("alice/finder")
    assert space.stage == "RUNNING" and hub.store.repos["spaces", "alice/finder"].private
    assert space.secrets == {"OPENREVIEW_PASSWORD": "pass word"}
    assert space.volumes == [{"type": "bucket", "source": "alice/papers", "mountPath": "/data"}]
    assert hub.buckets == {"alice/papers"}, "the bucket was made"
    assert [name for name in files_of(hub, "alice/finder") if name.startswith("index/")] == ["index/papers.db"]
    assert "pass word" not in done.stdout + done.stderr and "X-HF-Authorization" in done.stdout


def test_dry_run_shows_everything_and_sends_nothing(hub, call, models, program):
    done = new(call, models, program, "--dry-run", "--secret", "EXTRA", env={"EXTRA": "very-secret"})
    assert done.returncode == 0, done.stderr
    assert "POST /api/repos/create" in done.stdout and '"value":"***"' in done.stdout and "upload Dockerfile" in done.stdout
    assert "very-secret" not in done.stdout + done.stderr
    assert [one for one in hub.requests if one.method != "GET"] == [] and not hub.store.repos


@pytest.mark.parametrize("arguments, env, says", [
    (["--owner", "bob"], {}, "who may not create bob/"),
    ([], {"HF_TOKEN": "hf_alice_read"}, "may only read"),
    ([], {"HF_TOKEN": "hf_carol_free"}, "needs a paid plan"),
    ([], {"HF_TOKEN": ""}, "needs a token"),
    (["--name", "a--b"], {}, "cannot be the name"),
    (["--hardware", "h100"], {}, "there is cpu-basic"),
    (["--volume", "disk"], {}, "is no volume"),
    (["--secret", "KEY=value-of-it"], {}, "is not written on the command line"),
    (["--variable", "1X=2"], {}, "cannot be the name of a secret or variable"),
])
def test_refuses_before_a_byte_is_sent(hub, call, models, program, arguments, env, says):
    done = new(call, models, program, *arguments, env=env)
    assert done.returncode in (1, 2) and says in done.stderr, done.stderr
    assert [one for one in hub.requests if one.method not in ("GET", "HEAD")] == []
    assert "value-of-it" not in done.stderr


def test_refuses_weights_that_are_none(hub, call, models, program, tmp_path):
    bad = tmp_path / "models"
    bad.mkdir()
    assert "not found" in new(call, bad, program).stderr
    for file in Path(models).iterdir():
        if file.suffix in (".pt", ".pth"):
            (bad / file.name).write_bytes(file.read_bytes())
    some = next(file for file in bad.iterdir())
    some.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "git lfs pull" in new(call, bad, program).stderr
    some.write_bytes(b"")
    assert "is empty" in new(call, bad, program).stderr
    assert "neither a folder, nor" in call("space", "new", "paper-finder", "--models", tmp_path / "none", "--program", program, "--yes").stderr
    assert not hub.store.repos


def test_nobody_confirms_for_nobody(hub, call, models, program):
    done = call("space", "new", "answer-sheet", "--models", models, "--program", program)
    assert done.returncode == 2 and "--yes" in done.stderr


def test_push_sends_what_differs(hub, call, space, folder):
    repo = hub.store.repos["spaces", "alice/sheets"]
    hub.store.put(repo, {"old.txt": b"gone soon", "models/a.pt": b"weights"})
    (folder / "new #1 100%é.txt").write_text("n")
    (folder / "empty").write_bytes(b"")
    (folder / ".env").write_text("HF_TOKEN=hf_secret")
    (folder / "api_cache").mkdir()
    (folder / "api_cache/x").write_text("x")
    done = call("space", "push", "alice/sheets", folder)
    assert done.returncode == 0, done.stderr
    assert files_of(hub, "alice/sheets") == [".gitattributes", "Dockerfile", "README.md", "empty", "models/a.pt", "new #1 100%é.txt"]
    commits = len(repo.commits)
    assert "nothing differs" in call("space", "push", "alice/sheets", folder).stderr and len(repo.commits) == commits
    (folder / "Dockerfile").write_bytes(FOLDER_FILES["Dockerfile"] + b"# changed\n")
    dry = call("space", "push", "alice/sheets", folder, "--dry-run")
    assert dry.stdout.startswith("commit Dockerfile") and len(repo.commits) == commits


def test_push_in_batches(hub, call, space, folder):
    for number in range(300):
        (folder / f"f{number:03}.txt").write_text(str(number))
    repo = hub.store.repos["spaces", "alice/sheets"]
    before = len(repo.commits)
    assert call("space", "push", "alice/sheets", folder).returncode == 0
    assert len(repo.commits) == before + 2 and len(files_of(hub, "alice/sheets")) == 303


def test_push_stops_when_somebody_else_was_quicker(hub, call, space, folder):
    (folder / "x.txt").write_text("x")
    stale = hub.store.repos["spaces", "alice/sheets"].refs["main"]
    hub.store.put(hub.store.repos["spaces", "alice/sheets"], {"other.txt": b"o"})
    done = call("space", "push", "alice/sheets", folder, "--parent", stale)
    assert done.returncode == 3 and "changed meanwhile" in done.stderr


def test_push_survives_faults(hub, call, space, folder):
    (folder / "big.pt").write_bytes(os.urandom(400_000))
    hub.part_size = 100_000
    hub.faults = [Fault("POST hub .*preupload", status=503, times=1), Fault("PUT cdn .*partNumber=2", status=500, times=1),
                  Fault("PUT cdn .*partNumber=3", cut=0, times=1)]
    done = call("space", "push", "alice/sheets", folder)
    assert done.returncode == 0, done.stderr
    assert "big.pt" in files_of(hub, "alice/sheets")
    asked = json.loads(hub.seen("objects/batch")[-1].body)
    assert asked["transfers"] == ["basic", "multipart"], "the ways that need no Xet"


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc", "/nowhere/at/all", "../models"])
def test_push_refuses_links_that_lead_out(hub, call, space, folder, target):
    (folder / "link").symlink_to(target)
    done = call("space", "push", "alice/sheets", folder)
    assert done.returncode == 2 and "leads out of" in done.stderr
    assert not hub.seen("preupload")


def sparse(folder: Path) -> None:
    with open(folder / "huge.pt", "wb") as file:
        file.truncate(5 << 30)


def test_a_sparse_file_of_5_gb_that_the_hub_refuses(hub, call, space, folder):
    sparse(folder)
    hub.faults = [Fault("POST hub .*preupload", status=413)]
    refused = call("space", "push", "alice/sheets", folder)
    assert refused.returncode == 2 and "too much" in refused.stderr


@pytest.mark.skipif("ALCOVE_KILLS" not in os.environ, reason="reads 5 GB; script/test --long")
def test_a_sparse_file_of_5_gb(hub, alcove, hub_env, space, folder):
    """Hashed in little memory: a gigabyte of address space has to do."""
    sparse(folder)
    line = f"ulimit -v 1000000; exec {alcove} space push alice/sheets {folder} --dry-run"
    done = subprocess.run(["bash", "-c", line], env=hub_env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and "upload huge.pt  5.37 GB" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["", "sheets", "a/b/c", "/b", "a/", "-a/b", "a/b-", ".a/b", "a/b.git", "a/b--c", "a/b..c", "a b/c", "a/b\n", "é/b", "a/" + "b" * 97, "../b", "a/%2e"])
def test_names_no_space_can_have(hub, call, name):
    for command in (["status"], ["pause"], ["delete", "--yes"]):
        done = call("space", *command, "--", name)
        assert done.returncode == 2 and ("cannot be the name" in done.stderr or "SPACE" in done.stderr), done.stderr
    assert hub.requests == []


@pytest.mark.parametrize("token, says", [("hf_alice_write\r\n", ""), ("  hf_alice_write ", ""), ("hf_alice write", "copy it once more"), ("hf_alice\nwrite", "copy it once more"),
                                         ("alice_write", "begin with hf_"), ("hf_älice", "copy it once more"), ("   ", "needs a token")])
def test_tokens_as_people_paste_them(hub, call, models, program, token, says, tmp_path):
    for source in ("variable", "file"):
        if source == "file":
            (tmp_path / "token").write_text(token)
        env = {"HF_TOKEN": token} if source == "variable" else {"HF_TOKEN": "", "HF_TOKEN_PATH": str(tmp_path / "token")}
        done = new(call, models, program, "--dry-run", env=env)
        assert (done.returncode == 0) == (says == "") and says in done.stderr, done.stderr
        assert not token.strip() or token.strip() not in done.stdout + done.stderr


def test_a_readme_the_hub_refuses(hub, call, space, folder):
    (folder / "README.md").write_text("---\nsdk: docker\ncolorFrom: chartreuse\n---\n")
    done = call("space", "push", "alice/sheets", folder)
    assert done.returncode == 2 and "colorFrom" in done.stderr and not hub.seen("PUT|commit/")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_models_from_addresses(hub, call, models, program):
    """Any server does; here it is the fake hub's own, which would notice a token."""
    repo = hub.store.create("models", "bob/weights")
    weights = {file.name: file.read_bytes() for file in Path(models).iterdir() if file.suffix in (".pt", ".pth")}
    hub.store.put(repo, weights)
    addresses = [f"{hub.url()}/bob/weights/resolve/main/{urllib.parse.quote(name)}#sha256={digest(data)}" for name, data in weights.items()]
    arguments = [word for address in addresses for word in ("--models", address)]

    def made(*words):
        return call("space", "new", "answer-sheet", "--program", program, "--yes", "--no-wait", *words)

    wrong = made(*arguments[:-1], addresses[-1].split("#")[0] + "#sha256=" + "0" * 64)
    assert wrong.returncode == 1 and "thrown away" in wrong.stderr, wrong.stderr
    without = made("--models", addresses[0].split("#")[0])
    assert without.returncode == 2 and "sha256sum" in without.stderr
    mixed = made("--models", addresses[0], "--models", models)
    assert mixed.returncode == 2 and "not some of each" in mixed.stderr
    assert not hub.seen("POST .*create")

    done = made(*arguments)
    assert done.returncode == 0, done.stderr
    repo = hub.store.repos["spaces", "alice/answer-sheet-ml"]
    sent = {path.removeprefix("models/"): hub.store.content(file) for path, file in repo.at("main").files.items() if path.startswith("models/")}
    assert sent and all(weights[name] == data for name, data in sent.items())
    fetched = [one for one in hub.requests if "/bob/weights/resolve" in one.path]
    assert fetched and not [one for one in fetched if "authorization" in one.headers]
    before = len(fetched)
    assert made(*arguments).returncode == 0
    assert len(hub.seen("/bob/weights/resolve")) == before, "what was fetched is kept"


def test_models_of_a_hub_repository(hub, call, models, program):
    repo = hub.store.create("models", "alice/weights", private=True)
    hub.store.put(repo, {file.name: file.read_bytes() for file in Path(models).iterdir() if file.suffix in (".pt", ".pth")})
    assert new(call, "alice/weights", program, "--no-wait").returncode == 0
    assert [name for name in files_of(hub, "alice/answer-sheet-ml") if name.startswith("models/")]


def test_a_program_the_image_fetches(hub, call, models):
    address = "https://example.org/alcove.tar.gz"
    done = new(call, models, f"{address}#sha256={'a' * 64}", "--no-wait")
    assert done.returncode == 0, done.stderr
    repo = hub.store.repos["spaces", "alice/answer-sheet-ml"]
    text = hub.store.content(repo.at("main").files["Dockerfile"]).decode()
    assert f"ADD {address} " in text and "a" * 64 in text and " program/ " not in text
    assert not [name for name in repo.at("main").files if name.startswith("program/")]


def test_push_brings_models_and_an_index(hub, call, space, folder, index, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/models.bin").write_bytes(b"models" * 999)
    assert call("space", "push", "alice/sheets", folder, "--models", tmp_path / "models", "--index", index).returncode == 0
    assert {"models/models.bin", "index/papers.db"} <= set(files_of(hub, "alice/sheets"))
    assert call("space", "push", "alice/sheets", folder).returncode == 0
    assert {"models/models.bin", "index/papers.db"} <= set(files_of(hub, "alice/sheets")), "a push without them leaves them"


@pytest.mark.parametrize("content", [None, b"SQLite format 3\0" + b"\0" * 3000])
def test_push_refuses_an_index_that_is_none(hub, call, space, folder, tmp_path, content):
    (tmp_path / "none").mkdir()
    if content:
        (tmp_path / "none/papers.db").write_bytes(content)
    done = call("space", "push", "alice/sheets", folder, "--index", tmp_path / "none")
    assert done.returncode != 0 and "papers.db" in done.stderr and not hub.seen("preupload"), done.stderr


def test_a_killed_push_sends_only_the_rest(hub, alcove, hub_env, call, space, folder):
    """100 MB in ten parts; the kill comes when six are there. Another batch begins another upload, as S3 has it: the old one is gone on with."""
    hub.part_size = 10_000_000
    with open(folder / "net.pt", "wb") as file:
        for _ in range(100):
            file.write(os.urandom(1_000_000))
    hub.faults = [Fault("PUT cdn .*partNumber=([789]|10)$", delay=30)]
    process = subprocess.Popen([alcove, "space", "push", "alice/sheets", str(folder)], env=hub_env, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while len(noted_parts(hub_env)) < 6 and time.monotonic() < end:
        time.sleep(0.05)
    process.kill()
    process.wait(timeout=30)
    note = next((Path(hub_env["HF_HOME"]) / "alcove/uploads").iterdir())
    assert stat.S_IMODE(note.stat().st_mode) == 0o600, "signed addresses are in it"
    hub.faults, before = [], len(hub.requests)
    done = call("space", "push", "alice/sheets", folder)
    assert done.returncode == 0, done.stderr
    again = [re.search(r"partNumber=(\d+)", one.path)[1] for one in hub.requests[before:] if one.method == "PUT"]
    assert sorted(map(int, again)) == [7, 8, 9, 10]
    kept = hub.store.repos["spaces", "alice/sheets"].at("main").files["net.pt"]
    assert kept.lfs and kept.size == 100_000_000 and not note.exists()


def noted_parts(env: dict[str, str]) -> list[str]:
    return [line for file in (Path(env["HF_HOME"]) / "alcove").glob("uploads/*") for line in file.read_text().splitlines() if '"part"' in line]


def test_an_upload_the_store_has_forgotten_begins_anew(hub, alcove, hub_env, call, space, folder):
    hub.part_size = 100_000
    (folder / "net.pt").write_bytes(os.urandom(400_000))
    hub.faults = [Fault("PUT cdn .*partNumber=4$", status=403)]
    assert call("space", "push", "alice/sheets", folder).returncode != 0
    assert len(noted_parts(hub_env)) >= 1
    hub.faults = []
    hub.uploads.clear()
    done = call("space", "push", "alice/sheets", folder)
    assert done.returncode == 0, done.stderr
    assert "net.pt" in files_of(hub, "alice/sheets")


def at_a_terminal(alcove, env, tmp_path, words, answers: str) -> tuple[int, str]:
    """What somebody sees who types these answers."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([alcove, *map(str, words)], env=env, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen, pending, end = b"", answers.encode().splitlines(keepends=True), time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 0.3)
        try:
            piece = os.read(ours, 65536) if ready else b""
        except OSError:
            break
        seen += piece
        if not ready and process.poll() is not None:
            break
        if not ready and pending and seen.rstrip(b" ").endswith((b":", b"]:")):
            os.write(ours, pending.pop(0))
    os.close(ours)
    return process.wait(timeout=30), seen.decode()


def test_asks_for_what_no_flag_said(hub, alcove, hub_env, program, tmp_path):
    """Which Space, owner, name, models, visibility, hardware, volume, secrets, a secret's value, go ahead."""
    answers = "paper-finder\n\nmine\n\nprivate\ncpu-upgrade\nbucket:alice/p:/data\nPASS\nunseen-word\nyes\n"
    status, seen = at_a_terminal(alcove, hub_env, tmp_path, ["space", "new", "--program", program, "--no-wait"], answers)
    assert status == 0, seen
    repo = hub.store.repos["spaces", "alice/mine"]
    assert repo.private and repo.space.hardware == "cpu-upgrade" and repo.space.secrets == {"PASS": "unseen-word"}
    assert repo.space.volumes[0]["source"] == "alice/p"
    assert "$0.03 per hour" in seen and "Go ahead?" in seen and "unseen-word" not in seen


def test_shows_how_far_how_fast_and_how_long(hub, alcove, hub_env, space, folder, tmp_path):
    hub.part_size = 100_000
    (folder / "net.pt").write_bytes(os.urandom(4_000_000))
    hub.faults = [Fault(r"PUT cdn .*partNumber=\d\d", delay=0.15)]
    status, seen = at_a_terminal(alcove, hub_env, tmp_path, ["space", "push", "alice/sheets", folder, "--no-wait"], "")
    assert status == 0 and re.search(r"[\d.]+ MB of 4.0 MB  [\d.]+ [kM]B/s  \d+ s left  net.pt", seen), seen
    shutil.rmtree(Path(hub_env["HF_HOME"]) / "hub", ignore_errors=True)
    hub.faults = [Fault("GET cdn", cut=1_500_000, times=2)]
    status, seen = at_a_terminal(alcove, hub_env, tmp_path, ["model", "pull", "--kind", "space", "alice/sheets"], "")
    assert status == 0 and re.search(r"MB of 4.0 MB  [\d.]+ [kM]B/s", seen), seen


def test_what_is_there_keeps_what_no_flag_names(hub, call, models, program):
    assert new(call, models, program, "--private", "--hardware", "cpu-upgrade", "--no-wait").returncode == 0
    repo = hub.store.repos["spaces", "alice/answer-sheet-ml"]
    assert new(call, models, program, "--no-wait").returncode == 0
    assert repo.private and repo.space.hardware == "cpu-upgrade"
    assert new(call, models, program, "--public", "--hardware", "cpu-basic", "--no-wait").returncode == 0
    assert not repo.private and repo.space.hardware == "cpu-basic" and "ALCOVE_TOKEN" in repo.space.secrets, "a public one is guarded"


def test_a_failed_build_names_the_step(hub, call, space, folder):
    space.fails, space.fail_lines = "BUILD_ERROR", ['#9 ERROR: process "/bin/sh -c true" did not complete successfully: exit code: 1']
    (folder / "x").write_text("x")
    done = call("space", "push", "alice/sheets", folder)
    assert done.returncode == 1 and "did not complete successfully" in done.stderr.splitlines()[-1]
    watched = call("space", "watch", "alice/sheets")
    assert watched.returncode == 1 and "did not complete successfully" in watched.stderr.splitlines()[-1]


def test_settings(hub, call, space):
    assert call("space", "secret", "set", "alice/sheets", "NEW_SECRET", stdin="from input\n").returncode == 0
    assert space.secrets["NEW_SECRET"] == "from input"
    assert call("space", "secret", "list", "alice/sheets").stdout.split() == ["ALCOVE_TOKEN", "NEW_SECRET"]
    assert call("space", "secret", "remove", "alice/sheets", "NEW_SECRET").returncode == 0
    assert call("space", "variable", "set", "alice/sheets", "A=1", "B=x=y").returncode == 0
    assert call("space", "variable", "list", "alice/sheets").stdout == "A=1\nB=x=y\n"
    before = len(hub.seen("POST .*variables"))
    assert call("space", "variable", "set", "alice/sheets", "A=1").returncode == 0
    assert len(hub.seen("POST .*variables")) == before, "what is as it should be restarts nothing"
    assert call("space", "variable", "remove", "alice/sheets", "A").returncode == 0 and space.variables == {"B": "x=y"}
    assert call("space", "volume", "set", "alice/sheets", "bucket:alice/b:/data").returncode == 0
    assert call("space", "volume", "list", "alice/sheets").stdout == "bucket:alice/b:/data\n"
    assert call("space", "volume", "remove", "alice/sheets").returncode == 0 and space.volumes == []
    masked = call("space", "secret", "set", "alice/sheets", "S", "--dry-run", env={"S": "hidden"})
    assert '"***"' in masked.stdout and "hidden" not in masked.stdout and "S" not in space.secrets


def test_control(hub, call, space):
    assert call("space", "pause", "alice/sheets").returncode == 0 and space.stage == "PAUSED"
    status = call("space", "status", "alice/sheets", "--json")
    assert status.returncode == 1 and json.loads(status.stdout)["stage"] == "PAUSED"
    assert "is paused" in call("space", "wake", "alice/sheets").stderr
    assert call("space", "restart", "alice/sheets").returncode == 0 and space.stage == "RUNNING" and not hub.seen("factory")
    boots = space.boot
    assert call("space", "restart", "--factory", "alice/sheets").returncode == 0 and hub.seen(r"POST .*/restart\?factory=true") and space.boot == boots + 1
    space.set("SLEEPING")
    assert "is awake after" in call("space", "wake", "alice/sheets").stdout
    assert call("space", "hardware", "alice/sheets", "cpu-upgrade", "--sleep", "600").returncode == 0
    assert (space.hardware, space.sleep) == ("cpu-upgrade", 600)
    assert "cpu-upgrade" in call("space", "hardware", "alice/sheets").stdout
    # A GPU that the build does not use is said, with what it costs.
    repo = hub.store.repos["spaces", "alice/sheets"]
    hub.store.put(repo, {"Dockerfile": b"FROM debian:12-slim\n"})
    moved = call("space", "hardware", "alice/sheets", "t4-small")
    assert moved.returncode == 0 and "costs $0.40 per hour and this Space's build uses no GPU" in moved.stderr
    hub.store.put(repo, {"Dockerfile": b"FROM debian:12-slim AS cuda\n"})
    assert "GPU" not in call("space", "hardware", "alice/sheets", "t4-small").stderr
    assert "reads on the CPU" in call("space", "hardware", "alice/sheets", "cpu-basic").stderr
    assert "was not deleted" in call("space", "delete", "alice/sheets", stdin="yes\n").stderr
    assert call("space", "delete", "alice/sheets", "--yes").returncode == 0 and not hub.store.repos
    assert "does not exist" in call("space", "status", "alice/sheets").stderr


def test_logs_are_shown_once_however_often_the_stream_breaks(hub, call, space):
    for number in range(30):
        space.write(space.run_log, f"line {number}")
    hub.faults = [Fault("GET hub .*logs/run", cut=900, times=1), Fault("GET hub .*logs/run", cut=2000, times=1)]
    done = call("space", "logs", "alice/sheets", "--follow")
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[1] for line in done.stdout.splitlines()] == [f"line {number}" for number in range(30)]
    assert len(hub.seen("logs/run")) == 3
    assert "line 29" in call("space", "logs", "alice/sheets").stdout


def test_keyless_login_in_ci(hub, call, space, folder):
    (folder / "x").write_text("x")
    env = {"HF_TOKEN": "", "HF_OIDC_RESOURCE": "spaces/alice/sheets", "ACTIONS_ID_TOKEN_REQUEST_URL": hub.url() + "/ci/token?v=1",
           "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "ci-request"}
    done = call("space", "push", "alice/sheets", folder, env=env)
    assert done.returncode == 0, done.stderr
    assert hub.seen("POST .*commit")[-1].headers["authorization"].startswith("Bearer hf_jwt_")
    denied = call("space", "push", "alice/sheets", folder, env={**env, "HF_OIDC_ID_TOKEN": "other"})
    assert denied.returncode == 2 and "not trusted" in denied.stderr


def test_python_sees_what_alcove_made(hub, call, python, models, program):
    assert new(call, models, program, "--no-wait").returncode == 0
    out = python("from huggingface_hub import *; api = HfApi(); i = api.space_info('alice/answer-sheet-ml'); print(i.sdk, len(i.siblings))\n"
                 "print(api.get_space_variables('alice/answer-sheet-ml'), open(hf_hub_download('alice/answer-sheet-ml', 'Dockerfile', repo_type='space')).read()[:20])")
    assert out.startswith("docker ") and "{}" in out


def test_a_file_that_vanishes_on_the_way(hub, call, space, folder):
    (folder / "big.pt").write_bytes(os.urandom(3_000_000))
    hub.faults = [Fault("POST hub .*objects/batch", delay=1.5, times=1)]
    thread = threading.Thread(target=lambda: (time.sleep(0.1), wait_then_remove(hub, folder / "big.pt")))
    thread.start()
    done = call("space", "push", "alice/sheets", folder)
    thread.join()
    assert done.returncode == 2 and "cannot be read any more" in done.stderr, done.stderr


def wait_then_remove(hub: Hub, file: Path) -> None:
    end = time.monotonic() + 30
    while not hub.seen("objects/batch") and time.monotonic() < end:
        time.sleep(0.05)
    file.unlink()


def test_ctrl_c_loses_nothing(hub, alcove, hub_env, call, space, folder):
    (folder / "a.pt").write_bytes(os.urandom(300_000))
    (folder / "b.pt").write_bytes(os.urandom(300_001))
    hub.faults = [Fault("POST hub .*commit", delay=3, status=503, times=1)]
    process = subprocess.Popen([alcove, "space", "push", "alice/sheets", str(folder)], env=hub_env, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not hub.seen("POST .*commit") and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(2)
    process.wait(timeout=30)
    sent = len(hub.seen("PUT"))
    assert call("space", "push", "alice/sheets", folder).returncode == 0
    assert len(hub.seen("PUT")) == sent == 2, "what went up before stays there"
