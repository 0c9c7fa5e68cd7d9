"""What tests of sinks look at: which items the server has, why others are marked, what is said of trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fast_clock import FastClock
    from ingestion import IngestionServer

    from logcount.model.points import Mark
    from logcount.ports import Sink


def numbers(server: IngestionServer) -> list[int | None]:
    return [item.number for item in server.accepted]


def why(marks: Sequence[Mark]) -> dict[int, tuple[str, str]]:
    return {mark.item.number: (mark.why, mark.answer) for mark in marks}


def watch(clock: FastClock, sink: Sink, then: Callable[[int], None] = lambda number: None) -> list[str]:
    """Note what the sink says of its trouble in each pause."""
    said: list[str] = []

    def during(number: int) -> None:
        assert sink.trouble is not None
        said.append(sink.trouble)
        then(number)

    clock.during = during
    return said
