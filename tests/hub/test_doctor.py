"""alcove space doctor finds what was planted, one fault at a time, in a Space that is otherwise sound."""

import json
import subprocess

import pytest
from hub.fake_hub import Fault, Hub

GOOD = {"Dockerfile": b"FROM debian:12-slim\nEXPOSE 7860\nCMD [\"alcove\", \"serve\", \"answer-sheet\"]\n",
        "README.md": b"---\ntitle: t\nsdk: docker\napp_port: 7860\n---\n", "models/improved_weights.pt": b"\x80\2" * 900}


@pytest.fixture
def repo(hub: Hub):
    space = hub.create_space("alice/sheets")
    repo = hub.store.repos["spaces", "alice/sheets"]
    hub.store.put(repo, GOOD)
    space.set("RUNNING")
    space.secrets["ALCOVE_TOKEN"] = "x"
    return repo


def remove(hub, repo, *paths):
    hub.store.commit(repo, "main", {}, list(paths), "remove")


def stage(name, error=None):
    def plant(hub, repo, tmp_path):
        repo.space.set(name)
        repo.space.error = error
    return plant


def moved_dockerfile(hub, repo, tmp_path):
    remove(hub, repo, "Dockerfile")
    hub.store.put(repo, {"hf_space/Dockerfile": GOOD["Dockerfile"]})
    repo.space.set("NO_APP_FILE")


def pointer(hub, repo, tmp_path):
    hub.store.commit(repo, "main", {"models/improved_weights.pt": hub.store.small(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")}, [], "p")


def build_error(hub, repo, tmp_path):
    stage("BUILD_ERROR", "Job failed")(hub, repo, tmp_path)
    repo.space.write(repo.space.build_log, "#6 [2/4] RUN apt-get install libnope")


def log_line(hub, repo, tmp_path):
    repo.space.write(repo.space.run_log, "Traceback (most recent call last)")


def html(hub, repo, tmp_path):
    repo.space.app_status, repo.space.app_type, repo.space.app_body = 502, "text/html", "<html>"


def committed_env(hub, repo, tmp_path):
    (tmp_path / ".env").write_text("HF_TOKEN=hf_secretsecretsecret\n")
    for command in (["init", "-q"], ["add", "-f", ".env"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)


def free_account(hub, repo, tmp_path):
    hub.create_space("carol/sheets").set("RUNNING")
    hub.store.put(hub.store.repos["spaces", "carol/sheets"], GOOD)


def committed_env_below(hub, repo, tmp_path):
    (tmp_path / "exam_middleware").mkdir()
    (tmp_path / "exam_middleware/.env").write_text("A=1\nHF_SPACE_URL=https://alice-sheets.hf.space\n")
    for command in (["init", "-q"], ["add", "-f", "exam_middleware/.env"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)


PLANTED = {
    "token_missing": (None, {"HF_TOKEN": ""}, []),
    "token_rejected": (None, {"HF_TOKEN": "hf_wrong"}, []),
    "token_read_only": (None, {"HF_TOKEN": "hf_alice_read"}, []),
    "space_missing": (lambda hub, repo, tmp: hub.store.repos.clear(), {}, []),
    "config_error": (lambda hub, repo, tmp: (hub.store.put(repo, {"README.md": b"# none\n"}), stage("CONFIG_ERROR", "bad README")(hub, repo, tmp)), {}, []),
    "dockerfile_not_at_root": (moved_dockerfile, {}, []),
    "no_app_file": (lambda hub, repo, tmp: (remove(hub, repo, "Dockerfile"), stage("NO_APP_FILE")(hub, repo, tmp)), {}, []),
    "build_failed": (build_error, {}, []),
    "weights_missing": (lambda hub, repo, tmp: remove(hub, repo, "models/improved_weights.pt"), {}, []),
    "weights_pointers": (pointer, {}, []),
    "weights_differ": (None, {}, ["--models", "MODELS"]),
    "out_of_memory": (stage("RUNTIME_ERROR", "Memory limit exceeded (16Gi)"), {}, []),
    "runtime_error": (stage("RUNTIME_ERROR", "Exit code: 3"), {}, []),
    "wrong_port": (lambda hub, repo, tmp: hub.store.put(repo, {"Dockerfile": b"FROM x\nEXPOSE 8000\nCMD answer-sheet\n"}), {}, []),
    "paused": (stage("PAUSED"), {}, []),
    "asleep": (stage("SLEEPING"), {}, []),
    "not_answering": (html, {}, []),
    "log_errors": (log_line, {}, []),
    "no_volume": (lambda hub, repo, tmp: hub.store.put(repo, {"Dockerfile": b"FROM x\nEXPOSE 7860\nCMD paper-finder\n"}), {}, []),
    "gpu_without_use": (lambda hub, repo, tmp: setattr(repo.space, "hardware", "t4-small"), {}, []),
    "use_without_gpu": (lambda hub, repo, tmp: hub.store.put(repo, {"Dockerfile": b"FROM x AS cuda\nEXPOSE 7860\nCMD answer-sheet\n"}), {}, []),
    "open_to_everybody": (lambda hub, repo, tmp: repo.space.secrets.clear(), {}, []),
    "page_address": (None, {"HF_SPACE_URL": "https://huggingface.co/spaces/alice/sheets"}, []),
    "other_address": (None, {"HF_SPACE_URL": "https://bob-sheets.hf.space"}, []),
    "variable_not_set": (lambda hub, repo, tmp: setattr(repo.space, "app_body", '{"mode": "local"}'), {}, ["--gateway", "HOST"]),
    "clock_skew": (lambda hub, repo, tmp: hub.faults.append(Fault("HEAD hub /$", status=200, headers={"Date": "Sun, 06 Nov 2016 08:49:37 GMT"})), {}, []),
    "env_file": (committed_env, {}, []),
    "env_file ": (committed_env_below, {}, []),
    "plan_missing": (free_account, {"HF_TOKEN": "hf_carol_free", "SPACE": "carol/sheets"}, []),
    "program_missing": (lambda hub, repo, tmp: hub.store.put(repo, {"Dockerfile": b"FROM x\nCOPY --chown=1000 program/ /opt/\nEXPOSE 7860\n"}), {}, []),
}

# What somebody needs to go on: the step, the file, the hardware, the command.
SAYS = {"build_failed": "at RUN apt-get install libnope", "out_of_memory": "cpu-upgrade", "dockerfile_not_at_root": "hf_space/Dockerfile", "weights_pointers": "git lfs",
        "weights_differ": "improved_weights.pt", "wrong_port": "8000", "page_address": "//alice-sheets.", "env_file": ".env", "no_volume": "alcove space volume set",
        "token_read_only": "role write", "variable_not_set": "HF_SPACE_URL", "runtime_error": "Exit code: 3", "log_errors": "Traceback", "plan_missing": "no paid plan",
        "open_to_everybody": "ALCOVE_TOKEN", "gpu_without_use": "t4-small", "asleep": "waking took", "config_error": "README"}


@pytest.mark.parametrize("code", PLANTED)
def test_finds_what_is_planted(hub, repo, call, tmp_path, code):
    plant, env, arguments = PLANTED[code]
    if plant:
        plant(hub, repo, tmp_path)
    models = tmp_path / "models"
    models.mkdir()
    (models / "improved_weights.pt").write_bytes(b"other weights")
    words = [{"MODELS": models, "HOST": hub.app_host(repo.space)}.get(word, word) for word in arguments]
    code = code.strip()
    done = call("space", "doctor", env.get("SPACE", "alice/sheets"), "--json", *words, env=env, cwd=tmp_path)
    findings = json.loads(done.stdout)["findings"]
    assert code in [one["code"] for one in findings], findings
    mine = next(one for one in findings if one["code"] == code)
    assert mine["finding"] and mine["fix"] and SAYS.get(code, "") in f"{mine['finding']} {mine['fix']}", mine
    assert done.returncode == (1 if any(one["severity"] == "fault" for one in findings) else 0)
    assert "secretsecret" not in done.stdout + done.stderr
    if code == "asleep":
        assert repo.space.stage == "RUNNING"


def test_finds_nothing_where_nothing_is_wrong(hub, repo, call):
    done = call("space", "doctor", "alice/sheets", env={"HF_SPACE_URL": hub.app_host(repo.space)})
    assert done.returncode == 0 and "nothing is wrong" in done.stdout, done.stdout
