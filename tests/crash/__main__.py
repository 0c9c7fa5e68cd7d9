"""`python -m crash --runs N --seed S`: plays N runs, of the seeds S, S+1 …, and says what became of each."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from crash.points import ALL, STEPS, WHENS
from crash.programme import play_all

if TYPE_CHECKING:
    from crash.play import Result

NOTE = (
    "Azurite grants a first claim on an owned partition, so two owners at once are more frequent here than on Azure:\n"
    "no result rests on ownership being exclusive."
)


def tell(result: Result) -> str:
    """Say in a line what came of a run, and in further ones what differed."""
    plan = result.plan
    words = [
        f"seed {plan.seed}: {plan.partitions} partitions, ledger in a {'folder' if plan.folder else 'container'}",
        f"{result.replicas} replicas on {len(plan.slots)} places, {result.kills} killed, {result.stops} stopped",
        f"crashed {', '.join(result.hits) or 'nowhere'}",
        f"frozen at {', '.join(result.frozen) or 'nothing'}",
        f"{len(plan.disturbances)} disturbances",
        f"{result.events} events, {result.records} records, {result.sights} checkpoints seen",
        f"{result.repeats} repeats removed",
    ]
    lines = [f"{'; '.join(words)}: {'DIFFERS' if result.differences else 'well'} ({result.seconds:.1f} s)"]
    lines += [f"    {difference}" for difference in result.differences]
    if result.folder is not None:
        lines.append(f"    kept: {result.folder}; again: python -m crash --runs 1 --seed {plan.seed}")
    return "\n".join(lines)


def table(hits: Counter[str]) -> str:
    """Show how often each crash point was hit."""
    rows = [f"{'':<12}" + "".join(f"{when:>8}" for when in WHENS)]
    rows += [f"{step:<12}" + "".join(f"{hits[f'{step} {when}']:>8}" for when in WHENS) for step in STEPS]
    return "\n".join(rows)


def main() -> int:
    """Play, tell, and return the exit status."""
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=int, default=3, help="runs that are played side by side")
    asked = parser.parse_args()
    began, results = time.monotonic(), []
    for result in play_all(range(asked.seed, asked.seed + asked.runs), beside=asked.beside):
        _say(tell(result))
        results.append(result)
    hits = Counter(hit for result in results for hit in result.hits)
    failed = sum(bool(result.differences) for result in results)
    _say(f"\ncrash points hit ({len(hits)} of {len(ALL)}):\n{table(hits)}\n")
    _say(
        f"{len(results)} runs, {failed} differ; {sum(one.kills for one in results)} kills, "
        f"{sum(len(one.frozen) for one in results)} frozen; {sum(one.events for one in results)} events, "
        f"{sum(one.repeats for one in results)} repeats removed; {time.monotonic() - began:.0f} s\n{NOTE}"
    )
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
