"""The same scenarios for every client: Alcove, the Hub's own for Python and for Node, and git with git-lfs. What holds for all of them
is true of the Hub rather than of the fake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub.fake_hub import Hub

ROOT = Path(__file__).resolve().parent.parent.parent
NODE = ROOT / ".deps/node/node"
NODE_HUB = ROOT / ".deps/npm/node_modules/@huggingface/hub/dist/index.mjs"
# The Node client puts paths into addresses as they are, so that # and % reach no Hub; test_pull.py and test_fake_hub.py have them.
FILES = {"README.md": b"---\nsdk: docker\n---\n", "Dockerfile": b"FROM scratch\n", "sub/a bé.txt": b"odd name",
         "models/net.bin": bytes(range(256)) * 1200}


class Client:
    """One of them, as a person with this environment would use it."""

    def __init__(self, env: dict[str, str], alcove: Path, place: Path):
        self.env, self.alcove, self.place = env, alcove, place

    def run(self, *command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*map(str, command)], env=self.env, cwd=cwd or self.place, capture_output=True, text=True, timeout=120)

    def must(self, *command: object, cwd: Path | None = None) -> None:
        done = self.run(*command, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr

    def contents(self, folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
                if path.is_file() and ".git/" not in str(path.relative_to(folder)) and path.name != ".gitattributes"}


class Alcove(Client):
    def send(self, space, folder):
        return self.run(self.alcove, "space", "push", space, folder, "--no-wait")

    def fetch(self, space):
        done = self.run(self.alcove, "model", "pull", "--kind", "space", space)
        return self.contents(Path(done.stdout.strip())) if done.returncode == 0 else None


class Python(Client):
    def send(self, space, folder):
        return self.run(sys.executable, "-c", f"from huggingface_hub import HfApi; HfApi().upload_folder(repo_id={space!r}, repo_type='space', folder_path={str(folder)!r})")

    def fetch(self, space):
        done = self.run(sys.executable, "-c", f"from huggingface_hub import snapshot_download; print(snapshot_download({space!r}, repo_type='space'))")
        return self.contents(Path(done.stdout.strip())) if done.returncode == 0 else None


class Node(Client):
    def send(self, space, folder):
        return self.run(NODE, ROOT / "tests/hub/node_client.mjs", NODE_HUB, "send", space, folder)

    def fetch(self, space):
        folder = self.place / "fetched"
        done = self.run(NODE, ROOT / "tests/hub/node_client.mjs", NODE_HUB, "fetch", space, folder)
        return self.contents(folder) if done.returncode == 0 else None


class Git(Client):
    def git(self, *arguments, cwd=None):
        helper = "!f() { echo username=alice; echo password=$HF_TOKEN; }; f"
        return self.run("git", "-c", "credential.helper=", "-c", f"credential.helper={helper}", *arguments, cwd=cwd)

    def clone(self, space, name):
        done = self.git("clone", "-q", f"{self.env['HF_ENDPOINT']}/spaces/{space}", self.place / name)
        return self.place / name if done.returncode == 0 else None

    def send(self, space, folder):
        work = self.clone(space, "work")
        if work is None:
            return subprocess.CompletedProcess([], 128, "", "no clone")
        self.must("git", "config", "user.name", "a", cwd=work)
        self.must("git", "config", "user.email", "a@b", cwd=work)
        self.must("cp", "-r", f"{folder}/.", work)
        self.must("git", "add", "-A", cwd=work)
        self.must("git", "commit", "-qm", "by git", cwd=work)
        return self.git("push", "-q", "origin", "HEAD:main", cwd=work)

    def fetch(self, space):
        work = self.clone(space, "again")
        return self.contents(work) if work else None


@pytest.fixture(params=[Alcove, Python, Node, Git])
def client(request, hub_env, alcove, tmp_path):
    if request.param is Git:
        (tmp_path / "home").mkdir(exist_ok=True)
    made = request.param({**hub_env, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}, alcove, tmp_path)
    if request.param is Git:
        made.must("git", "lfs", "install", "--skip-repo")
    return made


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "folder"
    for name, data in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(data)
    return made


def test_a_folder_goes_up_and_comes_back(hub: Hub, client, folder):
    space = hub.create_space("alice/s")
    hub.part_size = 100_000
    sent = client.send("alice/s", folder)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    repo = hub.store.repos["spaces", "alice/s"]
    assert {name: hub.store.content(file) for name, file in repo.at("main").files.items() if name != ".gitattributes"} == FILES
    assert repo.at("main").files["models/net.bin"].lfs and not repo.at("main").files["Dockerfile"].lfs
    assert space.stage != "NO_APP_FILE", "a commit is built"
    assert client.fetch("alice/s") == FILES
    assert hub.seen("PUT /[0-9a-f]{64}") and not [one for one in hub.requests if one.origin == "cdn" and "authorization" in one.headers]


def test_the_same_again_changes_nothing(hub: Hub, client, folder):
    hub.create_space("alice/s")
    assert client.send("alice/s", folder).returncode == 0
    repo = hub.store.repos["spaces", "alice/s"]
    files, uploads = repo.at("main").files, len(hub.seen("PUT"))
    if not isinstance(client, Git):  # who commits the same again is told so by git itself
        assert client.send("alice/s", folder).returncode == 0
    assert repo.at("main").files == files and len(hub.seen("PUT")) == uploads


@pytest.mark.parametrize("token", ["hf_wrong", "hf_alice_read"])
def test_a_token_that_may_not_write(hub: Hub, client, folder, token):
    hub.create_space("alice/s")
    head = hub.store.repos["spaces", "alice/s"].refs["main"]
    client.env["HF_TOKEN"] = token
    sent = client.send("alice/s", folder)
    assert sent.returncode != 0 and token not in sent.stdout + sent.stderr
    assert hub.store.repos["spaces", "alice/s"].refs["main"] == head and not hub.seen("PUT")


def test_what_is_private_is_not_seen(hub: Hub, client):
    hub.create_space("alice/s", private=True)
    assert client.fetch("alice/s") is not None
    client.env["HF_TOKEN"] = "hf_bob_write"
    client.env["HF_HOME"] += "-bob"
    client.place = client.place / "bob"
    client.place.mkdir()
    assert client.fetch("alice/s") is None


def test_git_is_told_to_use_lfs(hub: Hub, hub_env, alcove, tmp_path, folder):
    """The Hub's own rule: 10 MiB outside LFS are refused."""
    (tmp_path / "home").mkdir()
    git = Git({**hub_env, "GIT_TERMINAL_PROMPT": "0"}, alcove, tmp_path)
    hub.create_space("alice/s")
    (folder / "large.txt").write_bytes(b"x" * (11 << 20))
    sent = git.send("alice/s", folder)
    assert sent.returncode != 0 and "larger than 10 MiB" in sent.stderr, sent.stderr
