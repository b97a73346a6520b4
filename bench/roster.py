#!/usr/bin/env python3
"""Whole examinations read and matched against their class lists: who gets the right paper, and who has to be looked at.

Each exam has a class of 600 numbers in sequence. Candidates write their number and the subject code into a printed form of the exam's
own, with pens, printed faces and layouts held out from training (train/); the pictures of the two boxes go through the real readers and
through the real matching (src/sheets/roster_match.h). Some candidates are absent, some are on no list, some leave the number blank, some
hand in two papers. Boxes are taken as found, a little off: finding them is `script/bench accuracy`. Needs Pillow, numpy and the fonts of
train/fonts.txt (script/bootstrap --test).
"""

import argparse
import json
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "train"))

import numpy as np  # noqa: E402

import ink  # noqa: E402
import pool  # noqa: E402
import sheet  # noqa: E402
import values  # noqa: E402
from form import REGISTER, SUBJECT  # noqa: E402

PROGRAM = Path(os.environ.get("ALCOVE_ROSTER_BENCH", ROOT / "build/release/alcove_roster_bench"))
NAMES = 600
UNLISTED, BLANK, DOUBLE = 0.005, 0.005, 0.004  # shares of an exam's papers
LOOKS = (("clean", 4), ("scan", 13), ("photo", 3))
SUBJECTS = 60  # on the office's list
SILENT = 0.0005  # share of papers that may be wrong without anybody having been asked

Paper = dict[str, object]


def numbers_of(rng: random.Random) -> list[str]:
    """A class's numbers: college, year, branch, and a serial number that runs."""
    start = f"{rng.randint(1, 9)}{rng.randint(0, 999):03}{rng.randint(18, 27)}{rng.choice((104, 105, 106, 114, 205, 243))}"
    first = rng.randint(1, 999 - NAMES)
    return [f"{start}{first + i:03}" for i in range(NAMES)]


def written_numbers(rng: random.Random, numbers: list[str], papers: int) -> list[tuple[str, int | None]]:
    """What candidates write, and whose name the paper should get: an index, or none for who is on no list or wrote nothing."""
    few = {kind: max(1, round(share * papers)) for kind, share in (("unlisted", UNLISTED), ("blank", BLANK), ("double", DOUBLE))}
    present = rng.sample(range(len(numbers)), min(len(numbers), papers - sum(few.values())))
    written: list[tuple[str, int | None]] = [(numbers[i], i) for i in present]
    written += [(numbers[i], i) for i in rng.sample(present, few["double"])]
    written += [("", None)] * few["blank"]
    for _ in range(few["unlisted"]):  # of the next class in half of the cases, of another branch or year in the other
        other = f"{int(numbers[-1]) + rng.randint(1, 40):012}" if rng.random() < 0.5 else numbers_of(rng)[0]
        written.append((other, None))
    rng.shuffle(written)
    return written


def draw_exam(seed: int, exam: int, papers: int, subject: str, folder: Path) -> dict[str, object]:
    rng = random.Random(f"{seed}/exam/{exam}")
    numbers = numbers_of(rng)
    form, layout = sheet.print_form(rng, "heldout", rng.choice((120, 150, 175)), numbers[0], subject)
    spots = {spot.kind: spot for spot in form.spots if spot.kind in (REGISTER, SUBJECT)}
    look = rng.choices([name for name, _ in LOOKS], [share for _, share in LOOKS])[0]
    written = written_numbers(rng, numbers, papers)
    pictures: dict[str, list[np.ndarray]] = {REGISTER: [], SUBJECT: []}
    for number, _ in written:
        pen = ink.pick_pen(rng, "heldout")
        for kind, text in ((REGISTER, number), (SUBJECT, subject)):
            pictures[kind].append(pool.field_picture(rng, form, spots[kind], text, lambda: pen, lambda: look))
    for kind, name in ((REGISTER, "register"), (SUBJECT, "subject")):
        np.stack(pictures[kind]).tofile(folder / f"{exam:03}-{name}.u8")
    return {"numbers": numbers, "subject": subject, "look": look, "layout": layout.__name__, "papers": [{"written": w, "truth": t} for w, t in written]}


def draw(exams: int, papers: int, seed: int, jobs: int, folder: Path) -> list[dict]:
    rng = random.Random(f"{seed}/subjects")
    subjects: list[str] = []
    while len(subjects) < max(SUBJECTS, exams):
        code = values.subject_code(rng)
        if code not in subjects:
            subjects.append(code)
    with ProcessPoolExecutor(jobs) as workers:
        drawn = [workers.submit(draw_exam, seed, exam, papers, subjects[exam], folder) for exam in range(exams)]
        made = [each.result() for each in drawn]
    (folder / "exams.json").write_text(json.dumps({"subjects": subjects, "exams": made}))
    return made


def match(folder: Path, models: Path) -> list[Paper]:
    done = subprocess.run([PROGRAM, models, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


# A way to decide: whether a paper may be accepted at all, how sure it is, and whether what is accepted is right.
Way = tuple[Callable[[Paper], bool], Callable[[Paper], float], Callable[[Paper], bool]]


def ways(side: str) -> dict[str, Way]:
    def of(paper: Paper, key: str) -> object:
        return paper[side][key]  # type: ignore[index]

    def read_something(paper: Paper) -> bool:
        return bool(paper["raw"])

    def best_is_name(paper: Paper) -> bool:
        return of(paper, "alone_margin") > 0

    def placed(paper: Paper) -> bool:
        return of(paper, "entry") is not None and "already_taken" not in of(paper, "reasons")

    return {
        "mean confidence": (read_something, lambda p: p["mean"], lambda p: p["raw_right"]),
        "lowest symbol": (read_something, lambda p: p["lowest"], lambda p: p["raw_right"]),
        "roster margin": (best_is_name, lambda p: of(p, "alone_margin"), lambda p: of(p, "best") == p["truth"]),
        "assignment margin": (placed, lambda p: of(p, "margin"), lambda p: of(p, "entry") == p["truth"]),
    }


def curve(papers: list[Paper], way: Way) -> Iterator[tuple[float, float, float]]:
    """For each threshold from the highest down: threshold, share to review, share silently wrong."""
    may, sure, right = way
    ranked = sorted((p for p in papers if may(p)), key=sure, reverse=True)
    wrong = 0
    for accepted, paper in enumerate(ranked, 1):
        wrong += not right(paper)
        if accepted < len(ranked) and sure(ranked[accepted]) == sure(paper):
            continue  # papers as sure as this one are accepted with it
        yield sure(paper), 1 - accepted / len(papers), wrong / len(papers)


def least_review(papers: list[Paper], way: Way, silent: float) -> tuple[float, float]:
    """The smallest share to review, and its threshold, at which no more than `silent` is wrong unseen."""
    found = (math.inf, 1.0)
    for threshold, review, wrong in curve(papers, way):
        if wrong <= silent:
            found = (threshold, review)
    return found


def at_thresholds(papers: list[Paper], side: str) -> tuple[float, float, float]:
    """Right before review, to review, and silently wrong, as the program decides."""
    right = sum(p[side]["entry"] == p["truth"] for p in papers)
    review = sum(bool(p[side]["reasons"]) for p in papers)
    wrong = sum(not p[side]["reasons"] and p[side]["entry"] != p["truth"] for p in papers)
    return tuple(count / len(papers) for count in (right, review, wrong))


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def report(papers: list[Paper]) -> dict[str, object]:
    count = len(papers)
    listed = [p for p in papers if p["truth"] is not None]
    figures: dict[str, object] = {"papers": count, "listed": len(listed)}
    print(f"{count} papers, of which {count - len(listed)} are on no list or blank\n")
    print("register number, right before review      ", "posteriors", "  text alone")
    rows = (("raw reading, exact", lambda p, s: p["raw_right"]), ("best entry of the list", lambda p, s: p[s]["best"] == p["truth"]),
            ("assignment over the exam", lambda p, s: p[s]["entry"] == p["truth"]))
    for name, right in rows:
        shares = [sum(right(p, side) for p in listed) / len(listed) for side in ("posteriors", "text")]
        figures[name] = shares
        print(f"  {name:40}", *(f"{percent(share):>10}" for share in shares), sep="  ")
    print(f"\nto review, at most {percent(SILENT)} silently wrong")
    for name in ways("posteriors"):
        cells = []
        for side in ("posteriors", "text"):
            threshold, review = least_review(papers, ways(side)[name], SILENT)
            cells.append(f"{percent(review):>10} (from {threshold:.3g})")
            figures[f"review by {name}, {side}"] = {"threshold": threshold, "review": review}
        print(f"  {name:40}", *(f"{cell:>24}" for cell in cells), sep="  ")
    print("\nas the program decides                     right      to review   silently wrong")
    for side in ("posteriors", "text"):
        shares = at_thresholds(papers, side)
        figures[f"decided, {side}"] = shares
        print(f"  {side:36}", *(f"{percent(share):>12}" for share in shares), sep="  ")
    subject = [p["subject"] for p in papers]
    shares = [sum(s["right"] for s in subject) / count, sum(bool(s["reasons"]) for s in subject) / count,
              sum(not s["reasons"] and not s["right"] for s in subject) / count]
    figures["subject"] = {"raw": sum(s["raw_right"] for s in subject) / count, "decided": shares}
    print(f"  {'subject code (raw ' + percent(figures['subject']['raw']) + ')':36}", *(f"{percent(share):>12}" for share in shares), sep="  ")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exams", type=int, default=20)
    parser.add_argument("--papers", type=int, default=570, help="of each exam")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes that draw")
    parser.add_argument("--models", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--keep", type=Path, help="draw into this folder, or use what is there")
    parser.add_argument("--json", type=Path, help="write the figures, and what became of each paper, there")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {time.strftime('%Y-%m-%d')}; {arguments.exams} exams of {arguments.papers} papers, {NAMES} names each, seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "exams.json").exists():
            draw(arguments.exams, arguments.papers, arguments.seed, arguments.jobs, folder)
        papers = match(folder, arguments.models)
    figures = report(papers)
    if arguments.json:
        arguments.json.write_text(json.dumps({"figures": figures, "papers": papers}))


if __name__ == "__main__":
    main()
