"""bench/schools.py: the simulation keeps to what queues do."""

import importlib.util
import sys

import pytest

from conftest import ROOT

_spec = importlib.util.spec_from_file_location("schools", ROOT / "bench/schools.py")
schools = importlib.util.module_from_spec(_spec)
sys.modules["schools"] = schools
_spec.loader.exec_module(schools)


def day(**changed) -> "schools.Outcome":
    return schools.Day(schools.Settings(schools=20, sheets=100, **changed)).run()


def test_each_sheet_is_read_once():
    outcome = day()
    assert outcome.sheets == len(outcome.waits) == sum(outcome.arrivals.values()) == sum(outcome.recorded.values())
    assert outcome.sheets == pytest.approx(20 * 100, rel=0.4) and min(outcome.waits) >= 0


def test_enough_workers_leave_nobody_waiting():
    assert day(least=50, most=50).wait(0.99) < 0.5


def test_too_few_finish_late_and_work_all_the_time():
    outcome = day(least=1, most=1, per_worker=0.03)  # the morning lasts into the afternoon
    first = min(outcome.arrivals) * 60
    assert outcome.end - first == pytest.approx(outcome.sheets / 0.03, rel=0.05)
    assert outcome.most_workers == 1 and outcome.wait(1) > 1000


def test_more_workers_come_when_sheets_wait_and_go_when_none_do():
    outcome = schools.Day(schools.Settings(schools=200, sheets=100, rush=300, per_worker=2, most=30, target=20)).run()
    always = 30 * (outcome.end - min(outcome.arrivals) * 60)
    assert 5 < outcome.most_workers <= 30 and outcome.worker_seconds < 0.5 * always


def test_the_same_seed_gives_the_same_day():
    settings = schools.Settings(schools=20, sheets=100)
    assert schools.report(settings, day()) == schools.report(settings, day())
