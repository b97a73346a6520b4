"""Sleep and wake: the real Space behind the fake hub's stages, the real gateway in front. `script/bench wake` prints the figures."""

import pytest
from hub.fake_hub import Hub
from ship import waking

SHEETS = ["clean-band.jpg", "clean-ledger.png", "clean-plain.webp", "turned-180.png"]


@pytest.fixture
def hub(tmp_path):
    (tmp_path / "objects").mkdir()
    made = Hub(tmp_path / "objects")
    yield made
    made.close()


def test_nothing_is_lost_while_the_space_wakes(hub, alcove, models, samples, tmp_path):
    space = waking.sleeping_space(hub, tmp_path / "spaces", alcove, models)
    boots = space.boot
    seen = waking.wake(hub, space, tmp_path, alcove, SHEETS)
    assert space.boot == boots + 1
    assert {each["name"]: each["register_number"] for each in seen.answers} == {name: samples[name]["register_number"] for name in SHEETS}
    assert sorted(record["original_filename"] for record in seen.records) == sorted(SHEETS), "each sheet once"
    states = [state for _, state, _ in seen.states]
    assert states[-1] == "awake" and set(states) <= {"unknown", "waking", "awake"}, seen.states
    assert "waking" in states and all(why for _, state, why in seen.states if state == "waking"), "somebody who looks is told why it takes a while"


def test_a_space_that_left_by_itself_comes_back(hub, alcove, models, samples, tmp_path):
    space = waking.sleeping_space(hub, tmp_path / "spaces", alcove, models, {"ALCOVE_IDLE_EXIT": "5"})
    first = waking.wake(hub, space, tmp_path, alcove, SHEETS[:1])
    waking.wait_for_stage(space, "SLEEPING")  # the gateway is gone, and nobody else asks
    boots = space.boot
    again = waking.wake(hub, space, tmp_path, alcove, SHEETS[1:2])
    assert space.boot > boots
    assert [each["register_number"] for each in first.answers + again.answers] == [samples[name]["register_number"] for name in SHEETS[:2]]
