"""A server of the real binary, and a client that speaks bytes."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving import Server, free_port, starting


StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def start_server(alcove: Path, models: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Starts servers; those that still run are ended with the session."""
    with starting() as run:
        def start(*arguments: object, models_folder: Path = models, env: dict[str, str] | None = None, under: tuple[str, ...] = ()) -> Server:
            port = free_port()
            return run([*under, str(alcove), "serve", "answer-sheet", "--port", str(port), "--host", "127.0.0.1",
                        "--models", str(models_folder), *map(str, arguments)],
                       port, tmp_path_factory.mktemp("serve") / "log", {**os.environ, "ALCOVE_CACHE": str(cache), **(env or {})})

        yield start


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> Server:
    """One server with the demo weights for all tests that only ask."""
    running = start_server()
    running.wait_until("/readyz", 200)
    return running


@dataclass
class RawReply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


def read_reply(connection: socket.socket) -> RawReply:
    """Reads one reply, its body by Content-Length, else to the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, f"the connection ended after {data!r}"
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    wanted = int(headers.get("content-length", "0"))
    while len(body) < wanted:
        piece = connection.recv(65536)
        assert piece, "the connection ended in the middle of the body"
        body += piece
    return RawReply(int(first.split()[1]), headers, body[:wanted])


@pytest.fixture(name="read_reply")
def read_reply_fixture():
    return read_reply


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[[], socket.socket]]:
    """Opens connections that are closed after the test."""
    opened: list[socket.socket] = []

    def open_one() -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        opened.append(connection)
        return connection

    yield open_one
    for connection in opened:
        connection.close()
