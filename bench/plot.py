#!/usr/bin/env python3
"""Draws a report of `script/bench sheets --json` as two SVGs: how many times better than the peer, and where a sheet's time goes.

    bench/plot.py REPORT.json docs/
"""

import json
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import figures

WIDTH, LABELS, ROW, BAR, TOP = 760, 260, 24, 14, 44
STAGES = {
    "receive": "#b8c4ce", "queue": "#8fa1b0", "decode": "#4e79a7", "orient": "#76b7b2", "letterbox": "#59a14f", "detect": "#f28e2b",
    "crop": "#edc948", "read": "#b07aa1", "reply": "#9c9c9c",
}  # fmt: skip


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def bar(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{BAR}" fill="{colour}"/>'


def drawing(title: str, rows: int, parts: list[str]) -> str:
    height = TOP + rows * ROW + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>{text(12, 20, title)}{"".join(parts)}</svg>\n'
    )


def ratios(report: dict) -> str:
    """A bar to the median, a line from the least round to the best."""
    found = {name: figure["values"] for name, figure in report["figures"].items() if figure["unit"] == "x"}
    scale = (WIDTH - LABELS - 60) / max(max(values) for values in found.values() if max(values) < 30)
    parts = []
    for row, (name, values) in enumerate(found.items()):
        y = TOP + row * ROW
        median = figures.Figure("x", values).median
        words = name.replace(" / times better", "").replace(" / ", ", ")
        parts += [text(LABELS - 8, y + 11, words, "end"), bar(LABELS, y, min(median, 30) * scale, "#4e79a7")]
        parts.append(f'<path d="M{LABELS + min(values) * scale:.1f} {y + BAR / 2}H{LABELS + min(max(values), 30) * scale:.1f}" stroke="#e15759" stroke-width="2"/>')
        parts.append(text(LABELS + min(max(max(values), median), 30) * scale + 6, y + 11, f"{median:.1f}"))
    parts.append(f'<path d="M{LABELS + scale:.1f} {TOP - 6}V{TOP + len(found) * ROW}" stroke="#333333" stroke-dasharray="3 3"/>')
    return drawing("Alcove beside the peer, times better (median; red: least to most of the rounds; dashed: as good)", len(found), parts)


def stages(report: dict) -> str:
    cases = report["stages_ms"]
    scale = (WIDTH - LABELS - 70) / max(sum(by_stage.get(stage, 0) for stage in STAGES) for by_stage in cases.values())
    parts, x = [], 12.0
    for stage, colour in STAGES.items():
        parts += [bar(x, 28, 10, colour), text(x + 14, 39, stage)]
        x += 26 + 7 * len(stage)
    for row, (name, by_stage) in enumerate(cases.items()):
        y, x = TOP + 8 + row * ROW, float(LABELS)
        parts.append(text(LABELS - 8, y + 11, name.replace(" / ", ", "), "end"))
        for stage, colour in STAGES.items():
            parts.append(bar(x, y, by_stage.get(stage, 0) * scale, colour))
            x += by_stage.get(stage, 0) * scale
        parts.append(text(x + 6, y + 11, f"{sum(by_stage.get(stage, 0) for stage in STAGES):.0f} ms"))
    return drawing("Where a sheet's time goes, one at a time, median", len(cases) + 1, parts)


def main() -> None:
    report, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    (folder / "performance-ratios.svg").write_text(ratios(report))
    (folder / "performance-stages.svg").write_text(stages(report))


if __name__ == "__main__":
    main()
