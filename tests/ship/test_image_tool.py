"""What tools/image.py makes of a Dockerfile, as far as that needs neither root nor a network; tests/image has the rest."""

import pytest
from ship.host import image

from conftest import ROOT

DOCKERFILES = sorted((ROOT / "deploy").glob("*/Dockerfile"))


def test_lines_flags_and_comments():
    text = "# syntax=x\nFROM debian:13-slim AS one\nRUN --mount=type=cache,target=/c a \\\n # why\n && b\n\nHEALTHCHECK --start-period=5s CMD [\"x\"]\n"
    parsed = [(one.line, one.word, one.flags, " ".join(one.rest.split())) for one in image.parse(text)]
    assert parsed == [(2, "FROM", {}, "debian:13-slim AS one"), (3, "RUN", {"mount": ["type=cache,target=/c"]}, "a && b"),
                      (7, "HEALTHCHECK", {"start-period": ["5s"]}, 'CMD ["x"]')]


def test_words_of_a_command():
    assert image.command_of('["a", "b c"]') == ["a", "b c"] and image.command_of("a b") == ["/bin/sh", "-c", "a b"]
    assert image.expand("$A/${B}/${C:-c}/${A:-x}", {"A": "1", "B": "2"}) == "1/2/c/1"


def test_what_is_ignored(tmp_path):
    (tmp_path / ".dockerignore").write_text(".git\nbuild/\n**/*.pyc\n!keep.pyc\n")
    ignored = image.Ignored(tmp_path, tmp_path / "Dockerfile")
    assert [ignored(path) for path in (".git", ".git/HEAD", "build/x/y", "a/b/c.pyc", "x.pyc")] == [True] * 5
    assert [ignored(path) for path in ("keep.pyc", "src/build.cpp", "git")] == [False] * 3


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_each_dockerfile_of_ours_can_be_carried_out(dockerfile):
    words = {one.word for one in image.parse(dockerfile.read_text())}
    assert words <= {name.removeprefix("do_").upper() for name in dir(image.Build) if name.startswith("do_")} | {"FROM"}
    last = [one for one in image.parse(dockerfile.read_text()) if one.word == "USER"][-1]
    assert last.rest == "1000" and {"HEALTHCHECK", "CMD", "EXPOSE"} <= words


def test_a_step_that_is_not_known_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "HOME", tmp_path / "home")
    (tmp_path / "home/base-trixie").mkdir(parents=True)
    (tmp_path / "Dockerfile").write_text("FROM debian:13-slim\nADD http://x y\n")
    with pytest.raises(image.Refused, match="line 2: ADD is not known"):
        image.Build(tmp_path, tmp_path / "Dockerfile", "t", {}).carry_out("")
    (tmp_path / "Dockerfile").write_text("FROM alpine:3\n")
    with pytest.raises(image.Refused, match="FROM alpine:3"):
        image.Build(tmp_path, tmp_path / "Dockerfile", "t", {}).carry_out("")


def test_copies_land_where_docker_puts_them(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "HOME", tmp_path / "home")
    (tmp_path / "home/base-trixie").mkdir(parents=True)
    context = tmp_path / "context"
    (context / "folder/inner").mkdir(parents=True)
    (context / "folder/inner/a").write_text("a")
    (context / "b").write_text("b")
    (context / "Dockerfile").write_text("ARG PLACE=/x\nFROM debian:13-slim AS one\nARG PLACE\nCOPY folder/ ${PLACE}/\nCOPY b /x/c\nCOPY b folder/inner/a /y/\nCOPY non[e]/ /z/\n"
                                        "FROM debian:13-slim\nWORKDIR /w\nCOPY --from=one /x/ .\nENV A=1 B=${A}2\nCMD [\"run\"]\n")
    made = image.Build(context, context / "Dockerfile", "t", {}).carry_out("")
    one = tmp_path / "home/work/t/one"
    assert (one / "x/inner/a").read_text() == "a" and (one / "x/c").read_text() == "b"
    assert sorted(path.name for path in (one / "y").iterdir()) == ["a", "b"] and not (one / "z").exists()
    assert (made.root / "w/inner/a").exists() and made.env["B"] == "12" and made.command == ["run"]
    with pytest.raises(image.Refused, match="there is nothing of that name"):
        (context / "Dockerfile").write_text("FROM debian:13-slim\nCOPY gone /x\n")
        image.Build(context, context / "Dockerfile", "t", {}).carry_out("")
