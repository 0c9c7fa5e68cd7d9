"""`python -m exact --size small|full`: compares counts for the tokenizers of the accuracy table, and tells in a table.

Ends with status 1 if a single text is counted otherwise than by plain `tokenizers`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from exact.models import MODELS, MORE, SETTINGS, compare
from logcount.cli.wiring import make_shelf
from logcount.settings import load_settings

if TYPE_CHECKING:
    from exact.comparison import Result


def table(results: dict[str, Result]) -> str:
    """Show what came of each tokenizer, and beneath it of each kind of text in which there is a difference."""
    row = "{:<14} {:<10} {:>11} {:>15} {:>12} {:>9}"
    lines = [row.format("tokenizer", "engine", "texts", "characters", "differences", "seconds")]
    for name, result in results.items():
        kinds = result.kinds.values()
        totals = [sum(kind.texts for kind in kinds), sum(kind.characters for kind in kinds), differences(result)]
        seconds = f"{result.seconds:.0f}"
        lines.append(row.format(name, result.engine, *(f"{total:,}" for total in totals), seconds))
        for kind, its in result.kinds.items():
            lines += [f"    {kind}: {its.differences:,} of {its.texts:,} texts"] if its.differences else []
            lines += [f"        {example}" for example in its.examples]
    return "\n".join(lines)


def differences(result: Result) -> int:
    """Return the number of texts that were counted otherwise."""
    return sum(kind.differences for kind in result.kinds.values())


def main() -> int:
    """Compare, tell, and return the exit status."""
    parser = argparse.ArgumentParser(prog="exact", description=__doc__)
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--only", choices=(*MODELS, *MORE), action="append", help="this tokenizer, and not all")
    asked = parser.parse_args()
    make_shelf(load_settings(SETTINGS)).check()
    models = MODELS | MORE if asked.size == "full" or asked.only else MODELS
    names = asked.only or list(models)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        compared = pool.map(partial(compare, size=asked.size), [models[name] for name in names])
        results = dict(zip(names, compared, strict=True))
    sys.stdout.write(table(results) + "\n")
    return 1 if any(differences(result) for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
