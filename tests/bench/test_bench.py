"""The benchmark stays alive: its short form measures and checks, and two reports can be compared. No time is judged."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def bench(*arguments: object, alcove: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "bench/sheets.py"), *map(str, arguments)],
        capture_output=True, text=True, timeout=600, env={**os.environ, "ALCOVE_BINARY": str(alcove)},
    )


@pytest.fixture(scope="module")
def report(alcove: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "report.json"
    done = bench("--short", "--json", path, alcove=alcove)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


def test_every_stage_and_figure_is_told(report: Path) -> None:
    told = json.loads(report.read_text())
    names = {name.split(" / ")[-1] for name in told["figures"]}
    assert {"start to first answer", "p50", "p99", "four clients", "CPU a sheet", "memory (PSS)", "probe meanwhile, p99", "bytes"} == names
    assert all(value > 0 for figure in told["figures"].values() for value in figure["values"])
    (stages,) = told["stages_ms"].values()
    assert {"receive", "queue", "decode", "orient", "letterbox", "detect", "crop", "read", "total", "reply"} == set(stages)


def changed(report: Path, name: str, factor: float) -> Path:
    told = json.loads(report.read_text())
    (figure,) = [figure for key, figure in told["figures"].items() if key.endswith(name) and "unprepared" not in key]
    figure["values"] = [factor * value for value in figure["values"]]
    path = report.with_name(f"changed-{factor}.json")
    path.write_text(json.dumps(told))
    return path


@pytest.mark.parametrize(
    ("name", "factor", "code"),
    [("p50", 1.05, 0), ("p50", 1.2, 1), ("p50", 0.5, 0), ("four clients", 0.8, 1), ("four clients", 2, 0), ("memory (PSS)", 1.2, 1)],
)
def test_a_loss_of_a_tenth_fails(report: Path, name: str, factor: float, code: int, alcove: Path) -> None:
    done = bench("--compare", report, changed(report, name, factor), alcove=alcove)
    assert done.returncode == code, done.stdout
    assert ("worse by" in done.stdout) == (code == 1)


def test_a_wrong_answer_counts_for_nothing(alcove: Path, tmp_path: Path) -> None:
    # By its file: tests/sheets has the name already.
    sys.path.insert(0, str(ROOT / "bench"))
    spec = importlib.util.spec_from_file_location("bench_sheets", ROOT / "bench/sheets.py")
    bench_sheets = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = bench_sheets
    spec.loader.exec_module(bench_sheets)

    class Lying:
        def extract(self, *_: object) -> tuple[dict, dict, float]:
            return {"register_number": "1", "subject_code": "2"}, {}, 0.1

    with pytest.raises(SystemExit, match="no time counts for a wrong answer"):
        bench_sheets.Page(ROOT / "samples/sheets/clean-band.jpg").ask(Lying())
