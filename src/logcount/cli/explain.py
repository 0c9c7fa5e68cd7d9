"""`logcount explain`: shows how one event is read and counted, and why; no body is ever shown."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logcount.counting import Counter, ParsedBodies, Side, Sides
    from logcount.model.content import Usage
    from logcount.model.counts import Outcome
    from logcount.model.events import LogEvent
    from logcount.model.exchanges import Decoded, Exchange
    from logcount.settings import Settings

_PLACE = re.compile(r"(?P<source>.+):(?P<position>\d+)\Z")

Line = tuple[str, str]


@click.command()
@click.argument("event", metavar="EVENT")
@click.pass_obj
def explain(config: Path | None, event: str) -> None:
    """Show for one EVENT: its envelope, its API, what was reported, what the tokenizer says, the choice and why.

    EVENT is SOURCE:POSITION as `replay` names it (in Event Hubs Capture the position is the sequence number), a source
    alone for its first event, - for an event on standard input, or the event's own JSON.
    """
    from logcount.cli.wiring import make_recipe
    from logcount.model.exchanges import Exchange
    from logcount.pipeline import Pipeline
    from logcount.reports.documents import printable
    from logcount.settings import load_settings

    settings = load_settings(config)
    found = _find(event, settings)
    recipe = make_recipe(settings)
    counter = recipe.make_counter()
    pipeline = Pipeline(counter, mappings=recipe.mappings)
    decoded = pipeline.decode(found)
    (outcomes,) = pipeline.join([decoded])
    for number, (result, outcome) in enumerate(zip(decoded.results, outcomes, strict=True), 1):
        if len(outcomes) > 1:
            click.echo(f"exchange {number} of {len(outcomes)}")
        lines = [("event", f"{found.source}:{found.position}, {len(found.data):,} bytes")]
        lines += _lines(result, outcome, counter)
        if isinstance(result, Exchange):
            lines.append(("dimensions", _dimensions(outcome, recipe.dimensions)))
        for name, value in lines:
            click.echo(f"  {name:<14}{printable(value)}")


def _find(event: str, settings: Settings) -> LogEvent:
    """Return the event that the argument names.

    Raises:
        Misconfigured: there is none.
    """
    from logcount.errors import Misconfigured
    from logcount.model.events import LogEvent

    if event.lstrip().startswith(("{", "[")):
        return LogEvent(event.encode("utf-8", "surrogateescape"), "argument", 1)
    place = _PLACE.fullmatch(event)
    if place is None or Path(event).exists():
        source, position = event, None
    else:
        source, position = place["source"], int(place["position"])
    found = _seek(source, position, settings)
    if found is None:
        shown = source.partition("?")[0]  # the query may be a key
        raise Misconfigured(f"{shown} has no event" + (f" at position {position}" if position is not None else ""))
    return found


class _Found(Exception):
    """Stops the reading of a source, with the event that was found."""


def _seek(source: str, position: int | None, settings: Settings) -> LogEvent | None:
    from logcount.cli.wiring import make_archive
    from logcount.model.events import LogEvent

    async def look(batch: Sequence[LogEvent]) -> None:
        for event in batch:
            if position is None or event.position == position:
                raise _Found(event)

    try:
        asyncio.run(make_archive([source], settings).deliver(look))
    except _Found as found:
        event: LogEvent = found.args[0]
        return LogEvent(event.data, event.source, event.position, event.enqueued, event.problem)  # not as a duplicate
    return None


def _lines(result: Decoded, outcome: Outcome, counter: Counter) -> Iterator[Line]:
    from logcount.model.exchanges import Exchange

    if isinstance(result, Exchange):
        yield from _exchange_lines(result, outcome, counter)
    elif outcome.word != "rejected":
        yield "id", outcome.id or "unknown"
    yield from _choice_lines(outcome)


def _exchange_lines(exchange: Exchange, outcome: Outcome, counter: Counter) -> Iterator[Line]:
    from logcount.counting import parse_bodies
    from logcount.reports.documents import iso

    bodies = parse_bodies(exchange, to_all=True)
    yield "envelope", exchange.envelope
    yield "id", exchange.id or "unknown"
    yield "time", iso(exchange.time) or "unknown"
    yield "status", str(exchange.status) if exchange.status else "unknown"
    yield "api", _api(bodies)
    yield "model", outcome.model or "unknown"
    yield "reported", _usage(bodies.reported)
    yield from _tokenizer_lines(counter.sides(exchange, bodies), bodies.reported)


def _dimensions(outcome: Outcome, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={outcome.dimensions[name]}" for name in names if name in outcome.dimensions) or "none"


def _api(bodies: ParsedBodies) -> str:
    request = bodies.request.api if bodies.request else "none in the log"
    return f"response {bodies.response.api}, request {request}"


def _usage(usage: Usage | None) -> str:
    from logcount.model.counts import TOKEN_KINDS

    if usage is None:
        return "nothing"
    numbers = ", ".join(f"{part} {getattr(usage, part)}" for part in TOKEN_KINDS if getattr(usage, part) is not None)
    return numbers + (" (so far: the stream was not at its end)" if usage.interim else "")


def _tokenizer_lines(sides: Sides | None, reported: Usage | None) -> Iterator[Line]:
    if sides is None:
        yield "tokenizer", "none for this model"
        return
    yield "tokenizer", sides.tokenizer
    for name, side in (("prompt", sides.prompt), ("completion", sides.completion)):
        number = "unknown" if side.tokens is None else f"{side.tokens}"
        doubts = f" ({'; '.join(sorted(side.doubts))})" if side.doubts else ""
        yield f"  {name}", number + doubts + _beside(side, getattr(reported, name, None))


def _beside(side: Side, reported: int | None) -> str:
    """Return the comparison of a wholly counted side with its reported count."""
    if reported is None or side.tokens is None or not side.whole:
        return ""
    difference = side.tokens - reported
    return f", {difference:+,} against the {reported:,} reported" if difference else ", as reported"


def _choice_lines(outcome: Outcome) -> Iterator[Line]:
    count = outcome.count
    if count is None:
        yield outcome.word, outcome.reason or ""
    else:
        shown = ("unknown" if part is None else str(part) for part in (count.prompt, count.completion, count.total))
        yield "counted", "prompt {}, completion {}, total {}".format(*shown)
        why = f": {outcome.reason}" if outcome.reason else ""
        yield "counted by", count.counted_by + why
    if outcome.flags:
        yield "flags", ", ".join(sorted(outcome.flags))
