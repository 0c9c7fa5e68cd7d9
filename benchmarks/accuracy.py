"""Compares offline counts with reported usage over recorded exchanges of open models.

    python benchmarks/accuracy.py EXCHANGES.jsonl.gz [--each]

Each line of the file is an exchange: `url`, `status`, `contentType`, `request` and `response` (or `requestBase64`,
`responseBase64`). Run `logcount --config benchmarks/accuracy.toml tokenizers fetch` before.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from logcount.cli.wiring import make_counter
from logcount.counting import Counter, listen
from logcount.exchanges import Body, Exchange
from logcount.settings import load_settings

SETTINGS = Path(__file__).parent / "accuracy.toml"
Row = tuple[str, str, str]


def exchange_of(recorded: dict[str, Any]) -> Exchange:
    """Return a recorded exchange."""
    bodies = {}
    for side in ("request", "response"):
        packed = recorded.get(f"{side}Base64")
        data = base64.b64decode(packed) if packed else recorded.get(side)
        bodies[side] = Body(data) if data else None
    return Exchange(
        envelope="recorded",
        id=recorded.get("id"),
        url=recorded["url"],
        status=recorded["status"],
        request=bodies["request"],
        response=bodies["response"],
    )


def differences(counter: Counter, exchange: Exchange) -> tuple[str, str, str, list[str]] | None:
    """Return the model, both differences in tokens, and the doubts; None where nothing can be compared."""
    spoken = listen(exchange, to_all=True)
    sides = counter.sides(exchange, spoken)
    if sides is None or spoken.reported is None:
        return None
    found = []
    for reported, side in ((spoken.reported.prompt, sides.prompt), (spoken.reported.completion, sides.completion)):
        if reported is None:
            found.append("not reported")
        elif side.tokens is None:
            found.append("not countable")
        else:
            found.append("exact" if side.tokens == reported else f"{side.tokens - reported:+d}")
    doubts = sorted(sides.prompt.doubts | sides.completion.doubts)
    return spoken.model or "", found[0], found[1], doubts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exchanges", type=Path)
    parser.add_argument("--each", action="store_true", help="a line an exchange")
    asked = parser.parse_args()
    counter = make_counter(load_settings(SETTINGS))
    rows: dict[Row, list[tuple[str, str, list[str]]]] = defaultdict(list)
    with gzip.open(asked.exchanges, "rt", encoding="utf-8") as lines:
        for line in lines:
            recorded = json.loads(line)
            compared = differences(counter, exchange_of(recorded))
            if compared is None:
                continue
            model, prompt, completion, doubts = compared
            host = urlparse(recorded["url"]).netloc
            rows[model, host, recorded.get("api", "")].append((prompt, completion, doubts))
            if asked.each:
                print(recorded["id"], model, host, prompt, completion, "; ".join(doubts))
    print("| model | server | API | exchanges | prompt | completion |\n|---|---|---|---|---|---|")
    for (model, host, api), found in sorted(rows.items()):
        prompts, completions = ({entry[0] for entry in found}, {entry[1] for entry in found})
        shown = f"{', '.join(sorted(prompts))} | {', '.join(sorted(completions))}"
        print(f"| {model} | {host} | {api} | {len(found)} | {shown} |")


if __name__ == "__main__":
    main()
