"""Gateways of the real binary, and Debian's PostgreSQL."""

import contextlib
import json
import os
import pwd
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gateway.kit import FakeSpace, Gateway, free_port


@pytest.fixture
def space() -> Iterator[FakeSpace]:
    fake = FakeSpace()
    with contextlib.suppress(ConnectionError):
        server = fake.start()
        yield fake
        server.shutdown()
        server.server_close()


@pytest.fixture
def start_gateway(alcove: Path, cache: Path, tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    started: list[subprocess.Popen] = []

    def start(*arguments: object, data: Path | None = None, space_url: str = "", models: Path | None = None,
              command: str = "gateway", wait: bool = True, ignore_file_limit: bool = False, **env: str) -> Gateway:
        port, log = free_port(), tmp_path / f"log-{len(started)}"
        environment = {name: value for name, value in os.environ.items() if name not in ("HF_SPACE_URL", "DATABASE_URL")}
        environment |= {"ALCOVE_CACHE": str(cache), "HF_SPACE_URL": space_url, "ALCOVE_MODELS": str(models or tmp_path / "none")} | env
        where = [] if command == "worker" else ["--port", str(port), "--host", "127.0.0.1"]
        folder = data or tmp_path / "data"
        with log.open("w") as output:
            process = subprocess.Popen([str(alcove), command, *where, "--data", str(folder), *map(str, arguments)],
                                       stdout=output, stderr=subprocess.STDOUT, env=environment,
                                       # Python ignores SIGXFSZ, and the program inherits that: a write then fails, as on a full disk.
                                       restore_signals=not ignore_file_limit)
        started.append(process)
        gateway = Gateway(process, port, log, folder, environment)
        return gateway.wait() if wait and command == "gateway" else gateway

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def export(run: Callable) -> Callable[[Gateway], list[dict]]:
    """The records, as the command prints them beside a gateway that runs."""

    def call(gateway: Gateway) -> list[dict]:
        done = run("gateway", "export", "--data", gateway.data, env={"DATABASE_URL": gateway.env.get("DATABASE_URL", "")})
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return call


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """A PostgreSQL of this run's own; each call makes a fresh database and gives its address."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert programs, "no PostgreSQL here: script/bootstrap --test installs it"
    folder = Path("/tmp") / f"alcove-pg-{os.getpid()}-{random.randrange(10**6)}"  # a socket's path has to be short
    folder.mkdir()
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}

    def call(*words: str) -> None:
        subprocess.run([str(programs[-1] / words[0]), *words[1:]], check=True, capture_output=True, cwd="/", **who)

    call("initdb", "-D", f"{folder}/data", "--no-sync", "--no-locale", "-E", "UTF8", "-A", "trust", "-U", "alcove")
    server = subprocess.Popen([str(programs[-1] / "postgres"), "-D", f"{folder}/data", "-k", str(folder), "-c", "listen_addresses=",
                               "-c", "fsync=off", "-c", "shared_buffers=16MB"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **who)
    made = 0

    def database() -> str:
        nonlocal made
        made += 1
        for _ in range(600):
            try:
                call("createdb", "-h", str(folder), "-U", "alcove", f"test{made}")
                return f"postgresql://alcove@/test{made}?host={folder}"
            except subprocess.CalledProcessError:
                time.sleep(0.1)
        raise AssertionError("PostgreSQL did not start")

    yield database
    server.send_signal(signal.SIGINT)
    server.wait(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the environment says about the database; each test of this kind runs with both."""
    if request.param == "sqlite":
        return {}
    return {"DATABASE_URL": request.getfixturevalue("postgres_server")()}
