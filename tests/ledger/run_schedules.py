"""Runs any number of schedules of the simulated world, and shows the first that fails: what happened, step by step.

python tests/ledger/run_schedules.py --schedules 20000 --seed 0
python tests/ledger/run_schedules.py --schedules 1 --seed 4711 --trace
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from simulation.schedule import run


def main() -> int:
    """Run schedules, and return 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule; the others follow")
    parser.add_argument("--focus", help="an action or a probability that the schedules are to be rich in")
    parser.add_argument("--trace", action="store_true", help="show every schedule step by step")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure, and only tell of each")
    asked = parser.parse_args()
    happened: Counter[str] = Counter()
    began, failed, longest = time.monotonic(), 0, 0.0
    for seed in range(asked.seed, asked.seed + asked.schedules):
        ran = run(seed, asked.focus, traced=asked.trace)
        happened += ran.happened
        longest = max(longest, ran.rested)
        if ran.failures and not asked.keep_going:
            _say("\n".join(run(seed, asked.focus, traced=True).trace))
        elif asked.trace:
            _say("\n".join(ran.trace))
        if ran.failures:
            failed += 1
            _say(f"seed {seed} fails: {ran.failures[0][:300]}")
            if not asked.keep_going:
                _say(str(ran.chances))
                break
    width = max(map(len, happened), default=0)
    _say("\n".join(f"{what:<{width}} {number:9d}" for what, number in sorted(happened.items())))
    took = time.monotonic() - began
    _say(f"{failed} failed of {seed + 1 - asked.seed} schedules in {took:.1f} s")
    _say(f"the longest way to rest took {longest:.0f} s of virtual time")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
