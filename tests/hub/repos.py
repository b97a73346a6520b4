"""Repositories of the fake hub: commits as trees of files, small files as git blobs, large ones as LFS objects."""

import base64
import datetime
import fnmatch
import hashlib
import itertools
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

LFS_THRESHOLD = 1 << 20  # the Hub's own is near 10 MB; a small one keeps the tests quick
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
ATTRIBUTES = "".join(f"*.{e} filter=lfs diff=lfs merge=lfs -text\n" for e in ("bin", "onnx", "pt", "pth", "safetensors"))
FOLDER = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}


class Refused(Exception):
    """What a call answers instead of success."""

    def __init__(self, status: int, message: str, code: str = "", headers: dict | None = None, body: object = None):
        super().__init__(message)
        self.status, self.message, self.code, self.headers, self.body = status, message, code, headers or {}, body


@dataclass
class File:
    oid: str  # git SHA-1 of a small file, SHA-256 of a large one
    size: int
    lfs: bool


@dataclass
class Commit:
    sha: str
    files: dict[str, File]
    title: str
    parent: str | None


@dataclass
class Repo:
    kind: str
    id: str
    private: bool = False
    gated: bool = False
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    space: object = None  # spaces.Space

    @property
    def path(self) -> str:
        return FOLDER[self.kind] + self.id

    def at(self, revision: str) -> Commit:
        sha = self.refs.get("main" if revision == "HEAD" else revision, revision)
        if sha not in self.commits:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[sha]


class Store:
    """Every repository and every byte. Large objects lie in `folder`, one file each."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.blobs: dict[str, bytes] = {}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.moved: dict[tuple[str, str], str] = {}  # renamed: old id to new id
        self.counter = itertools.count(1)

    def create(self, kind: str, name: str, **flags) -> Repo:
        repo = Repo(kind, name, **flags)
        self.repos[kind, name] = repo
        self.commit(repo, "main", {".gitattributes": self.small(ATTRIBUTES.encode())}, [], "initial commit")
        return repo

    def small(self, content: bytes) -> File:
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        self.blobs[oid] = content
        return File(oid, len(content), False)

    def large(self, content: bytes) -> File:
        oid = hashlib.sha256(content).hexdigest()
        (self.folder / oid).write_bytes(content)
        return File(oid, len(content), True)

    def put(self, repo: Repo, files: dict[str, bytes], revision: str = "main") -> str:
        """Files as somebody else pushed them."""
        attributes = self.patterns(repo.at(revision))
        made = {path: self.large(data) if self.is_large(path, len(data), attributes) else self.small(data) for path, data in files.items()}
        return self.commit(repo, revision, made, [], "put")

    def content(self, file: File) -> bytes:
        return (self.folder / file.oid).read_bytes() if file.lfs else self.blobs[file.oid]

    def patterns(self, commit: Commit) -> list[str]:
        file = commit.files.get(".gitattributes")
        lines = self.content(file).decode().splitlines() if file else []
        return [line.split()[0] for line in lines if "filter=lfs" in line]

    @staticmethod
    def is_large(path: str, size: int, patterns: list[str]) -> bool:
        return size > LFS_THRESHOLD or (size > 0 and any(fnmatch.fnmatch(path.split("/")[-1], p) for p in patterns))

    def commit(self, repo: Repo, revision: str, added: dict[str, File], removed: list[str], title: str) -> str:
        parent = repo.refs.get(revision)
        files = dict(repo.commits[parent].files) if parent else {}
        for path in removed:
            gone = [name for name in files if name == path or (path.endswith("/") and name.startswith(path))]
            if not gone:
                raise Refused(404, f"A file with the name {path} does not exist", "EntryNotFound")
            for name in gone:
                del files[name]
        files.update(added)
        sha = hashlib.sha1(f"{repo.id}{next(self.counter)}{title}".encode()).hexdigest()
        repo.commits[sha] = Commit(sha, dict(sorted(files.items())), title, parent)
        repo.refs[revision] = sha
        return sha


def entry(path: str, file: File) -> dict:
    oid = hashlib.sha1((POINTER.format(file.oid, file.size)).encode()).hexdigest() if file.lfs else file.oid
    made = {"type": "file", "oid": oid, "size": file.size, "path": path}
    if file.lfs:
        made["lfs"] = {"oid": file.oid, "size": file.size, "pointerSize": len(POINTER.format(file.oid, file.size))}
    return made


def tree(commit: Commit, folder: str, recursive: bool) -> list[dict]:
    """Files below a folder, and the folders themselves."""
    prefix = folder.strip("/") + "/" if folder.strip("/") else ""
    found, folders = [], {}
    for path, file in commit.files.items():
        if not path.startswith(prefix):
            continue
        parts = path[len(prefix):].split("/")
        for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
            name = prefix + "/".join(parts[:depth])
            folders[name] = {"type": "directory", "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0, "path": name}
        if recursive or len(parts) == 1:
            found.append(entry(path, file))
    if prefix and not found and not folders:
        raise Refused(404, f"{folder} does not exist on this revision", "EntryNotFound")
    return list(folders.values()) + found


def info(repo: Repo, commit: Commit, blobs: bool) -> dict:
    siblings = []
    for path, file in commit.files.items():
        one = {"rfilename": path}
        if blobs:
            made = entry(path, file)
            one |= {"size": file.size, "blobId": made["oid"]}
            if file.lfs:
                one["lfs"] = {"sha256": file.oid, "size": file.size, "pointerSize": made["lfs"]["pointerSize"]}
        siblings.append(one)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    made = {"_id": secrets.token_hex(12), "id": repo.id, "sha": commit.sha, "private": repo.private, "gated": "manual" if repo.gated else False,
            "disabled": False, "lastModified": now, "createdAt": now, "tags": [], "usedStorage": 0, "siblings": siblings}
    return made


def parse_commit(lines: list[dict], store: Store) -> tuple[dict, dict[str, File], list[str]]:
    """The NDJSON of a commit as its header, the files it adds and the paths it removes."""
    header, added, removed = {}, {}, []
    for line in lines:
        key, value = line["key"], line["value"]
        path = value.get("path", "")
        if key == "header":
            header = value
        elif path.startswith(("/", ".git/", ".cache/")) or ".." in path.split("/"):
            raise Refused(400, f"invalid path {path}")
        elif key == "file":
            data = value["content"].encode() if value.get("encoding") == "utf-8" else base64.b64decode(value["content"], validate=True)
            added[path] = store.small(data)
        elif key == "lfsFile":
            if not (store.folder / value["oid"]).exists():
                raise Refused(400, f"LFS object {value['oid']} of {path} was not uploaded")
            added[path] = File(value["oid"], value["size"], True)
        elif key in ("deletedFile", "deletedFolder"):
            removed.append(path)
        else:
            raise Refused(400, f"unknown key {key}")
    if not re.search(r"\S", header.get("summary", "")):
        raise Refused(400, "a commit needs a summary")
    return header, added, removed
