"""Runs logcount, the naive ways and the ceilings in turn over the same traffic, and compares what they counted."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archives import STARTING, Archive, empty, filled, first
from stopwatch import Ran, cores, has_workers, on_cores, replay, run, run_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from traffic import Traffic

SAMPLE = 1_500_000
"""Bytes of events that a naive way counts in a round: it takes a second for them."""
SKIMMED = 16_000_000
"""Bytes of events that a ceiling runs over."""
SKIMMING = 0.3
"""Seconds that a ceiling is repeated for: some need but milliseconds."""
SMALLEST, LARGEST = 4_000_000, 600_000_000
"""Bytes of an archive, whatever the speed."""
LONG_ENOUGH = 0.7
"""Share of the seconds asked for with which an archive is content."""
SHORTEST = 0.15
"""Share of a run that must be left without its start for it to be a measurement."""
SEEDED = 2
"""Events for the way that loads a tokenizer at every call."""

NAIVE = "`json.loads`, `apply_chat_template`, `encode`, tokenizer kept"
BATCHED = "a faster `loads`, `apply_chat_template`, `encode_batch_fast`"
SEED = "the example that this began from: loads at every call, counts raw JSON"
WAYS = {NAIVE: "templated", BATCHED: "batched"}
LOADS, SIMDJSON = "`json.loads` of the event and both bodies", "simdjson, a bare parse of the event"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of traffic, and what is aimed at: how many times as fast as another way."""

    name: str
    traffic: str
    reported: bool
    aims: dict[str, float]


class Rivals:
    """The process of the naive ways; it lives through all rounds, on the first core."""

    def __init__(self, settings: Path, model: str) -> None:
        command = [sys.executable, str(Path(__file__).parent / "rivals.py"), str(settings), model]
        quiet = os.environ | {"TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "true"}
        with on_cores(cores()[:1]):
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet
            )
        self.ways: list[str] = self._answer()
        self.ceilings = [way for way in self.ways if way not in {*WAYS.values(), "seed"}]

    def run(self, way: str, path: Path, seconds: float = 0.0) -> tuple[float, Any]:
        """Return the seconds that a way took over a file's lines, and its counts; it is repeated for so long."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"way": way, "path": str(path), "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return answer["seconds"], answer["counts"]

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        return json.loads(line) if line else sys.exit("the process of the naive ways has ended")


@dataclass
class Corpus:
    """An archive of one kind, the samples of it, and what was measured over it."""

    kind: Kind
    archive: Archive
    start: list[Path]
    """Two files, just long enough that all is loaded."""
    samples: list[tuple[list[int], Path]]
    skimmed: Path
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Bytes a second, by way, round by round."""
    starts: list[float] = field(default_factory=list)
    sums: set[tuple[int, int, int]] = field(default_factory=set)
    """Events counted, prompt and completion tokens: of every run."""
    naive: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)
    seeded: tuple[int, int] = (0, 0)
    """Tokens of the example's counts, and of the naive way's over the same events."""


class Bench:
    """Runs everything in turn over all kinds, and says what came of it."""

    def __init__(self, settings: Path, rivals: Rivals, rounds: int) -> None:
        self._settings = settings
        self._rivals = rivals
        self._rounds = rounds
        self._one, self._both = cores()[:1], cores()[:2]
        self._starts: dict[tuple[int, bool, str], float] = {}
        """Seconds of starting, by round, whether usage is reported, and way: tokenizers are all the difference."""

    def corpus(self, folder: Path, kind: Kind, traffic: Traffic, seconds: float) -> Corpus:
        """Write an archive that logcount needs about so many seconds for."""
        name = kind.traffic
        events = getattr(traffic, name)()
        if kind.reported:
            start = first(folder, f"{name}-start", events, 1, parts=2)
        else:
            start = filled(folder, f"{name}-start", traffic.documents(), STARTING, parts=2)
        archive = empty(folder, name)
        began = self._replay(start.paths).processor
        taken, size = 0.0, SMALLEST
        while taken < LONG_ENOUGH * seconds and archive.size < LARGEST:
            archive.grow(events, 0, lambda: archive.size >= size)  # noqa: B023 - called at once
            taken = max(self._replay(archive.paths).processor - began, seconds / 20)
            size = int(min(archive.size * min(seconds / taken, 8), LARGEST))
        archive.split()
        samples = [
            (numbers, archive.copy(numbers, folder / f"{name}-sample-{order}.jsonl"))
            for order, numbers in enumerate(archive.draw(self._rounds, min(SAMPLE, archive.size // self._rounds)))
        ]
        skimmed = archive.copy(archive.draw(1, SKIMMED, seed=6)[0], folder / f"{name}-skimmed.jsonl")
        return Corpus(kind, archive, start.paths, samples, skimmed)

    def measure(self, corpus: Corpus, number: int) -> None:
        """Measure every way once."""
        self._one_core(corpus, number)
        if not corpus.kind.reported:
            self._naively(corpus, number)
        for way in self._rivals.ceilings:
            seconds, _ = self._rivals.run(way, corpus.skimmed, SKIMMING)
            corpus.rates[way].append(corpus.skimmed.stat().st_size / seconds)
        if len(self._both) == 2:
            self._two_cores(corpus, number)

    def check(self, corpus: Corpus) -> list[str]:
        """Return what is wrong with the counts; nothing, if all is well."""
        ran = run(replay(corpus.archive.paths, settings=self._settings, workers=len(self._both), output=["--each"]))
        lines = [json.loads(line) for line in ran.output.splitlines()]
        each = [(line["prompt"], line["completion"]) for line in lines]
        prompt, completion = (sum(one[side] or 0 for one in each) for side in (0, 1))
        corpus.sums.add((sum(line["outcome"] == "counted" for line in lines), prompt, completion))
        wrong = [f"sums that are not the same in every run: {sorted(corpus.sums)}"] if len(corpus.sums) > 1 else []
        if corpus.kind.reported and [prompt, completion] != corpus.archive.usage:
            wrong.append(f"{prompt}, {completion} tokens, where {corpus.archive.usage} are reported")
        if len(each) != len(corpus.archive.places):
            return [*wrong, f"{len(each)} lines for {len(corpus.archive.places)} events"]
        for number, (its_prompt, its_completion) in sorted(corpus.naive.items()):
            expected = (its_prompt, each[number][1] if its_completion is None else its_completion)
            if each[number] != expected:
                wrong.append(f"event {number + 1}: {each[number]} for {expected} ({lines[number]['reason']})")
        return wrong

    def _replay(self, paths: Sequence[Path], workers: int = 1) -> Ran:
        command = replay(paths, settings=self._settings, workers=workers)
        return run(command, self._one if workers == 1 else self._both)

    def _one_core(self, corpus: Corpus, number: int) -> None:
        began = self._started(number, corpus, "one core", lambda: self._replay(corpus.start).processor)
        ran = self._replay(corpus.archive.paths)
        corpus.starts.append(began)
        corpus.rates["logcount"].append(_rate(corpus, ran.processor, began))
        corpus.sums.add(_sums(ran))

    def _started(self, number: int, corpus: Corpus, way: str, measure: Callable[[], float]) -> float:
        """Return the seconds that starting takes in this round."""
        key = (number, corpus.kind.reported, way)
        if key not in self._starts:
            self._starts[key] = measure()
        return self._starts[key]

    def _naively(self, corpus: Corpus, number: int) -> None:
        numbers, path = corpus.samples[number % len(corpus.samples)]
        for name, way in WAYS.items():
            seconds, counts = self._rivals.run(way, path)
            corpus.rates[name].append(path.stat().st_size / seconds)
            for event, count in zip(numbers, counts, strict=True):
                both = corpus.naive.setdefault(event, tuple(count))
                assert both == tuple(count), "the naive ways differ"
        few = corpus.archive.copy(numbers[:SEEDED], path.with_name("few.jsonl"))
        seconds, counts = self._rivals.run("seed", few)
        corpus.rates[SEED].append(few.stat().st_size / seconds)
        ours = sum(sum(filter(None, corpus.naive[event])) for event in numbers[:SEEDED])
        corpus.seeded = corpus.seeded[0] + sum(map(sum, counts)), corpus.seeded[1] + ours

    def _two_cores(self, corpus: Corpus, number: int) -> None:
        began = self._started(number, corpus, "two copies", lambda: self._copies(corpus.start))
        whole = self._copies(corpus.archive.paths)
        corpus.rates["two copies"].append(_rate(corpus, whole, began))
        corpus.rates["two copies, whole"].append(corpus.archive.size / whole)
        if has_workers():
            began = self._started(number, corpus, "two workers", lambda: self._replay(corpus.start, workers=2).wall)
            ran = self._replay(corpus.archive.paths, workers=2)
            corpus.rates["two workers"].append(_rate(corpus, ran.wall, began))
            corpus.rates["two workers, whole"].append(corpus.archive.size / ran.wall)
            corpus.sums.add(_sums(ran))

    def _copies(self, paths: Sequence[Path]) -> float:
        """Return the seconds until the last of two programs has ended, each with a file and a core of its own."""
        commands = [replay([path], settings=self._settings) for path in paths]
        return max(ran.wall for ran in run_beside(commands, [[core] for core in self._both]))


def _rate(corpus: Corpus, seconds: float, began: float) -> float:
    """Return bytes a second without the start; no number where hardly anything is left without it."""
    left = seconds - began
    return corpus.archive.size / left if left > SHORTEST * seconds else math.nan


def _sums(ran: Ran) -> tuple[int, int, int]:
    document = json.loads(ran.output)
    return document["events"]["counted"], document["tokens"]["prompt"], document["tokens"]["completion"]
