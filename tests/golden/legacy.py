"""torch.save in the format before 1.6, with the same bytes each time."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch


def save_legacy(value: Any, path: Path) -> None:
    """PyTorch names and orders storages by their addresses there; here both follow the order in the value."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False)
    head, sizes, body = split(buffer.getvalue())
    rename = {key: str(number).zfill(len(key)) for number, key in enumerate(sizes, start=1)}
    for key, name in rename.items():
        head = head.replace(key.encode(), name.encode())
    path.write_bytes(head + pickle.dumps(list(rename.values()), protocol=2) + b"".join(body[key] for key in sizes))


def split(data: bytes) -> tuple[bytes, dict[str, int], dict[str, bytes]]:
    """What precedes the list of keys; element sizes by key, in the value's order; bytes by key, after their count."""
    stream = io.BytesIO(data)
    sizes: dict[str, int] = {}

    class Reader(pickle.Unpickler):
        def persistent_load(self, identity: Any) -> Any:
            kind, element, key, _, count, *_ = identity
            assert kind == "storage"
            sizes.setdefault(key, element(0).element_size())
            return torch.storage.TypedStorage(
                wrap_storage=element(count)._untyped_storage, dtype=element.dtype, _internal=True
            )

    for _ in range(4):  # magic number, protocol, system, the value
        Reader(stream).load()
    head = data[: stream.tell()]
    keys = pickle.load(stream)
    assert sorted(sizes) == sorted(keys)
    body = {}
    for key in keys:
        count = stream.read(8)
        body[key] = count + stream.read(int.from_bytes(count, "little") * sizes[key])
    assert not stream.read()
    return head, sizes, body
