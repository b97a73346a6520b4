"""A Hub on this machine: the API on one port, the store of large files on a second, the running Spaces on a third.

    cd tests && python -m hub.fake_hub --port 8999     serves until Ctrl-C and prints what to set

It follows the client's documentation and the replies recorded in the Python client's tests; that it is taken for the Hub is checked with
that client in test_fake_hub.py. Tests plant faults through `Hub.faults` and read what was asked from `Hub.requests`.
"""

import argparse
import base64
import gzip
import hashlib
import http.client
import json
import re
import tempfile
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from hub import git_server
from hub.repos import Refused, Store, entry, info, parse_commit, tree
from hub.spaces import HARDWARE, Space

USERS = {
    "hf_alice_write": ("alice", "write"), "hf_alice_read": ("alice", "read"), "hf_bob_write": ("bob", "write"),
    "hf_carol_free": ("carol", "write"),  # without a plan for Docker Spaces
}


@dataclass
class Fault:
    """What happens to requests whose `METHOD path` matches; `times` counts down."""

    match: str
    status: int = 0
    body: str | None = None
    headers: dict = field(default_factory=dict)
    cut: int | None = None      # bytes of the body after which the connection ends
    delay: float = 0
    ignore_range: bool = False
    corrupt: bool = False       # same size, other bytes
    times: int = 1 << 30


@dataclass
class Seen:
    method: str
    path: str
    origin: str
    headers: dict
    body: bytes


class Origin(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass  # a client that hung up is a test's doing


class Hub:
    def __init__(self, folder: Path, port: int = 0):
        self.store = Store(folder)
        self.faults: list[Fault] = []
        self.requests: list[Seen] = []
        self.lock = threading.RLock()
        self.page = 1000          # entries of a tree's page
        self.part_size = 0        # LFS objects above it go up in parts
        self.uploads: dict[str, dict[int, Path]] = {}  # in parts, by the id of the upload; another batch begins another
        self.buckets: set[str] = set()
        self.signature = uuid.uuid4().hex
        self.launch = None        # Space.launch of those made from now on
        self.xet = False          # large files are announced as Xet's, too, as on the Hub of today
        self.log_silence = 0.0    # how long a log stream stays open after its last line
        handlers = {"hub": HubHandler, "cdn": CdnHandler, "app": AppHandler}
        self.servers = {}
        for name, handler in handlers.items():
            # An address of its own for the store: older clients take another port for the same place.
            server = Origin(("127.0.0.2" if name == "cdn" else "127.0.0.1", port if name == "hub" else 0), type(handler.__name__, (handler,), {"hub": self, "origin": name}))
            self.servers[name] = server
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, name: str = "hub") -> str:
        return "http://{}:{}".format(*self.servers[name].server_address)

    def close(self) -> None:
        for server in self.servers.values():
            server.shutdown()
            server.server_close()
        for repo in self.store.repos.values():
            if repo.space and repo.space.app:
                repo.space.app.stop()

    def app_host(self, space: Space) -> str:
        return f"http://{space.subdomain}.localhost:{self.servers['app'].server_port}"

    def seen(self, pattern: str) -> list[Seen]:
        return [one for one in self.requests if re.search(pattern, f"{one.method} {one.path}")]

    def space(self, name: str) -> Space:
        return self.store.repos["spaces", name].space

    def create_space(self, name: str, **flags) -> Space:
        repo = self.store.create("spaces", name, **flags)
        repo.space = Space(name, launch=self.launch)
        return repo.space


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: Hub
    origin: str

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self.wfile = self.connection.makefile("wb", 1 << 16)

    # ---- one request

    def handle_any(self):
        self.keep_body = not (self.origin == "cdn" and self.command == "PUT")
        self.body = self.read_body() if self.keep_body else b""
        self.parts = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(self.parts.query, keep_blank_values=True))
        self.hub.requests.append(Seen(self.command, self.path, self.origin, {k.lower(): v for k, v in self.headers.items()}, self.body))
        self.fault = self.planted()
        try:
            if self.fault:
                time.sleep(self.fault.delay)
                if self.fault.status:
                    return self.reply(self.fault.status, (self.fault.body or "").encode(), self.fault.headers)
                if self.fault.cut == 0:
                    self.close_connection = True
                    return
            self.route()
        except Refused as refused:
            headers = {"X-Error-Message": refused.message, **({"X-Error-Code": refused.code} if refused.code else {}), **refused.headers}
            self.reply_json(refused.body or {"error": refused.message}, refused.status, headers)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        finally:
            try:
                self.wfile.flush()
            except OSError:
                self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def planted(self) -> Fault | None:
        with self.hub.lock:
            for fault in self.hub.faults:
                if fault.times > 0 and re.search(fault.match, f"{self.command} {self.origin} {self.path}"):
                    fault.times -= 1
                    return fault
        return None

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def json(self) -> dict:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refused(400, "the body is not JSON") from None

    # ---- replies

    def head(self, status: int, headers: dict) -> None:
        self.send_response_only(status)
        trace = self.headers.get("X-Amzn-Trace-Id", "none")
        for name, value in {"Date": self.date_time_string(), "X-Request-Id": f"Root=1-{trace}", **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()

    def reply(self, status: int, body: bytes, headers: dict | None = None) -> None:
        self.head(status, {"Content-Length": len(body), **(headers or {})})
        self.send(body)

    def reply_json(self, value: object, status: int = 200, headers: dict | None = None) -> None:
        self.reply(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    def send(self, body: bytes) -> None:
        if self.command == "HEAD":
            return
        if self.fault and self.fault.corrupt:
            body = bytes(byte ^ 1 for byte in body[:64]) + body[64:]
        if self.fault and self.fault.cut is not None and len(body) > self.fault.cut:
            body, self.close_connection = body[: self.fault.cut], True
        self.wfile.write(body)

    def reply_content(self, content: bytes, headers: dict) -> None:
        """With Range, as a file server does it."""
        headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream", **headers}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted or (self.fault and self.fault.ignore_range):
            return self.reply(200, content, headers)
        start, end = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        if start >= len(content):
            return self.reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        self.reply(206, content[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(content)}"})

    # ---- who asks

    def user(self, needed: bool = False) -> tuple[str, str] | None:
        given = self.headers.get("Authorization", "")
        if not given:
            if needed:
                raise Refused(401, "Invalid username or password.")
            return None
        kind, _, token = given.partition(" ")
        if kind == "Basic":
            token = base64.b64decode(token).decode().partition(":")[2]
        if token.startswith("hf_jwt_"):
            return ("alice", "write")
        if token not in USERS:
            raise Refused(401, "Invalid credentials in Authorization header")
        return USERS[token]


class HubHandler(Handler):
    ROUTES = []  # filled below: (method, pattern, function)

    def route(self):
        path = self.parts.path
        for method, pattern, function in self.ROUTES:
            match = re.fullmatch(pattern, path)
            if match and (self.command == method or (method == "GET" and self.command == "HEAD")):
                with self.hub.lock if function.__name__ != "logs" else threading.Lock():
                    return function(self, **{k: urllib.parse.unquote(v) if v is not None else v for k, v in match.groupdict().items()})
        raise Refused(404, f"no route {self.command} {path}")

    def repo(self, kind: str, id: str, write: bool = False):
        """The repository when the caller may see it; a private one looks as absent as none."""
        user = self.user()
        moved = self.hub.store.moved.get((kind, id))
        if moved:
            raise Refused(307, "moved", headers={"Location": self.path.replace(id, moved, 1)})
        repo = self.hub.store.repos.get((kind, id))
        owner = id.split("/")[0]
        if repo is None or (repo.private and (user is None or user[0] != owner)):
            raise Refused(404 if user else 401, "Repository not found" if user else "Invalid username or password.", "RepoNotFound")
        if write:
            self.must_write(owner)
        return repo

    def build(self, repo) -> None:
        if repo.space:
            repo.space.build({path: self.hub.store.content(file) for path, file in repo.at("main").files.items() if not file.lfs})

    def must_write(self, owner: str):
        name, role = self.user(needed=True)
        if name != owner or role != "write":
            raise Refused(403, f"You don't have the required permissions to perform this action: {owner}")


def route(method: str, pattern: str):
    kinds = r"(?P<kind>models|datasets|spaces)/(?P<id>[^/]+/[^/]+)"
    files = r"(?P<folder>datasets/|spaces/|)(?P<id>[^/]+/[^/]+?)"
    space = r"/api/spaces/(?P<id>[^/]+/[^/]+)"

    def keep(function):
        HubHandler.ROUTES.append((method, pattern.replace("KINDS", kinds).replace("FILES", files).replace("SPACE", space), function))
        return function

    return keep


KIND = {"": "models", "datasets/": "datasets", "spaces/": "spaces"}

# ---- identity and repositories


@route("GET", "/api/whoami-v2")
def whoami(self):
    name, role = self.user(needed=True)
    plan = name != "carol"
    self.reply_json({"type": "user", "id": hashlib.md5(name.encode()).hexdigest()[:24], "name": name, "fullname": name.title(), "isPro": plan, "canPay": plan,
                     "orgs": [], "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": role}}})


@route("POST", "/oauth/token")
def exchange(self):
    asked = self.json()
    if asked.get("subject_token") != "ci-jwt":
        raise Refused(400, "bad token", body={"error": "invalid_grant", "error_description": "the token's repository is not trusted"})
    self.reply_json({"access_token": "hf_jwt_" + asked["resource"].replace("/", "_"), "token_type": "bearer", "expires_in": 3600})


@route("GET", "/ci/token")
def ci_token(self):
    if self.headers.get("Authorization") != "Bearer ci-request":
        raise Refused(401, "no")
    self.reply_json({"value": "ci-jwt"})


@route("GET", "/api/agent-harnesses")
def harnesses(self):
    self.reply_json({"standardEnvVars": [], "harnesses": {}})


@route("POST", "/api/repos/create")
def create(self):
    asked = self.json()
    name, role = self.user(needed=True)
    kind = asked.get("type", "model") + "s"
    owner = asked.get("organization") or name
    id = f"{owner}/{asked['name']}"
    url = f"{self.hub.url()}/{'' if kind == 'models' else kind + '/'}{id}"
    if (kind, id) in self.hub.store.repos:
        raise Refused(409, f"You already created this {kind[:-1]} repo", body={"error": f"You already created this {kind[:-1]} repo", "url": url})
    self.must_write(owner)
    private = asked.get("private", asked.get("visibility") == "private")
    if kind == "spaces":
        if asked.get("sdk") not in ("docker", "gradio", "static"):
            raise Refused(400, "sdk must be one of docker, gradio, static")
        if name == "carol" and asked["sdk"] != "static":
            raise Refused(402, "Subscribe to PRO to create a Docker Space")
        made = self.hub.create_space(id, private=private)
        made.hardware = asked.get("hardware") or "cpu-basic"
        made.sleep = asked.get("sleepTimeSeconds") or made.sleep
        made.secrets = {one["key"]: one["value"] for one in asked.get("secrets") or []}
        made.variables = {one["key"]: one["value"] for one in asked.get("variables") or []}
        made.volumes = asked.get("volumes") or []
    else:
        self.hub.store.create(kind, id, private=private)
    self.reply_json({"url": url, "name": id, "id": uuid.uuid4().hex[:24]})


@route("DELETE", "/api/repos/delete")
def delete(self):
    asked = self.json()
    kind, id = asked.get("type", "model") + "s", f"{asked['organization']}/{asked['name']}"
    self.repo(kind, id, write=True)
    del self.hub.store.repos[kind, id]
    self.reply(200, b"OK")


@route("PUT", "/api/KINDS/settings")
def settings(self, kind, id):
    self.repo(kind, id, write=True).private = self.json().get("visibility") == "private"
    self.reply_json({})


# ---- reading


@route("GET", r"/api/KINDS(?:/revision/(?P<revision>[^/]+))?")
def repo_info(self, kind, id, revision):
    repo = self.repo(kind, id)
    made = info(repo, repo.at(revision or "main"), self.query.get("blobs") in ("true", "True", "1"))
    if repo.space:
        made |= {"sdk": repo.space.sdk, "host": self.hub.app_host(repo.space), "subdomain": repo.space.subdomain, "runtime": repo.space.runtime()}
    self.reply_json(made)


@route("GET", r"/api/KINDS/tree/(?P<revision>[^/]+)(?:/(?P<folder>.*))?")
def listing(self, kind, id, revision, folder):
    repo = self.repo(kind, id)
    found = tree(repo.at(revision), folder or "", self.query.get("recursive", "").lower() == "true")
    start = int(self.query.get("cursor", 0))
    headers = {}
    if start + self.hub.page < len(found):
        query = urllib.parse.urlencode({**self.query, "cursor": start + self.hub.page})
        headers["Link"] = f'<{self.hub.url()}{self.parts.path}?{query}>; rel="next"'
    self.reply_json(found[start : start + self.hub.page], headers=headers)


@route("POST", r"/api/KINDS/paths-info/(?P<revision>[^/]+)")
def paths_info(self, kind, id, revision):
    repo = self.repo(kind, id)
    if "json" in self.headers.get("Content-Type", ""):
        paths = self.json()["paths"]
    else:
        paths = urllib.parse.parse_qs(self.body.decode()).get("paths", [])
    files = repo.at(revision).files
    self.reply_json([entry(path, files[path]) for path in paths if path in files])


@route("GET", r"/FILES/(?P<how>resolve|raw)/(?P<revision>[^/]+)/(?P<path>.+)")
def resolve(self, folder, id, how, revision, path):
    repo = self.repo(KIND[folder], id)
    if repo.gated and self.user() is None:
        raise Refused(401, "Access to this repository is restricted.", "GatedRepo")
    if repo.gated:
        raise Refused(403, "Access to this repository is restricted and you are not in the authorized list.", "GatedRepo")
    commit = repo.at(revision)
    file = commit.files.get(path)
    if file is None:
        raise Refused(404, "Entry not found", "EntryNotFound", {"X-Repo-Commit": commit.sha})
    common = {"X-Repo-Commit": commit.sha, "X-Linked-Size": file.size, "X-Linked-Etag": f'"{file.oid}"', "ETag": f'"{file.oid}"'}
    if file.lfs and how == "resolve":
        where = f"{self.hub.url('cdn')}/{file.oid}?X-Amz-Signature={self.hub.signature}"
        if self.hub.xet:
            token = f"{self.hub.url()}/api/{KIND[folder]}/{id}/xet-read-token/{commit.sha}"
            common |= {"X-Xet-Hash": "f" * 64, "Link": f'<{token}>; rel="xet-auth", <{self.hub.url("cdn")}/reconstruction/{"f" * 64}>; rel="xet-reconstruction-info"'}
        return self.reply(302, b"", {**common, "Location": where, "Accept-Ranges": "bytes"})
    content = self.hub.store.content(file)
    if file.lfs:
        content = f"version https://git-lfs.github.com/spec/v1\noid sha256:{file.oid}\nsize {file.size}\n".encode()
        return self.reply_content(content, {"X-Repo-Commit": commit.sha})
    if file.size % 2:  # both ways of the Hub, by chance of the size
        quoted = urllib.parse.quote(path)
        where = f"/api/resolve-cache/{KIND[folder]}/{id}/{commit.sha}/{quoted}?etag=%22{file.oid}%22"
        return self.reply(307, b"", {**common, "Location": where})
    self.small_file(content, {"X-Repo-Commit": commit.sha, "ETag": f'W/"{file.oid}"'})


@route("GET", r"/api/resolve-cache/KINDS/(?P<revision>[^/]+)/(?P<path>.+)")
def resolve_cache(self, kind, id, revision, path):
    file = self.repo(kind, id).at(revision).files[path]
    self.small_file(self.hub.store.content(file), {"X-Repo-Commit": revision, "ETag": f'"{file.oid}"'})


def small_file(self, content: bytes, headers: dict) -> None:
    if self.headers.get("If-None-Match", "").strip('W/"') == headers["ETag"].strip('W/"'):
        return self.reply(304, b"", headers)
    if "gzip" in self.headers.get("Accept-Encoding", "") and not self.headers.get("Range"):
        return self.reply(200, gzip.compress(content), {**headers, "Content-Encoding": "gzip"})
    self.reply_content(content, headers)


HubHandler.small_file = small_file

# ---- writing


@route("POST", "/api/validate-yaml")
def validate(self):
    front = re.match(r"---\n(.*?)\n---", self.json()["content"], re.S)
    errors, warnings = [], []
    if not front:
        warnings.append({"message": "empty or missing yaml metadata in repo card"})
    elif "colorFrom: chartreuse" in front.group(1):
        errors.append({"message": '"colorFrom" must be one of [red, yellow, green, blue, indigo, purple, pink, gray]'})
    self.reply_json({"errors": errors, "warnings": warnings}, 400 if errors else 200)


@route("POST", r"/api/KINDS/preupload/(?P<revision>[^/]+)")
def preupload(self, kind, id, revision):
    repo = self.repo(kind, id, write=True)
    asked = self.json()
    if len(asked["files"]) > 256:
        raise Refused(413, "at most 256 files")
    commit = repo.at(revision)
    patterns = self.hub.store.patterns(commit)
    if "gitAttributes" in asked:
        patterns = [line.split()[0] for line in asked["gitAttributes"].splitlines() if "filter=lfs" in line]
    made = []
    for file in asked["files"]:
        sample = base64.b64decode(file["sample"])
        large = Store.is_large(file["path"], file["size"], patterns) or b"\0" in sample
        one = {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
        if file["path"] in commit.files:
            one["oid"] = commit.files[file["path"]].oid
        made.append(one)
    self.reply_json({"files": made, "commitOid": commit.sha})


@route("POST", r"/FILES\.git/info/lfs/objects/batch")
def lfs_batch(self, folder, id):
    repo = self.repo(KIND[folder], id)
    asked = self.json()
    if asked["operation"] == "download":
        return self.reply_json({"transfer": "basic", "objects": [
            {**one, "actions": {"download": {"href": f"{self.hub.url('cdn')}/{one['oid']}?X-Amz-Signature={self.hub.signature}"}}} for one in asked["objects"]]})
    self.must_write(id.split("/")[0])
    parts = self.hub.part_size if "multipart" in asked.get("transfers", []) else 0
    objects, multipart = [], False
    for one in asked["objects"]:
        made = {"oid": one["oid"], "size": one["size"]}  # "authenticated" would keep git-lfs from showing its token to `verify`
        if not (self.hub.store.folder / one["oid"]).exists():
            signed = f"{self.hub.url('cdn')}/{one['oid']}?X-Amz-Signature={self.hub.signature}"
            upload = {"href": signed, "header": {}}
            if parts and one["size"] > parts:
                multipart = True
                count, upload_id = -(-one["size"] // parts), uuid.uuid4().hex
                self.hub.uploads[upload_id] = {}
                upload = {"href": f"{self.hub.url()}/api/complete/{one['oid']}?uploadId={upload_id}",
                          "header": {"chunk_size": str(parts), **{f"{n:05}": f"{signed}&uploadId={upload_id}&partNumber={n}" for n in range(1, count + 1)}}}
            made["actions"] = {"upload": upload, "verify": {"href": f"{self.hub.url()}/api/verify/{repo.path}"}}
        objects.append(made)
    self.reply_json({"transfer": "multipart" if multipart else "basic", "objects": objects})


@route("POST", "/api/complete/(?P<oid>[0-9a-f]{64})")
def complete(self, oid):
    asked, upload_id = self.json(), self.query["uploadId"]
    parts = self.hub.uploads.get(upload_id, {})
    given = sorted((one["partNumber"], one["etag"]) for one in asked["parts"])
    if [number for number, _ in given] != sorted(parts) or any(etag != f'"part-{number}"' for number, etag in given):
        raise Refused(400, "parts are missing or wrong")
    digest = hashlib.sha256()
    whole = self.hub.store.folder / f"{oid}.whole"
    with open(whole, "wb") as out:
        for number in sorted(parts):
            data = parts[number].read_bytes()
            digest.update(data)
            out.write(data)
            parts[number].unlink()
    del self.hub.uploads[upload_id]
    if digest.hexdigest() != oid:
        whole.unlink()
        raise Refused(400, "the parts do not add up to this oid")
    whole.rename(self.hub.store.folder / oid)
    self.reply_json({})


@route("POST", "/api/verify/.+")
def verify(self):
    self.user(needed=True)
    asked = self.json()
    path = self.hub.store.folder / asked["oid"]
    if not path.exists() or path.stat().st_size != asked["size"]:
        raise Refused(404, "object not found")
    self.reply_json({})


@route("POST", r"/api/KINDS/commit/(?P<revision>[^/]+)")
def commit(self, kind, id, revision):
    repo = self.repo(kind, id, write=True)
    header, added, removed = parse_commit([json.loads(line) for line in self.body.splitlines() if line], self.hub.store)
    head = repo.at(revision).sha
    if header.get("parentCommit", head) != head:
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    sha = self.hub.store.commit(repo, revision, added, removed, header["summary"])
    self.build(repo)
    self.reply_json({"success": True, "commitOid": sha, "commitUrl": f"{self.hub.url()}/{repo.path}/commit/{sha}", "hookOutput": ""})


# ---- Spaces


@route("GET", "/api/spaces/hardware")
def hardware_list(self):
    self.reply_json(HARDWARE)


@route("GET", "SPACE/runtime")
def runtime(self, id):
    self.reply_json(self.repo("spaces", id).space.runtime())


@route("GET", "SPACE/host")
def host(self, id):
    self.reply_json({"host": self.hub.app_host(self.repo("spaces", id).space)})


@route("POST", "SPACE/(?P<action>restart|pause|sleeptime|hardware)")
def act(self, id, action):
    repo = self.repo("spaces", id, write=True)
    space = repo.space
    space.tick()
    if action == "restart" and self.query.get("factory") == "true":
        self.build(repo)
    elif action == "restart":
        space.start()
    elif action == "pause":
        space.set("PAUSED")
    elif action == "sleeptime":
        space.sleep = self.json()["seconds"]
    else:
        if self.json()["flavor"] not in [one["name"] for one in HARDWARE]:
            raise Refused(400, "unknown hardware flavor")
        space.hardware = self.json()["flavor"]
        space.start()
    self.reply_json(space.runtime())


@route("GET", "SPACE/secrets")
def secrets_list(self, id):
    self.reply_json({key: {"updatedAt": "2026-01-01T00:00:00.000Z"} for key in self.repo("spaces", id, write=True).space.secrets})


@route("GET", "SPACE/variables")
def variables_list(self, id):
    self.reply_json({key: {"value": value} for key, value in self.repo("spaces", id, write=True).space.variables.items()})


def change(self, id, what):
    space = self.repo("spaces", id, write=True).space
    asked, kept = self.json(), getattr(space, what)
    if self.command == "DELETE":
        kept.pop(asked["key"], None)
    else:
        kept[asked["key"]] = asked["value"]
    space.tick()
    space.start()
    self.reply_json({} if what == "secrets" else {key: {"value": value} for key, value in kept.items()})


for _method in ("POST", "DELETE"):
    route(_method, "SPACE/(?P<what>secrets|variables)")(change)


@route("PUT", "SPACE/volumes")
def set_volumes(self, id):
    self.repo("spaces", id, write=True).space.volumes = self.json()["volumes"]
    self.reply_json({})


@route("DELETE", "SPACE/volumes")
def clear_volumes(self, id):
    space = self.repo("spaces", id, write=True).space
    if not space.volumes:
        raise Refused(400, "no volumes")
    space.volumes = []
    self.reply_json({})


@route("GET", "/api/buckets/(?P<id>[^/]+/[^/]+)")
def bucket(self, id):
    self.must_write(id.split("/")[0])
    if id not in self.hub.buckets:
        raise Refused(404, "Bucket not found", "RepoNotFound")
    self.reply_json({"id": id})


@route("POST", "/api/buckets/(?P<id>[^/]+/[^/]+)")
def make_bucket(self, id):
    self.must_write(id.split("/")[0])
    self.hub.buckets.add(id)
    self.reply_json({"url": f"{self.hub.url()}/buckets/{id}"})


for _method in ("GET", "POST"):
    @route(_method, r"/FILES(?:\.git)?/(?P<what>info/refs|git-receive-pack|git-upload-pack)")
    def git(self, folder, id, what):
        """git's own protocol, by git's own server; what is pushed becomes a commit here."""
        if self.user() is None:
            raise Refused(401, "Invalid username or password.", headers={"WWW-Authenticate": 'Basic realm="Authentication required"'})
        pushing = "receive-pack" in what + self.parts.query
        repo = self.repo(KIND[folder], id, write=pushing)
        status, headers, body = git_server.serve(self.hub.store, repo, what, self)
        self.reply(status, body, headers)
        if what == "git-receive-pack" and git_server.take_over(self.hub.store, repo):
            self.build(repo)


@route("GET", "SPACE/logs/(?P<which>build|run)")
def logs(self, id, which):
    """Replays what there is, keeps alive, and follows while the Space is on its way."""
    space = self.repo("spaces", id, write=True).space
    self.close_connection = True
    self.head(200, {"Content-Type": "text/event-stream", "Connection": "close", "Transfer-Encoding": "chunked"})
    sent, quiet, total = 0, time.monotonic(), 0

    def write(text: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    while True:
        space.tick()
        log = space.build_log if which == "build" else space.run_log
        for event in log[sent:]:
            line = f"data: {json.dumps(event)}\n\n".encode()
            if self.fault and self.fault.cut is not None and total + len(line) > self.fault.cut:
                return
            total += len(line)
            write(line)
            quiet = time.monotonic()
        sent = len(log)
        write(b"data:\n\n")
        self.wfile.flush()
        if time.monotonic() - quiet > max(self.hub.log_silence, 0.2) and not ("BUILDING" in space.stage or "STARTING" in space.stage):
            self.wfile.write(b"0\r\n\r\n")
            return
        time.sleep(0.03)


class CdnHandler(Handler):
    """Signed addresses: whoever has one may; a second credential is refused, as S3 does it."""

    def route(self):
        if self.headers.get("Authorization"):
            raise Refused(400, "Only one auth mechanism allowed")
        if self.query.get("X-Amz-Signature") != self.hub.signature:
            self.close_connection = True
            raise Refused(403, "Request has expired")
        oid = self.parts.path.strip("/")
        if self.command == "PUT":
            if "uploadId" in self.query and self.query["uploadId"] not in self.hub.uploads:
                self.close_connection = True
                raise Refused(404, "NoSuchUpload")
            return self.put(oid, int(self.query.get("partNumber", 0)))
        path = self.hub.store.folder / oid
        if not path.exists():
            raise Refused(404, "NoSuchKey")
        if path.stat().st_size > 64 << 20 and not self.headers.get("Range"):
            return self.send_large(path)
        self.reply_content(path.read_bytes(), {"ETag": '"s3"'})

    def send_large(self, path: Path):
        self.head(200, {"Content-Length": path.stat().st_size, "Accept-Ranges": "bytes"})
        self.wfile.flush()
        if self.command != "HEAD":
            with open(path, "rb") as file:
                self.connection.sendfile(file)

    def put(self, oid: str, part: int):
        if self.headers.get("Transfer-Encoding") or "Content-Length" not in self.headers:
            self.close_connection = True
            raise Refused(501, "A header you provided implies functionality that is not implemented")
        left, digest = int(self.headers["Content-Length"]), hashlib.sha256()
        target = self.hub.store.folder / f"{oid}.{part}.{uuid.uuid4().hex}"
        with open(target, "wb") as out:
            while left:
                data = self.rfile.read(min(left, 1 << 20))
                if not data:
                    break
                left -= len(data)
                digest.update(data)
                out.write(data)
        if left or (not part and digest.hexdigest() != oid):
            target.unlink()
            raise Refused(400, "XAmzContentSHA256Mismatch")
        if part:
            with self.hub.lock:
                self.hub.uploads[self.query["uploadId"]][part] = target
            return self.reply(200, b"", {"ETag": f'"part-{part}"'})
        target.rename(self.hub.store.folder / oid)
        self.reply(200, b"", {"ETag": f'"{oid[:32]}"'})


class AppHandler(Handler):
    """What stands behind SUBDOMAIN.hf.space: the proxy's rules, then an application of the test's making."""

    def route(self):
        subdomain = self.headers.get("Host", "").split(".")[0]
        repo = next((one for one in self.hub.store.repos.values() if one.space and one.space.subdomain == subdomain), None)
        if repo is None:
            return self.reply(404, b"<html>404</html>", {"Content-Type": "text/html"})
        given = self.headers.get("X-HF-Authorization") or self.headers.get("Authorization") or ""
        if repo.private and given.removeprefix("Bearer ") not in USERS:
            return self.reply(404, b"<html>404</html>", {"Content-Type": "text/html"})
        space = repo.space
        space.tick()
        if space.stage in ("SLEEPING", "STOPPED"):
            space.start()
        if not space.stage.startswith("RUNNING"):
            return self.reply(503, b"<html>Your space is not ready</html>", {"Content-Type": "text/html"})
        if space.app:
            return self.forward(space.app.url)
        self.reply(space.app_status, space.app_body.encode(), {"Content-Type": space.app_type})

    def forward(self, url: str) -> None:
        """To the real application, without the token that is for the Hub."""
        ours = ("host", "connection", "content-length", "transfer-encoding", "x-hf-authorization")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ours}
        application = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=120)
        try:
            application.request(self.command, self.path, self.body or None, headers)
            answer = application.getresponse()
            body = answer.read()
        except OSError:
            return self.reply(503, b"<html>Your space is in error</html>", {"Content-Type": "text/html"})
        finally:
            application.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in ("connection", "content-length", "transfer-encoding", "date")}
        self.reply(answer.status, body, kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8999)
    parser.add_argument("--folder", type=Path, help="where large files lie; left there afterwards")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        hub = Hub(folder, given.port)
        print(f"export HF_ENDPOINT={hub.url()} HF_TOKEN=hf_alice_write HF_HUB_DISABLE_XET=1", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            hub.close()


if __name__ == "__main__":
    main()
