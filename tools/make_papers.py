#!/usr/bin/env python3
"""Writes a made-up collection of papers, as long as real ones are, for measuring: one JSON object a line.

    tools/make_papers.py 5275 > papers.jsonl          the same papers every time
    tools/make_papers.py 64000 --seed 2 > more.jsonl

Titles, sentences, names and keywords are put together out of those of samples/papers; with --with-samples the samples
themselves come first. A made-up abstract has 80 to 300 words, 180 on the average.
"""

import argparse
import json
import random
import re
import sys
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "samples/papers/papers.jsonl"
VENUES = ["NeurIPS", "ICML", "ICLR", "ACL", "CVPR", "KDD", "AAAI"]
DECISIONS = ["oral", "spotlight", "poster", "poster", "poster", "poster"]
OPENINGS = ["On", "Towards", "Rethinking", "Scaling", "Learning", "Revisiting", "Beyond", "Understanding", "Improving", "Benchmarking"]
JOINTS = ["for", "with", "via", "without", "meets", "under", "beyond", "through"]


class Maker:
    def __init__(self, samples: list[dict], seed: int):
        self.random = random.Random(seed)
        self.keywords = sorted({word for paper in samples for word in paper["keywords"]})
        self.names = sorted({name for paper in samples for name in paper["authors"] if " " in name})
        self.by_keyword = {word: [paper for paper in samples if word in paper["keywords"]] for word in self.keywords}
        self.samples = samples

    def sentences(self, paper: dict) -> list[str]:
        return re.split(r"(?<=[.!?]) (?=[A-Z])", paper["abstract"])

    def name(self) -> str:
        """First names and family names of different people, so that nobody real is named as an author."""
        first, last = self.random.choice(self.names).split()[0], self.random.choice(self.names).split()[-1]
        return f"{first} {last}"

    def title(self, words: list[str]) -> str:
        opening = self.random.choice(OPENINGS)
        joint = self.random.choice(JOINTS)
        return f"{opening} {words[0].title()} {joint} {words[1].title()} {self.random.randrange(1000, 9999)}"

    def abstract(self, words: list[str]) -> str:
        length = self.random.randint(80, 260)
        pool = [sentence for word in words for paper in self.by_keyword[word] for sentence in self.sentences(paper)]
        picked: list[str] = []
        while sum(len(sentence.split()) for sentence in picked) < length:
            sentence = self.random.choice(pool if self.random.random() < 0.7 else self.sentences(self.random.choice(self.samples)))
            # Words of the topic find their way into others' sentences, so that no sentence stands twice as it is.
            parts = sentence.split()
            parts.insert(self.random.randrange(len(parts)), self.random.choice(words))
            picked.append(" ".join(parts))
        return " ".join(picked)

    def paper(self, number: int) -> dict:
        words = self.random.sample(self.keywords, 3)
        year = self.random.randint(2015, 2025)
        venue = self.random.choice(VENUES)
        return {
            "id": f"made{number:06}", "title": self.title(words), "authors": [self.name() for _ in range(self.random.randint(1, 6))],
            "venue": f"{venue} {year}", "year": year, "decision": self.random.choice(DECISIONS), "area": words[0],
            "keywords": words, "abstract": self.abstract(words), "kind": "inproceedings"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with-samples", action="store_true")
    options = parser.parse_args()
    samples = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    if options.with_samples:
        for paper in samples[: options.count]:
            print(json.dumps(paper, ensure_ascii=False))
    maker = Maker(samples, options.seed)
    for number in range(options.count - (len(samples) if options.with_samples else 0)):
        sys.stdout.write(json.dumps(maker.paper(number), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
