"""`alcove template`: a form to print."""

import subprocess

import pytest


@pytest.mark.parametrize(("paper", "size"), [("a4", b"595.276 841.890"), ("letter", b"612.000 792.000")])
def test_it_writes_a_small_pdf_of_the_paper_asked_for(run, tmp_path, paper, size):
    out = tmp_path / "form.pdf"
    done = run("template", "--out", out, "--paper", paper)
    assert done.returncode == 0, done.stderr
    content = out.read_bytes()
    assert content.startswith(b"%PDF-1.4") and content.endswith(b"%%EOF\n") and len(content) < 20_000
    assert size in content


def test_a_place_that_cannot_be_written_is_said(run, tmp_path):
    done = run("template", "--out", tmp_path / "no" / "form.pdf")
    assert done.returncode == 2
    assert "form.pdf cannot be written" in done.stderr and "--out" in done.stderr


def test_a_full_disk_behind_standard_output_is_no_success(alcove):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(alcove), "template", "--out", "-"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 3
    assert done.stderr == "alcove: standard output cannot be written; is its disk full?\n"
