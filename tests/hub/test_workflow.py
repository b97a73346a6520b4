"""The workflow that alcove writes: its steps run here, against the fake hub and a bare git remote."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM debian:12-slim\n")
    (folder / "README.md").write_text("---\nsdk: docker\n---\n")
    (folder / ".dockerignore").write_text(".git\n")
    (folder / "api_cache").mkdir()
    (folder / "api_cache/x").write_text("x")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", "git@github.com:alice/finder.git")
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **identity}).stdout


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")


def run_steps(folder: Path, env: dict[str, str], skip: tuple[str, ...] = ("Install the client",)) -> subprocess.CompletedProcess[str]:
    """Each `run` as GitHub runs it, until one fails."""
    job = yaml.safe_load((folder / ".github/workflows/sync_to_hf_space.yml").read_text())["jobs"]["sync-to-hub"]
    declared = {key: str(value) for key, value in job["env"].items() if "${{" not in str(value)}
    path = f"{Path(sys.executable).parent}:{env['PATH']}"  # python3 with the client in it
    output = ""
    for step in job["steps"]:
        if "run" not in step or step.get("name") in skip:
            continue
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=folder, capture_output=True, text=True, timeout=60,
                              env={**env, **declared, "PATH": path, "HF_SETTLE_SECONDS": "0", "PYTHONDONTWRITEBYTECODE": "1"})
        output += done.stdout + done.stderr
        if done.returncode != 0:
            break
    return subprocess.CompletedProcess([], done.returncode, output, "")


def test_the_hubs_api(hub, call, checkout, hub_env):
    hub.create_space("alice/finder")
    repo = hub.store.repos["spaces", "alice/finder"]
    hub.store.put(repo, {"old.txt": b"o", "models/a.pt": b"w"})
    done = call("space", "workflow", "alice/finder", "--folder", checkout)
    assert done.returncode == 0, done.stderr
    assert "gh secret set HF_TOKEN --repo alice/finder" in done.stdout and "https://github.com/alice/finder/actions" in done.stdout
    assert "api_cache/\n" in (checkout / ".gitignore").read_text()
    commit(checkout)
    ran = run_steps(checkout, hub_env)
    assert ran.returncode == 0, ran.stdout
    assert sorted(repo.at("main").files) == [".dockerignore", ".gitattributes", ".gitignore", "Dockerfile", "README.md", "models/a.pt"]
    assert "RUNNING" in ran.stdout and repo.space.stage == "RUNNING"

    # Green means up: a Space that does not build is a job that fails.
    repo.space.fails = "BUILD_ERROR"
    (checkout / "Dockerfile").write_text("FROM nowhere\n")
    failed = run_steps(checkout, hub_env)
    assert failed.returncode != 0 and "BUILD_ERROR" in failed.stdout


def test_says_when_the_secret_is_missing(hub, call, checkout, hub_env):
    call("space", "workflow", "alice/finder", "--folder", checkout)
    ran = run_steps(checkout, {**hub_env, "HF_TOKEN": ""})
    assert ran.returncode == 1 and "gh secret set HF_TOKEN" in ran.stdout
    assert hub.requests == []


def test_a_git_push(hub, call, checkout, hub_env, tmp_path):
    hub.create_space("alice/finder").set("RUNNING")
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    assert call("space", "workflow", "alice/finder", "--folder", checkout, "--git").returncode == 0
    commit(checkout)
    ran = run_steps(checkout, {**hub_env, "HF_GIT_REMOTE": str(bare)})
    assert ran.returncode == 0, ran.stdout
    assert ".dockerignore" in git(bare, "ls-tree", "-r", "--name-only", "main") and "api_cache" not in git(bare, "ls-tree", "-r", "--name-only", "main")

    # The token is in no command line, where others on the machine could read it.
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "git").write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{tmp_path}/commands\nexec {shutil.which("git")} "$@"\n')
    (shim / "git").chmod(0o755)
    assert run_steps(checkout, {**hub_env, "HF_GIT_REMOTE": str(bare), "PATH": f"{shim}:{os.environ['PATH']}"}).returncode == 0
    assert "push --force" in (tmp_path / "commands").read_text() and "hf_alice" not in (tmp_path / "commands").read_text()

    (checkout / "large.bin").write_bytes(b"\1" * (11 << 20))
    commit(checkout)
    large = run_steps(checkout, {**hub_env, "HF_GIT_REMOTE": str(bare)})
    assert large.returncode == 1 and "git lfs migrate import" in large.stdout and "large.bin" in large.stdout
    assert "large.bin" not in git(bare, "ls-tree", "-r", "--name-only", "main")


def test_a_git_push_to_the_hub(hub, call, checkout, hub_env, tmp_path):
    """Without the stand-in of a remote: git and git-lfs speak with the fake hub, whose Space then builds."""
    (tmp_path / "home").mkdir(exist_ok=True)
    space = hub.create_space("alice/finder")
    assert call("space", "workflow", "alice/finder", "--folder", checkout, "--git").returncode == 0
    env = {**hub_env, "GIT_TERMINAL_PROMPT": "0"}
    for arguments in (["lfs", "install", "--skip-repo"], ["lfs", "track", "*.pt"]):
        subprocess.run(["git", *arguments], cwd=checkout, env=env, check=True, capture_output=True)
    (checkout / "net.pt").write_bytes(os.urandom(200_000))
    subprocess.run(["git", "add", "-A"], cwd=checkout, env=env, check=True, capture_output=True)
    commit(checkout)
    ran = run_steps(checkout, env)
    assert ran.returncode == 0, ran.stdout
    files = hub.store.repos["spaces", "alice/finder"].at("main").files
    assert files["net.pt"].lfs and ".dockerignore" in files and space.stage == "RUNNING"


def test_keyless(call, checkout, hub_env):
    done = call("space", "workflow", "alice/finder", "--folder", checkout, "--keyless")
    job = yaml.safe_load((checkout / ".github/workflows/sync_to_hf_space.yml").read_text())
    assert job["permissions"]["id-token"] == "write"
    assert job["jobs"]["sync-to-hub"]["env"]["HF_OIDC_RESOURCE"] == "spaces/alice/finder" and "secret" not in done.stdout


def test_replaces_nothing_unasked(call, checkout):
    assert call("space", "workflow", "alice/finder", "--folder", checkout).returncode == 0
    assert call("space", "workflow", "alice/finder", "--folder", checkout).returncode == 0, "the same again is no conflict"
    other = call("space", "workflow", "alice/finder", "--folder", checkout, "--git")
    assert other.returncode == 2 and "--force" in other.stderr
    assert call("space", "workflow", "alice/finder", "--folder", checkout, "--git", "--force").returncode == 0
