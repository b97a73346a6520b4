"""The folders of src/ keep their direction, and `script/test --long` runs every fuzz target there is."""

import importlib.util
import subprocess
import sys

from conftest import ROOT


def test_every_include_goes_the_right_way():
    done = subprocess.run([sys.executable, ROOT / "tools/check_layers.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_fuzz_target_is_run_and_has_something_to_begin_with():
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "tools/fuzz.py")
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    assert set(fuzz.SEEDS) == {file.name.removesuffix("_fuzz.cpp") for file in (ROOT / "fuzz").glob("*_fuzz.cpp")}
    for target, seeds in fuzz.SEEDS.items():
        assert any(seeds()), target
