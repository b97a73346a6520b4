#!/usr/bin/env python3
"""One large file up to a Hub on this machine and down again: Alcove beside huggingface_hub.

    script/bench hub [--megabytes 1000] [--rounds 3] [--json FILE]

Both take turns, each round with content of its own, so that nothing is there already. Prints the least and the median of the wall
clock's seconds, and the least of the processor's. What was fetched is compared with what was sent.
"""

import argparse
import filecmp
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UP = "from huggingface_hub import HfApi; HfApi().upload_folder(repo_id='alice/python', repo_type='space', folder_path={folder!r})"
DOWN = "from huggingface_hub import hf_hub_download; print(hf_hub_download('alice/{name}', 'big.bin', repo_type='space'))"


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float, str]:
    """Wall seconds, processor seconds and output of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def write_random(path: Path, megabytes: int) -> None:
    with open(path, "wb") as out:
        for _ in range(megabytes):
            out.write(os.urandom(1 << 20))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    alcove = os.environ.get("ALCOVE_BINARY", str(ROOT / "build/release/alcove"))
    figures: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        server = subprocess.Popen([sys.executable, "-m", "hub.fake_hub", "--port", "0", "--folder", place / "objects"], cwd=ROOT / "tests",
                                  stdout=subprocess.PIPE, text=True)
        try:
            endpoint = re.search(r"HF_ENDPOINT=(\S+)", server.stdout.readline())[1]
            env = {"PATH": os.environ["PATH"], "HOME": temporary, "HF_HOME": str(place / "hf"), "HF_ENDPOINT": endpoint, "HF_TOKEN": "hf_alice_write",
                   "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
            python = [sys.executable, "-c"]
            for name in ("alcove", "python"):
                timed([*python, f"from huggingface_hub import HfApi; HfApi().create_repo('{name}', repo_type='space', space_sdk='docker')"], env)
            for _ in range(given.rounds):
                for name in ("alcove", "python"):
                    folder = place / "up"
                    folder.mkdir(exist_ok=True)
                    write_random(folder / "big.bin", given.megabytes)
                    up = [alcove, "space", "push", "alice/alcove", str(folder), "--no-wait"] if name == "alcove" else [*python, UP.format(folder=str(folder))]
                    down = [alcove, "model", "pull", "--kind", "space", "alice/alcove", "big.bin"] if name == "alcove" else [*python, DOWN.format(name=name)]
                    for way, command in (("up", up), ("down", down)):
                        wall, cpu, output = timed(command, env)
                        figures.setdefault(f"{name} {way}", []).append((wall, cpu))
                    assert filecmp.cmp(folder / "big.bin", output.strip(), shallow=False), "what came back is not what was sent"
                    shutil.rmtree(place / "hf")
                    for file in (place / "objects").iterdir():
                        file.unlink()
        finally:
            server.terminate()
            server.wait()
    rows = {name: {"least_s": min(w for w, _ in times), "median_s": statistics.median(w for w, _ in times), "cpu_s": min(c for _, c in times)}
            for name, times in sorted(figures.items())}
    for name, row in rows.items():
        print(f"{name:12}  least {row['least_s']:6.2f} s  median {row['median_s']:6.2f} s  processor {row['cpu_s']:6.2f} s")
    if given.json:
        given.json.write_text(json.dumps({"megabytes": given.megabytes, "rounds": given.rounds, **rows}, indent=2))


if __name__ == "__main__":
    main()
