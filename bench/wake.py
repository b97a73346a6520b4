#!/usr/bin/env python3
"""From the first sheet at a gateway to its reading when the Space slept: prepared (compiled models in the image) and not.

The Space is the real program behind the stages of tests/hub; the platform's own part, finding a machine and fetching the image, is left out
(--platform adds seconds of it). Prints what the gateway's page said meanwhile.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT / "tests")  # in the place of this folder, which has a hub.py, too

from hub.fake_hub import Hub  # noqa: E402
from ship import waking  # noqa: E402

SHEETS = ["clean-ledger.png", "clean-band.jpg", "clean-plain.webp", "turned-180.png"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--platform", type=float, default=0, help="seconds the platform takes of its own")
    parser.add_argument("--json", help="file for the figures")
    given = parser.parse_args()
    figures: dict[str, list[float]] = {}
    for prepared in (True, False):
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                (folder / "objects").mkdir()
                hub = Hub(folder / "objects")
                space = waking.sleeping_space(hub, folder / "spaces", ROOT / "build/release/alcove", given.models.resolve())
                space.build_seconds = given.platform
                if not prepared:
                    waking.forget_compiled(folder / "spaces")
                seen = waking.wake(hub, space, folder, ROOT / "build/release/alcove", SHEETS)
                hub.close()
            assert len(seen.records) == len(SHEETS) and all(each["status"] == 200 for each in seen.answers), seen
            name = "prepared" if prepared else "not prepared"
            figures.setdefault(name, []).append(round(seen.first_answer, 2))
            print(f"{name}: first of {len(SHEETS)} sheets after {seen.first_answer:.2f} s, last after {seen.last_answer:.2f} s")
            for seconds, state, why in seen.states:
                print(f"   {seconds:5.1f} s  {state}{': ' + why if why else ''}")
    for name, values in figures.items():
        print(f"{name}: {sorted(values)[len(values) // 2]:.2f} s (median of {len(values)}; {min(values):.2f} to {max(values):.2f})")
    if given.json:
        Path(given.json).write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
