"""The folders of src/ keep their direction."""

import subprocess
import sys

from conftest import ROOT


def test_every_include_goes_the_right_way():
    done = subprocess.run([sys.executable, ROOT / "tools/check_layers.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
