"""Plays runs side by side, each on a hub and an ingestion server of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TYPE_CHECKING

from azurite import run_azurite
from eventhub_peer import Peer
from ingestion import running_ingestion

from crash.play import Result, Site, play

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def play_all(seeds: Sequence[int], *, beside: int = 3) -> Iterator[Result]:
    """Play the runs of some seeds, so many side by side, and return what came of each in their order."""
    with ExitStack() as running:
        azurite = running.enter_context(run_azurite())
        free: SimpleQueue[Site] = SimpleQueue()
        for _ in range(min(beside, len(seeds))):
            peer, control = running.enter_context(Peer.start()), running.enter_context(running_ingestion())
            free.put(Site(azurite, peer, control))

        def play_one(seed: int) -> Result:
            site = free.get()
            try:
                return play(seed, site)
            finally:
                free.put(site)

        yield from running.enter_context(ThreadPoolExecutor(beside)).map(play_one, seeds)
