#!/usr/bin/env python3
"""Adds up JUnit reports: `sum_tests.py FILE…` prints each suite's failures, then one line `N passed, N failed[, N skipped]`.

A report that is missing or cannot be read counts as a failure: its suite did not run. Exits 1 when anything failed.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main(reports: list[str]) -> int:
    passed = failed = skipped = 0
    for report in map(Path, reports):
        try:
            cases = list(ElementTree.parse(report).iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            print(f"failed: {report.stem}: no report ({error})")
            failed += 1
            continue
        if not cases:
            print(f"failed: {report.stem}: ran no test")
            failed += 1
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                print(f"failed: {report.stem}: {case.get('name')}")
                failed += 1
            elif case.find("skipped") is not None or case.get("status") in {"notrun", "disabled"}:
                print(f"skipped: {report.stem}: {case.get('name')}")
                skipped += 1
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
