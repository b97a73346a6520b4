"""Images built and run as a container engine would; only `script/test --image` asks for them, since they take root, apt and minutes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub.fake_hub import Hub
from ship.conftest import caller
from ship.host import ImageHost, run_pushed

collect_ignore_glob = [] if os.environ.get("ALCOVE_IMAGE") else ["*"]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    tmp_path.chmod(0o755)  # the image's user has to reach its volume
    objects = tmp_path / "objects"
    objects.mkdir()
    made = Hub(objects)
    run_pushed(made, tmp_path / "spaces", lambda context, volume, arguments: ImageHost(context, volume, context.name, arguments))
    yield made
    made.close()


@pytest.fixture
def call(hub: Hub, alcove: Path, cache: Path, tmp_path: Path) -> Callable:
    return caller(hub, alcove, cache, tmp_path)
