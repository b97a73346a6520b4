"""What this machine's cores reach in a large matrix product, GFLOP/s as JSON by precision: the limit any network runs against.

By the time the cores gave, not by the clock on the wall: on a busy machine that is what they would reach if left alone.
"""

import json
import time
from pathlib import Path

import torch

SIZE = 1536
REPEATS = 4


def reached(kind: torch.dtype) -> float:
    left, right = torch.randn(SIZE, SIZE).to(kind), torch.randn(SIZE, SIZE).to(kind)
    out = left @ right
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        torch.matmul(left, right, out=out)
        best = min(best, time.process_time() - start)
    return torch.get_num_threads() * 2 * SIZE**3 / best / 1e9


def main() -> None:
    precisions = {"f32": torch.float32}
    if "avx512_bf16" in Path("/proc/cpuinfo").read_text():
        precisions["bf16"] = torch.bfloat16
    print(json.dumps({name: reached(kind) for name, kind in precisions.items()}))


if __name__ == "__main__":
    main()
