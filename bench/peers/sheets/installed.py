"""Bytes of the packages that requirements.txt asks for, and of all that those ask for, as they lie in this environment."""

import re
from importlib import metadata
from pathlib import Path


def name_of(requirement: str) -> str:
    return re.split(r"[\s;<>=!~\[(]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def wanted_now(requirement: str) -> bool:
    return "extra ==" not in requirement


def main() -> None:
    lines = (Path(__file__).parent / "requirements.txt").read_text().splitlines()
    names = [name_of(line) for line in lines if line and not line.startswith("#")]
    files: set[Path] = set()
    for name in names:  # grows while it is walked
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another system, or an extra nobody chose
        files |= {Path(found.locate_file(file)) for file in found.files or []}
        names += [other for other in map(name_of, filter(wanted_now, found.requires or [])) if other not in names]
    print(sum(file.stat().st_size for file in files if file.is_file()))


if __name__ == "__main__":
    main()
