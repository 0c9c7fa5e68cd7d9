"""Measures replay side by side with the naive ways and with the ceilings, on the same events, in one run.

    python benchmarks/replay.py [--model NAME] [--kinds LIST] [--rounds N] [--seconds S]

Four kinds of seeded traffic (traffic.py) are written as JSON lines, each as long as logcount needs about S seconds for,
and replayed by the command line as a user would run it: on one core, on two with `--workers 2`, and as two copies of
the program that share nothing, with half of the archive each. Every process begins with empty caches and has never seen
an event. Starting, with loading the tokenizer and its engine, is timed apart, on an archive that is just long enough
for it, and taken off.

The naive ways (rivals.py) and the ceilings (ceilings.py) run on samples, which are theirs in each round, on the same
core and with the lines in memory; their time is scaled by bytes. What is done on one core is measured in processor
time, which other work on the machine disturbs least, and on two by the clock. Everything runs in turn, round after
round; ratios are taken within a round, and the tables have medians. Exactness is part of it: every sampled event must
have the very count of the naive way, and every run the same sums, else the exit status is 1.
"""

from __future__ import annotations

import argparse
import math
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contest import LOADS, NAIVE, SIMDJSON, Bench, Corpus, Kind, Rivals
from installed_text import InstalledText
from stopwatch import ROOT, cores
from traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

MODEL = "Qwen/Qwen3-8B"
KINDS = (
    Kind("multi-turn", "multi_turn", False, {NAIVE: 150}),
    Kind("single-shot", "single_shot", False, {NAIVE: 60}),
    Kind("long documents", "documents", False, {NAIVE: 60}),
    Kind("usage reported", "mixed", True, {LOADS: 8, SIMDJSON: 0.6}),
)
TWO_CORES = 0.9
"""What is aimed at for `--workers 2`, of two copies."""


def times(corpus: Corpus, ours: str, other: str) -> float:
    """Return how many times as fast one way is as another: the median of the ratios within the rounds."""
    pairs = zip(corpus.rates[ours], corpus.rates[other], strict=True)
    return middle([one / its for one, its in pairs])


def middle(numbers: Iterable[float]) -> float:
    """Return the median of those that are numbers."""
    return statistics.median([number for number in numbers if not math.isnan(number)] or [math.nan])


def show(corpus: Corpus) -> None:
    """Print the tables of one kind."""
    mean = corpus.archive.size / len(corpus.archive.places)
    start = statistics.median(corpus.starts)
    print(f"\n### {corpus.kind.name}\n\n{corpus.archive.describe()}; start {start:.1f} s, apart\n")
    print("| one core | events/s | MB/s | logcount is … times as fast |\n|---|---|---|---|")
    for way, rates in corpus.rates.items():
        if not way.startswith("two "):
            rate = middle(rates)
            name = "**`logcount replay`**" if way == "logcount" else way
            print(f"| {name} | {rate / mean:,.{0 if rate > 99 * mean else 1}f} | {rate / 1e6:,.1f} | "
                  f"{times(corpus, 'logcount', way):.3g} |")  # fmt: skip
    if corpus.seeded[1]:
        print(f"\nThe example's counts are {corpus.seeded[0] / corpus.seeded[1] - 1:+.0%} off over its sample.")
    if corpus.rates["two copies"]:
        print("\n| two cores | events/s | of two copies | with the start | times one core |\n|---|---|---|---|---|")
        for way in [way for way in ("two copies", "two workers") if corpus.rates[way]]:
            shares = times(corpus, way, "two copies"), times(corpus, f"{way}, whole", "two copies, whole")
            rate = middle(corpus.rates[way]) / mean
            print(f"| {way} | {rate:,.0f} | {shares[0]:.2f} | {shares[1]:.2f} | {times(corpus, way, 'logcount'):.2f} |")


def aims_of(corpus: Corpus) -> list[str]:
    """Return a row of the table of aims for each aim."""
    found = [(f"times as fast as {way}", aim, times(corpus, "logcount", way)) for way, aim in corpus.kind.aims.items()
             if corpus.rates[way]]  # fmt: skip
    if corpus.rates["two workers"]:
        whole = times(corpus, "two workers, whole", "two copies, whole")
        found.append(("`--workers 2` of two copies, with the start", TWO_CORES, whole))
    return [f"| {corpus.kind.name} | {what} | {aim:g} | {got:.3g} | {verdict(aim, got)} |" for what, aim, got in found]


def verdict(aim: float, got: float) -> str:
    if math.isnan(got):
        return "too short to say: more --seconds"
    return "met" if got >= aim else "missed"


def settings_of(model: str) -> Path:
    """Return the settings that give the model its tokenizer: those of the samples, else those of the accuracy table."""
    name = "samples/logcount.toml" if "qwen3" in model.lower() else "benchmarks/accuracy.toml"
    return ROOT / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MODEL, help="any that samples/logcount.toml or accuracy.toml knows")
    parser.add_argument("--kinds", default=",".join(kind.traffic for kind in KINDS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    began = time.perf_counter()
    settings = settings_of(asked.model)
    rivals = Rivals(settings, asked.model)
    bench = Bench(settings, rivals, asked.rounds)
    text = InstalledText(seed=4)
    print(f"Python {platform.python_version()}, {asked.model}, {len(cores()[:2])} cores, {asked.rounds} rounds; text: "
          f"{text.describe()}", flush=True)  # fmt: skip
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        corpora = [
            bench.corpus(Path(folder), kind, Traffic(text, asked.model, reported=kind.reported), asked.seconds)
            for kind in KINDS
            if kind.traffic in asked.kinds.split(",")
        ]
        for number in range(asked.rounds):
            for corpus in corpora:
                bench.measure(corpus, number)
        for corpus in corpora:
            found = bench.check(corpus)
            wrong += [f"{corpus.kind.name}: {what}" for what in found]
            show(corpus)
            checked = len(corpus.naive) or len(corpus.archive.places)
            print(
                f"\n{checked - len(found):,} of {checked:,} events that were checked have the very counts.", flush=True
            )
    rivals.close()
    print("\n| | aim | at least | measured | |\n|---|---|---|---|---|")
    print("\n".join(row for corpus in corpora for row in aims_of(corpus)))
    print(f"\n{time.perf_counter() - began:.0f} s in all")
    if wrong:
        sys.exit("counts differ:\n" + "\n".join(wrong[:20]))


if __name__ == "__main__":
    main()
