"""Compares offline counts with reported usage over recorded exchanges of open models: the tables of docs/accuracy.md.

    python benchmarks/accuracy.py [EXCHANGES.jsonl[.gz] …] [--family NAME] [--kind KIND] [--each]

Each line of a file is an exchange: `url`, `status`, `request` and `response` (or `requestBase64`, `responseBase64`),
and perhaps `id`, `time` and `source`. Without files: those in `recorded.jsonl` here, shortened to what counts, and
each with its source. Run `logcount --config benchmarks/accuracy.toml tokenizers fetch` before.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
from collections import Counter as Counts
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from logcount.cli.wiring import make_counter
from logcount.counting import Counter, parse_bodies
from logcount.model.content import Chat
from logcount.model.exchanges import Body, Exchange
from logcount.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logcount.counting import ParsedBodies

HERE = Path(__file__).parent
SETTINGS = HERE / "accuracy.toml"
RECORDED = HERE / "recorded.jsonl"

FAMILIES = (
    ("*llama3*", "Llama 3"),
    ("*llama-3*", "Llama 3"),
    ("*llama2*", "Llama 2"),
    ("*llama-2*", "Llama 2"),
    ("*qwen3*", "Qwen 3"),
    ("*gpt-oss*", "gpt-oss"),
    ("*gemma*3*", "Gemma 3"),
    ("*deepseek*", "DeepSeek"),
)
"""Shell patterns of models → the family that they are of; the first match counts."""

KINDS = ("plain", "tools", "reasoning", "images")


@dataclass(frozen=True, slots=True)
class Compared:
    """One exchange: what was counted of each side beside what its server reported."""

    id: str
    family: str
    kind: str
    server: str
    prompt: tuple[int | None, int | None]
    completion: tuple[int | None, int | None]
    whole: tuple[bool, bool]
    """Whether logcount says of each side that it is counted to the last token."""
    doubts: tuple[str, ...]


def exchange_of(recorded: dict[str, Any]) -> Exchange:
    """Return a recorded exchange."""
    bodies = {}
    for side in ("request", "response"):
        packed = recorded.get(f"{side}Base64")
        data = base64.b64decode(packed) if packed else recorded.get(side)
        bodies[side] = Body(data) if data else None
    time = recorded.get("time")
    return Exchange(
        envelope="recorded",
        id=recorded.get("id"),
        time=datetime.fromisoformat(time) if time else None,
        url=recorded["url"],
        status=recorded["status"],
        request=bodies["request"],
        response=bodies["response"],
    )


def compare(counter: Counter, exchange: Exchange) -> Compared | None:
    """Count an exchange whose server reported what it came to; None where nothing can be compared."""
    spoken = parse_bodies(exchange, to_all=True)
    sides = counter.sides(exchange, spoken)
    if sides is None or spoken.reported is None:
        return None
    model = (spoken.model or "").lower()
    return Compared(
        id=exchange.id or "",
        family=next((family for pattern, family in FAMILIES if fnmatch(model, pattern)), model),
        kind=_kind(spoken),
        server=urlparse(exchange.url or "").netloc,
        prompt=(sides.prompt.tokens, spoken.reported.prompt),
        completion=(sides.completion.tokens, spoken.reported.completion),
        whole=(sides.prompt.whole, sides.completion.whole),
        doubts=tuple(sorted(sides.prompt.doubts | sides.completion.doubts)),
    )


def _kind(spoken: ParsedBodies) -> str:
    prompt = spoken.request.prompt if spoken.request else None
    replies = spoken.response.replies
    if prompt is not None and "image" in prompt.missing:
        return "images"
    messages = prompt.messages if isinstance(prompt, Chat) else ()
    if any(reply.tool_calls for reply in replies) or (isinstance(prompt, Chat) and prompt.tools):
        return "tools"
    if any(message.get("role") == "tool" for message in messages):
        return "tools"
    if any(reply.reasoning or "</think>" in reply.text for reply in replies):
        return "reasoning"
    return "plain"


def read(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """Yield the recorded exchanges of files."""
    for path in paths:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        yield from (json.loads(line) for line in text.splitlines())


def differences(pairs: list[tuple[int | None, int | None]]) -> str:
    """Return how many pairs are equal of those that were reported, and by how much the others differ."""
    told = [(counted, reported) for counted, reported in pairs if reported is not None]
    if not told:
        return "not reported"
    apart = Counts(counted - reported for counted, reported in told if counted is not None and counted != reported)
    unknown = sum(counted is None for counted, _ in told)
    notes = [f"{times} x {value:+d}" if times > 1 else f"{value:+d}" for value, times in sorted(apart.items())]
    notes += [f"{unknown} unknown"] if unknown else []
    equal = len(told) - apart.total() - unknown
    return f"{equal} of {len(told)}" + (f" ({', '.join(notes)})" if notes else "")


def print_table(found: list[Compared], command: str) -> None:
    """Print a row for each family, kind and server."""
    rows: dict[tuple[str, str, str], list[Compared]] = defaultdict(list)
    for each in found:
        rows[each.family, each.kind, each.server].append(each)
    print("| family | with | server | prompt exact | completion exact | said to be exact, and is not | command |")
    print("|---|---|---|---|---|---|---|")
    for (family, kind, server), of_row in sorted(rows.items()):
        prompts, completions = [each.prompt for each in of_row], [each.completion for each in of_row]
        wrong = sum(_is_wrong(each) for each in of_row)
        again = f"`{command} --family '{family}' --kind {kind}`"
        cells = (family, kind, server, differences(prompts), differences(completions), str(wrong), again)
        print(f"| {' | '.join(cells)} |")


def _is_wrong(each: Compared) -> bool:
    pairs = zip(each.whole, (each.prompt, each.completion), strict=True)
    return any(whole and reported is not None and counted != reported for whole, (counted, reported) in pairs)


def main() -> None:
    """Compare what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exchanges", type=Path, nargs="*", default=[])
    parser.add_argument("--family", choices=sorted({family for _, family in FAMILIES}))
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--each", action="store_true", help="a line an exchange")
    asked = parser.parse_args()
    counter = make_counter(load_settings(SETTINGS))
    compared = (compare(counter, exchange_of(recorded)) for recorded in read(asked.exchanges or [RECORDED]))
    found = [
        each for each in compared if each and asked.family in (None, each.family) and asked.kind in (None, each.kind)
    ]
    if asked.each:
        for each in found:
            print(each.id, each.family, each.kind, each.server, each.prompt, each.completion, "; ".join(each.doubts))
    print_table(found, " ".join(["python benchmarks/accuracy.py", *(path.name for path in asked.exchanges)]))


if __name__ == "__main__":
    main()
