"""`alcove papers` from the shell, without a model."""

import csv
import fcntl
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

import pytest

from conftest import ROOT

SAMPLES = ROOT / "samples/papers/papers.jsonl"


def search(run, data, *arguments):
    done = run("papers", "search", "--data", data, "--mode", "words", "--format", "json", *arguments)
    return done, json.loads(done.stdout)


def ids(result):
    return [hit["id"] for hit in result["hits"]]


def test_samples_are_what_they_say():
    papers = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    assert len(papers) >= 120
    assert len({paper["id"] for paper in papers}) == len(papers)
    for paper in papers:
        assert paper["title"] and paper["authors"] and paper["venue"] and paper["keywords"] and 1900 < paper["year"] < 2100
        assert 60 <= len(paper["abstract"].split()) <= 150, paper["id"]


def test_import_counts_and_changes_nothing_the_second_time(run, samples_index):
    before = (samples_index / "papers.db").stat()
    again = run("papers", "import", SAMPLES, "--data", samples_index)
    assert again.returncode == 0
    assert "0 new, 0 changed, 134 as they were" in again.stdout
    assert (samples_index / "papers.db").stat().st_ino == before.st_ino
    assert sorted(path.name for path in samples_index.iterdir()) == ["papers.db", "papers.next.db.lock"]


def test_search_by_words_and_fields(run, samples_index):
    done, result = search(run, samples_index, "residual learning")
    assert done.returncode == 0
    assert ids(result)[0] == "he2016resnet"
    assert result["mode"] == "words"
    _, result = search(run, samples_index, "author:\"Schmidhuber, J.\"")
    assert set(ids(result)) == {"hochreiter1997lstm", "graves2006ctc"}
    _, result = search(run, samples_index, "attention", "--author", "Bengio", "--year", ">=2015")
    assert set(ids(result)) >= {"bahdanau2015attention", "velickovic2018gat"}
    _, result = search(run, samples_index, "trasnformer", "-n", "3")
    assert result["notes"] and "trasnformer" in result["notes"][0]


def test_nothing_found_says_what_would_help(run, samples_index):
    done, result = search(run, samples_index, "transformers author:turing")
    assert done.returncode == 1
    assert result["total"] == 0
    assert "would without author:turing" in done.stderr
    assert result["relaxations"][0]["without"] == ["author:turing"]


def test_similar_without_vectors_goes_by_words(run, samples_index):
    done = run("papers", "similar", "ho2020ddpm", "--data", samples_index, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "ho2020ddpm" not in ids(found)
    assert "diffusion" in found["hits"][0]["title"].lower()
    unknown = run("papers", "similar", "nobody", "--data", samples_index)
    assert unknown.returncode == 2
    assert "nobody" in unknown.stderr


@pytest.mark.parametrize("query", ["", "   ", "😀", "\"", "AND OR NOT", "NEAR(a b", "*", "a" * 100_000, "title:", "-", "'; DROP TABLE papers; --"])
def test_any_query_is_answered(run, samples_index, query):
    done, result = search(run, samples_index, "--", query)
    assert done.returncode in (0, 1), done.stderr
    assert isinstance(result["total"], int)


@pytest.mark.parametrize("arguments", [("-n", "-1"), ("-n", "0"), ("-n", "99999999999999999999"), ("--mode", "magic"), ("--format", "xml"), ("--year", "soon"), ("--weight", "2")])
def test_wrong_calls_are_named(run, samples_index, arguments):
    done = run("papers", "search", "x", "--data", samples_index, *arguments)
    assert done.returncode == 2
    assert done.stderr


def test_no_index_says_how_to_make_one(run, tmp_path):
    done = run("papers", "search", "x", "--data", tmp_path / "none")
    assert done.returncode == 2
    assert "alcove papers import" in done.stderr


def test_exports_hold_every_paper(run, samples_index):
    export = lambda kind: run("papers", "export", "--data", samples_index, "--format", kind).stdout  # noqa: E731
    assert len(export("jsonl").splitlines()) == 134
    assert len(list(csv.DictReader(io.StringIO(export("csv"))))) == 134
    assert export("ris").count("TY  - ") == 134
    assert len(json.loads(export("csl-json"))) == 134
    assert len(export("md").splitlines()) == 134
    keys = re.findall(r"^@\w+\{([^,]+),", export("bib"), re.M)
    assert len(keys) == len(set(keys)) == 134


def test_exports_are_imported_again(run, samples_index, tmp_path):
    for kind in ("jsonl", "csv", "bib", "ris"):
        file = tmp_path / f"papers.{kind}"
        file.write_text(run("papers", "export", "--data", samples_index, "--format", kind).stdout)
        done = run("papers", "import", file, "--data", tmp_path / kind)
        assert done.returncode == 0, done.stderr
        assert "134 new" in done.stdout


STYLE = r"""
ENTRY {author booktitle journal title year} {} {label}
FUNCTION {item} { "\bibitem{" cite$ * "} " * write$ author #1 "{ll}" format.name$ " " * write$ author num.names$ int.to.str$ " " * write$ title "t" change.case$ write$ newline$ }
FUNCTION {inproceedings} {item}
FUNCTION {article} {item}
FUNCTION {misc} {item}
READ
ITERATE {call.type$}
"""


@pytest.mark.skipif(shutil.which("bibtex") is None, reason="bibtex is not installed")
def test_bibtex_itself_takes_the_export(run, samples_index, tmp_path):
    (tmp_path / "all.bib").write_text(run("papers", "export", "--data", samples_index, "--format", "bib").stdout)
    (tmp_path / "plain.bst").write_text(STYLE)
    (tmp_path / "x.aux").write_text("\\citation{*}\n\\bibstyle{plain}\n\\bibdata{all}\n")
    done = subprocess.run(["bibtex", "x"], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "BSTINPUTS": ".", "BIBINPUTS": "."})
    assert done.returncode == 0 and "Warning" not in done.stdout and "error" not in done.stdout.lower(), done.stdout
    items = (tmp_path / "x.bbl").read_text()
    assert items.count("\\bibitem{") == 134
    assert "{vaswani2017attention} Vaswani 8 Attention is all" in items.replace("\n", " ")


def test_damaged_newer_and_read_only_files(run, samples_index, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(samples_index, data)
    (data / "papers.db").write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    done = run("papers", "search", "x", "--data", data, "--mode", "words")
    assert done.returncode == 1
    assert "import the papers again" in done.stderr
    shutil.copy(samples_index / "papers.db", data / "papers.db")
    for mode, folder_mode in ((0o400, 0o500), (0o600, 0o700)):
        (data / "papers.db").chmod(mode)
        data.chmod(folder_mode)
        assert run("papers", "search", "graph", "--data", data, "--mode", "words").returncode == 0
    data.chmod(0o700)


def test_a_disk_that_fills_leaves_the_old_index(alcove, run, samples_index, tmp_path):
    """Files that may not grow past a limit look to a program like a disk that is full."""
    data = tmp_path / "data"
    assert run("papers", "import", SAMPLES, "--data", data).returncode == 0
    more = tmp_path / "more.jsonl"
    more.write_text(subprocess.run([sys.executable, ROOT / "tools/make_papers.py", "800"], capture_output=True, text=True, check=True).stdout)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    done = subprocess.run([str(alcove), "papers", "import", str(more), "--data", str(data)], capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 3
    assert "make room" in done.stderr
    assert run("papers", "status", "--data", data).stdout.startswith("134 papers")
    done = run("papers", "import", more, "--data", data)
    assert done.returncode == 0 and "934 papers" in done.stdout


def test_two_imports_at_once_are_told_apart(alcove, run, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with (data / "papers.next.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4242")
        lock.flush()
        done = run("papers", "import", SAMPLES, "--data", data)
    assert done.returncode == 3
    assert "4242" in done.stderr


def test_a_folder_that_may_not_be_written(run, tmp_path):
    if os.geteuid() == 0:
        data = "/proc/papers"  # where not even root makes folders
    else:
        data = tmp_path / "data"
        data.mkdir(mode=0o500)
    done = run("papers", "import", SAMPLES, "--data", data)
    assert done.returncode == 3
    assert "--data" in done.stderr


def test_status_lists_venues(run, samples_index):
    done = run("papers", "status", "--data", samples_index)
    assert done.returncode == 0
    assert done.stdout.startswith("134 papers, 0 with a vector\n")
    assert "  Nature\n" in done.stdout
