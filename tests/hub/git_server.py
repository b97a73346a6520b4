"""git's side of the fake hub: each repository has a bare one beside it, which git's own server works on."""

import os
import re
import subprocess
from pathlib import Path

from hub.repos import POINTER, File, Repo, Store

LARGEST = 10 << 20  # bytes of a file outside LFS
HOOK = """#!/bin/sh
while read old new name; do
  large=$(git ls-tree -r -l "$new" | awk '$4 > {largest} {{ print $5 }}')
  if [ -n "$large" ]; then
    echo "Your push was rejected because it contains files larger than 10 MiB: $large. Please use https://git-lfs.github.com/" >&2
    exit 1
  fi
done
"""
SOMEBODY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "hub"), ("EMAIL", "hub@localhost"))}


def git(bare: Path, *arguments: str, feed: bytes | None = None, env: dict | None = None) -> bytes:
    return subprocess.run(["git", f"--git-dir={bare}", *arguments], input=feed, check=True, capture_output=True, env={**os.environ, **SOMEBODY, **(env or {})}).stdout


def folder_of(store: Store, repo: Repo) -> Path:
    return store.folder.parent / "git" / f"{repo.path}.git"


def ready(store: Store, repo: Repo) -> Path:
    """The bare repository, with the store's head as its newest commit."""
    bare = folder_of(store, repo)
    if not bare.exists():
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
        git(bare, "config", "http.receivepack", "true")
        hook = bare / "hooks/pre-receive"
        hook.write_text(HOOK.format(largest=LARGEST))
        hook.chmod(0o755)
    head = repo.refs["main"]
    if (bare / "stands-for").exists() and (bare / "stands-for").read_text() == head:
        return bare
    index = {"GIT_INDEX_FILE": str(bare / "making")}
    git(bare, "read-tree", "--empty", env=index)
    lines = b""
    for path, file in repo.at("main").files.items():
        content = POINTER.format(file.oid, file.size).encode() if file.lfs else store.content(file)
        lines += b"100644 " + git(bare, "hash-object", "-w", "--stdin", feed=content).strip() + b"\t" + path.encode() + b"\n"
    git(bare, "update-index", "--index-info", feed=lines, env=index)
    tree = git(bare, "write-tree", env=index).decode().strip()
    parent = subprocess.run(["git", f"--git-dir={bare}", "rev-parse", "-q", "--verify", "main"], capture_output=True, text=True).stdout.split()
    commit = git(bare, "commit-tree", tree, "-m", "as it is", *[word for one in parent for word in ("-p", one)]).decode().strip()
    git(bare, "update-ref", "refs/heads/main", commit)
    (bare / "stands-for").write_text(head)
    return bare


def serve(store: Store, repo: Repo, what: str, request) -> tuple[int, dict, bytes]:
    """One exchange by `git http-backend`, a CGI program."""
    bare = ready(store, repo)
    env = {**os.environ, "GIT_PROJECT_ROOT": str(bare.parent), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": f"/{bare.name}/{what}", "REMOTE_USER": request.user()[0],
           "REMOTE_ADDR": "127.0.0.1", "REQUEST_METHOD": request.command, "QUERY_STRING": request.parts.query, "CONTENT_TYPE": request.headers.get("Content-Type", ""),
           "CONTENT_LENGTH": str(len(request.body)), "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": request.headers.get("Git-Protocol", "")}
    out = subprocess.run(["git", "http-backend"], input=request.body, env=env, check=True, capture_output=True).stdout
    head, _, body = out.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return int(headers.pop("Status", "200").split()[0]), headers, body


def take_over(store: Store, repo: Repo) -> bool:
    """What was pushed becomes a commit of the store; false when nothing was."""
    bare = folder_of(store, repo)
    files = {}
    for line in git(bare, "ls-tree", "-r", "-z", "main").split(b"\0"):
        if line:
            about, _, path = line.partition(b"\t")
            content = git(bare, "cat-file", "blob", about.split()[2].decode())
            pointer = re.fullmatch(rb"version https://git-lfs.github.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n", content)
            files[path.decode()] = File(pointer[1].decode(), int(pointer[2]), True) if pointer else store.small(content)
    now = repo.at("main").files
    if files == now:
        return False
    gone = [path for path in now if path not in files]
    (bare / "stands-for").write_text(store.commit(repo, "main", files, gone, "pushed by git"))
    return True
