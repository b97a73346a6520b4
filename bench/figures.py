"""What was measured: figures with every round's value, whether rounds agree, and the comparison of two reports."""

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

# Three rounds agree when they lie this close together, the largest over the least. A loss is what a user would notice.
AGREEMENT = 1.10
LOSS = 1.10

HIGHER_IS_BETTER = {"sheets/s", "GFLOP/s", "x", "%"}


@dataclass
class Figure:
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def agrees(self) -> bool:
        """Whether some three rounds do."""
        ordered = sorted(self.values)
        return any(high <= AGREEMENT * low for low, high in zip(ordered, ordered[2:]))

    def __str__(self) -> str:
        digits = 2 if self.unit == "x" else 1
        numbers = "".join(f"{value:10.{digits}f}" for value in (min(self.values), self.median, max(self.values)))
        return f"{numbers}  {self.unit:9}{'' if self.agrees() else ' no three rounds agree'}"


class Figures(dict[str, Figure]):
    """By name: case / side / quantity."""

    def add(self, name: str, unit: str, value: float) -> None:
        self.setdefault(name, Figure(unit)).values.append(value)

    def agree(self) -> bool:
        return all(figure.agrees() for figure in self.values())

    def to_json(self) -> dict:
        return {name: {"unit": figure.unit, "values": [round(value, 4) for value in figure.values]} for name, figure in self.items()}


def load(path: Path) -> Figures:
    return Figures({name: Figure(each["unit"], each["values"]) for name, each in json.loads(path.read_text())["figures"].items()})


def worse_by(old: Figure, new: Figure) -> float:
    """1.2: a fifth more time or memory, or a sixth fewer sheets."""
    before, after = max(old.median, 1e-9), max(new.median, 1e-9)
    return before / after if old.unit in HIGHER_IS_BETTER else after / before


def compare(old_path: Path, new_path: Path) -> int:
    """Prints what both reports have; 1 when something is worse by more than a tenth.

    Where both were measured beside the peer, the ratios to it are what counts: they hardly depend on how busy the machine was.
    """
    old, new = load(old_path), load(new_path)
    common = [name for name in old if name in new and "/peer/" not in name]
    ratios = [name for name in common if old[name].unit == "x"]
    lost = 0
    print(f"{'':64}{'before':>10}{'after':>10}")
    for name in ratios or common:
        worse = worse_by(old[name], new[name])
        lost += worse > LOSS
        print(f"{name:64}{old[name].median:10.2f}{new[name].median:10.2f}  {old[name].unit:9}{f' worse by {100 * (worse - 1):.0f} %' if worse > LOSS else ''}")
    if not common:
        print("the two reports have no figure in common")
    return 1 if lost or not common else 0
