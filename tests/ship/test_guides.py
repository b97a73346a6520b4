"""Both guides from first command to last. Here the Dockerfile's own steps run in a folder; tests/image does the same in an image."""

from conftest import ROOT
from ship import guides


def test_the_answer_sheet_guide(hub, call, alcove, models, tmp_path, samples):
    guides.answer_sheets(hub, call, alcove, models, tmp_path, samples)


def test_weights_from_a_repository_of_the_hub(hub, call, models, tmp_path, samples):
    guides.weights_from_afar(hub, call, models, tmp_path, samples, set())


def test_the_paper_finder_guide(hub, call, tmp_path):
    guides.paper_finder(hub, call, ROOT / "tests/golden/bert/sentences_mean", tmp_path, tmp_path / "spaces/alice-openreview-finder-volume")
