"""The Python of the originals that work with texts: PyTorch, transformers, sentence-transformers, Gradio and Chroma."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "bench/peers/text"


def python() -> Path:
    """Its own environment, made on first use."""
    home, wanted = ROOT / ".deps/peers/text", (FOLDER / "requirements.txt").read_text()
    stamp = home / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing the peers into .deps/peers/text …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([home / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", FOLDER / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    return home / "bin/python"
