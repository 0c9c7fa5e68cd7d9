"""`python -m exact --size small|full`: compares counts for the tokenizers of the accuracy table, and tells in a table.

Then it renders odd conversations under every template that can be had, and made-up ones, and compares text, refusal and
count with `apply_chat_template`. Ends with status 1 if a single text is counted or written otherwise.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from made_up import MADE_UP

from exact.models import MODELS, MORE, SETTINGS, compare, compare_templates
from exact.rendering import Rendered
from exact.templates import published
from logcount.cli.wiring import make_registry
from logcount.settings import load_settings

if TYPE_CHECKING:
    from exact.comparison import Result

CONVERSATIONS = {"small": 40, "full": 1_000}
"""Conversations under each template and with each of two tokenizers."""


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


def rendering_table(results: dict[str, Rendered]) -> str:
    """Show what came of each kind of templates, and beneath it of each template under which there is a difference."""
    row = "{:<14} {:>10} {:>14} {:>9} {:>9} {:>12}"
    lines = [row.format("templates from", "templates", "conversations", "written", "prompts", "differences")]
    for kind in dict.fromkeys(name.partition(":")[0] for name in results):
        its = {name: result for name, result in results.items() if name.startswith(f"{kind}:")}
        total = Rendered()
        for result in its.values():
            total.add(result)
        numbers = len(its), total.conversations, total.written, total.prompts, total.differences
        lines.append(row.format(kind, *(f"{number:,}" for number in numbers)))
        for name, result in its.items():
            lines += [f"    {name}: {result.differences:,} differences"] if result.differences else []
            lines += [f"        {example}" for example in result.examples]
    return "\n".join(lines)


def render(number: int) -> dict[str, Rendered]:
    """Compare renderings under all templates; tell of the packages that could not be had."""
    templates, missing = published()
    if missing:
        sys.stderr.write(f"left out, as they could not be fetched: {', '.join(missing)}\n")
    templates |= {f"made up: {name}": source for name, source in MADE_UP.items()}
    shares = [dict(list(templates.items())[at::4]) for at in range(4)]
    own = [(model, None) for model in (MODELS | MORE).values()]
    # Of these, one has a token for the beginning and one has none; what it is called is a part of what is written.
    jobs = [*((model, share) for model in ("qwen3", "llama-3.1") for share in shares), *own]
    results: dict[str, Rendered] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        given = [model for model, _ in jobs], [share for _, share in jobs]
        for found in pool.map(partial(compare_templates, number=number), *given):
            for name, result in found.items():
                results.setdefault(name, Rendered()).add(result)
    return results


def main() -> int:
    """Compare, tell, and return the exit status."""
    parser = argparse.ArgumentParser(prog="exact", description=__doc__)
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--rendering", action="store_true", help="compare renderings alone")
    parser.add_argument("--only", choices=(*MODELS, *MORE), action="append", help="this tokenizer, and not all")
    asked = parser.parse_args()
    make_registry(load_settings(SETTINGS)).check()
    models = MODELS | MORE if asked.size == "full" or asked.only else MODELS
    names = [] if asked.rendering else asked.only or list(models)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        compared = pool.map(partial(compare, size=asked.size), [models[name] for name in names])
        results = dict(zip(names, compared, strict=True))
    sys.stdout.write(table(results) + "\n\n" if names else "")
    rendered = {} if asked.only else render(CONVERSATIONS[asked.size])
    sys.stdout.write(rendering_table(rendered) + "\n" if rendered else "")
    differing = sum(map(differences, results.values())) + sum(result.differences for result in rendered.values())
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
