"""Makes a live count from the settings: the worker processes, the metric sets, and a service for each hub."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from logcount import __version__
from logcount.cli.memory import settle_memory
from logcount.cli.wiring import make_counter, make_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.cli.connections import Connections
    from logcount.model.points import MetricSet
    from logcount.run.context import Decisions
    from logcount.run.counting import CountBatch, CountingWorkers
    from logcount.run.service import Service
    from logcount.settings import Settings
    from logcount.workers.progress import Progress


def make_tally(settings: Settings, progress: Progress, *, calibrates: bool = True) -> CountBatch:
    """Return what counts a batch of events and says which it is at; made in each process that counts."""
    from logcount.metrics.tallies import Tallier
    from logcount.pipeline import Pipeline

    share = settings.run.calibrate if calibrates and settings.tokenizers else 0.0
    dimensions = dict.fromkeys(name for one in make_metric_sets(settings) for name in one.dimensions)
    recipe, tallier = make_recipe(settings), Tallier(tuple(dimensions))
    counter = recipe.make_counter(progress.loading)
    pipeline = Pipeline(counter, mappings=recipe.mappings, calibrate=share, begin=progress.begin)
    settle_memory()
    return lambda batch: tallier.tally(pipeline.outcomes(batch))


def make_workers(settings: Settings) -> CountingWorkers:
    """Return the worker processes, not started yet.

    A replacement of a process that ended does not calibrate, so that a comparison costs no event its count.

    Raises:
        Misconfigured: a tokenizer is not fetched.

    """
    from logcount.run.counting import CountingWorkers

    make_counter(settings)  # reports wrong settings before anything starts
    plain = partial(make_tally, settings, calibrates=False)
    return CountingWorkers(partial(make_tally, settings), number=settings.run.workers, make_again=plain)


def make_metric_sets(settings: Settings) -> list[MetricSet]:
    """Return the metric sets to make points for."""
    from logcount.model.points import CACHED, COMPLETION, PROMPT, REASONING, TOTAL, MetricSet

    metrics = settings.metrics
    names = (TOTAL, PROMPT, COMPLETION, *((CACHED,) if metrics.cached else ()))
    names += (REASONING,) if metrics.reasoning else ()
    first = MetricSet(metrics.namespace, metrics.dimensions, names)
    return [first, *(MetricSet(one.namespace, one.dimensions, names) for one in metrics.sets)]


async def make_services(
    parts: Connections, workers: CountingWorkers, *, sinks: Sequence[str], decisions: Decisions, take_over: bool
) -> list[Service]:
    """Return a service for each hub, after checking its ledger's header.

    Raises:
        Misconfigured: a setting is wrong, or the ledger belongs to another deployment.
        Unavailable: the ledger's store does not answer.

    """
    from logcount.ledger.builder import RecordBuilder
    from logcount.ledger.header import Header, agree
    from logcount.metrics.fold import PointMaker
    from logcount.metrics.series import SeriesBudget
    from logcount.run.context import Context, Room, SettleInterval
    from logcount.run.service import Service
    from logcount.run.troubles import Troubles

    settings = parts.settings
    run = settings.run
    maker = PointMaker(make_metric_sets(settings), SeriesBudget(settings.metrics.max_series))
    builder = RecordBuilder(maker, writer=secrets.token_hex(4), program=__version__, clock=lambda: datetime.now(UTC))
    targets, room, services = parts.sinks(sinks), Room(run.room_mb * 1024 * 1024), []
    hubs, store = parts.hubs, await parts.store()
    await parts.checkpoint_container()
    for hub in hubs:
        troubles = Troubles()
        context = Context(
            hub=parts.hub(hub, troubles),
            store=store,
            sinks=targets,
            counting=workers,
            room=room,
            draft=builder.draft,
            troubles=troubles,
            interval=SettleInterval(run.settle_seconds, run.settle_events),
            decisions=decisions,
        )
        header = Header(context.hub.name, hub.consumer_group.lower(), run.deployment)
        await context.driver.perform(agree(header, take_over=take_over))
        services.append(Service(context, namespace=settings.metrics.namespace))
    return services
