#!/usr/bin/env python3
"""A thousand schools scan at the end of term: a discrete-event simulation of gateways, one queue in PostgreSQL, and workers that come and go.

    bench/schools.py [--schools 1000] [--sheets 900] [--weights yolov8n] [--workers-most 40] [--json FILE]

Each school's stack begins within the morning or the afternoon rush and runs through its scanner, sheet by sheet. A sheet waits in the queue,
is claimed by the first free worker, read for as long as docs/performance.md measured, and recorded. Every 15 s an autoscaler asks for a
worker per `--target` waiting sheets, as deploy/kubernetes/autoscaling.yaml does; a new one reads after `--start` seconds. docs/scale.md has the results.
"""

import argparse
import heapq
import json
import random
from dataclasses import dataclass, field

# Sheets a second of one worker on two cores with four callers, the slower of two measured runs (docs/performance.md): JPEG of 100, 200, 100 dpi.
MEASURED = {"demo": 9.7, "yolov8n": 5.8, "yolov8m": 1.5}
# Of one sheet in the gateway's ledger: file and place in the queue, claim, record, judgement with its row in the trail.
TRANSACTIONS = 4
LOOK, STAY = 15.0, 300.0  # the autoscaler's period, and how long it wants fewer before it takes some away


@dataclass
class Settings:
    schools: int = 1000
    sheets: int = 900            # of each school on the day, on average
    scanner: float = 0.5         # sheets a second of one scanner
    rush: float = 3600.0         # seconds within which the schools of one half day begin
    per_worker: float = MEASURED["yolov8n"]
    least: int = 1
    most: int = 40
    target: float = 200.0        # sheets waiting for each worker that is asked for
    start: float = 30.0          # seconds from asking for a worker to its first sheet
    megabytes: float = 0.4       # of a sheet's file
    dollars: float = 0.10        # of a worker's hour: two cores, 1 GB
    seed: int = 1


@dataclass
class Outcome:
    sheets: int = 0
    waits: list[float] = field(default_factory=list)
    worker_seconds: float = 0.0
    most_workers: int = 0
    most_waiting: int = 0
    end: float = 0.0
    arrivals: dict[int, int] = field(default_factory=dict)   # by minute
    recorded: dict[int, int] = field(default_factory=dict)

    def wait(self, share: float) -> float:
        return sorted(self.waits)[min(len(self.waits) - 1, int(share * len(self.waits)))]


def arrivals_of(settings: Settings, rng: random.Random) -> list[float]:
    """When each sheet reaches a gateway: half of the schools from 9:00, half from 14:00, as seconds of the day."""
    times = []
    for school in range(settings.schools):
        begin = (9 if school % 2 else 14) * 3600 + rng.uniform(0, settings.rush)
        count = max(1, round(rng.lognormvariate(0, 0.5) * settings.sheets * 0.8825))  # whose mean is settings.sheets
        pause = 1 / settings.scanner
        for _ in range(count):
            begin += pause * rng.uniform(0.7, 1.3)
            times.append(begin)
    return sorted(times)


class Day:
    """One queue, many workers. An event is (time, order, kind)."""

    def __init__(self, settings: Settings):
        self.settings, self.rng = settings, random.Random(settings.seed)
        self.outcome = Outcome()
        self.waiting: list[float] = []   # arrival times, oldest first
        self.head = 0
        self.workers = self.free = settings.least
        self.coming = 0
        self.fewer_since: float | None = None
        self.since = 0.0

    def run(self) -> Outcome:
        arrivals = arrivals_of(self.settings, self.rng)
        events: list[tuple[float, int, str]] = []
        order = 0

        def at(time: float, kind: str) -> None:
            nonlocal order
            order += 1
            heapq.heappush(events, (time, order, kind))

        self.at, self.since = at, arrivals[0]
        at(arrivals[0], "look")
        upcoming, left = 0, len(arrivals)
        while left:
            if upcoming < len(arrivals) and (not events or arrivals[upcoming] <= events[0][0]):
                now = arrivals[upcoming]
                upcoming += 1
                self.waiting.append(now)
                self.count(self.outcome.arrivals, now)
            else:
                now, _, kind = heapq.heappop(events)
                if kind == "done":
                    left -= 1
                    self.free += 1
                    self.count(self.outcome.recorded, now)
                elif kind == "look":
                    self.scale(now)
                    at(now + LOOK, "look")
                else:
                    self.change(now, +1)
                    self.coming -= 1
            self.begin_what_can(now)
            self.outcome.most_waiting = max(self.outcome.most_waiting, self.depth())
        self.change(now, 0)
        self.outcome.end = now
        return self.outcome

    def depth(self) -> int:
        return len(self.waiting) - self.head

    @staticmethod
    def count(minutes: dict[int, int], now: float) -> None:
        minutes[int(now // 60)] = minutes.get(int(now // 60), 0) + 1

    def begin_what_can(self, now: float) -> None:
        while self.free > 0 and self.depth() > 0:
            self.outcome.waits.append(now - self.waiting[self.head])
            self.head += 1
            self.free -= 1
            self.outcome.sheets += 1
            # Pages differ: by a fifth, as the measured p50 and p99 do.
            self.at(now + self.rng.uniform(0.8, 1.2) / self.settings.per_worker, "done")

    def change(self, now: float, by: int) -> None:
        self.outcome.worker_seconds += self.workers * (now - self.since)
        self.since = now
        self.workers += by
        self.free += by
        self.outcome.most_workers = max(self.outcome.most_workers, self.workers)

    def scale(self, now: float) -> None:
        settings, there = self.settings, self.workers + self.coming
        wanted = min(settings.most, max(settings.least, -(-self.depth() // int(settings.target))))
        # At most twice as many at a time, and fewer only after five minutes of wanting fewer.
        if wanted > there:
            more = min(wanted, 2 * there) - there
            for _ in range(more):
                self.at(now + settings.start, "worker")
            self.coming += more
        if wanted >= there:
            self.fewer_since = None
        elif self.fewer_since is None:
            self.fewer_since = now
        elif now - self.fewer_since >= STAY and self.free > 0:
            self.change(now, -min(self.free, there - wanted))


def report(settings: Settings, outcome: Outcome) -> dict:
    peak = max(outcome.arrivals.values()) / 60
    done = max(outcome.recorded.values()) / 60
    hours = outcome.worker_seconds / 3600
    return {
        "sheets": outcome.sheets, "arrivals_per_second_at_peak": round(peak, 1), "recorded_per_second_at_peak": round(done, 1),
        "most_workers": outcome.most_workers, "most_waiting": outcome.most_waiting,
        "wait_p50_s": round(outcome.wait(0.5), 1), "wait_p99_s": round(outcome.wait(0.99), 1), "wait_most_s": round(outcome.wait(1), 1),
        "all_recorded_at": f"{int(outcome.end // 3600)}:{int(outcome.end % 3600 // 60):02}",
        "postgresql_transactions_per_second_at_peak": round(peak + (TRANSACTIONS - 1) * done), "postgresql_megabytes_per_second_at_peak": round(peak * settings.megabytes),
        "postgresql_gigabytes": round(outcome.sheets * settings.megabytes / 1000), "worker_hours": round(hours, 1), "dollars": round(hours * settings.dollars, 2),
    }


def main() -> None:
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schools", type=int, default=defaults.schools)
    parser.add_argument("--sheets", type=int, default=defaults.sheets, help="of a school on the day, on average")
    parser.add_argument("--weights", choices=sorted(MEASURED), default="yolov8n")
    parser.add_argument("--workers-most", type=int, default=defaults.most)
    parser.add_argument("--target", type=float, default=defaults.target, help="sheets waiting for each worker asked for")
    parser.add_argument("--start", type=float, default=defaults.start, help="seconds until a new worker reads")
    parser.add_argument("--dollars", type=float, default=defaults.dollars, help="of a worker's hour")
    parser.add_argument("--json", help="file for the figures")
    given = parser.parse_args()
    settings = Settings(schools=given.schools, sheets=given.sheets, per_worker=MEASURED[given.weights], most=given.workers_most, target=given.target, start=given.start, dollars=given.dollars)
    figures = report(settings, Day(settings).run())
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):45} {value}")
    if given.json:
        with open(given.json, "w") as out:
            json.dump(figures, out, indent=1)


if __name__ == "__main__":
    main()
