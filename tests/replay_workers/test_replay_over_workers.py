"""Whatever the archive, several workers make of it what one process makes, to the order of every line."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from commands import native, write_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_archives import capture_file, captured
from side_by_side import Way
from tiny_tokenizer import build

from logcount.pipeline import TimeSpan
from logcount.settings import Settings, TokenizerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from logcount.replay.ordering import PartWorkers

SAMPLES = Path(__file__).parents[2] / "samples" / "archive"
AT = datetime(2026, 11, 22, 10, 20, tzinfo=UTC)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Way:
    folder = build(tmp_path_factory.mktemp("tiny"))
    return Way(settings=Settings(tokenizers={"tin*": TokenizerSettings(origin=str(folder))}, base=folder.parent))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers(way: Way) -> AsyncIterator[PartWorkers]:
    async with way.workers() as started:
        yield started


def mixed(count: int, **more: Any) -> list[Any]:
    """Return events of every outcome, in no simple order."""
    kinds: list[Callable[[int], Any]] = [
        lambda n: native(n % 60, usage=(n, 1), subscriptionId=f"s{n % 3}", **more),
        lambda n: native(n % 60, usage=None, **more),
        lambda n: native(n % 60, usage=None, status=429 + n % 2, **more),
        lambda _: b"no log line \xff",
        lambda n: [native(n % 60, apiId="several", **more), {"EventTime": "", "ServiceName": "s"}, 7],
        lambda _: b"",
        lambda n: native(n % 60, time=None, model="other", usage=None, **more),
    ]
    return [kinds[n * n % 11 % len(kinds)](n) for n in range(count)]


def gateway(n: int, body: str = "") -> dict[str, Any]:
    properties = {"apiId": "a", "responseBody": body or json.dumps({"model": "m", "choices": []})}
    return {"category": "GatewayLogs", "time": f"2026-11-22T10:{n % 60:02}:00Z", "correlationId": f"c{n}",
            "properties": properties}  # fmt: skip


def llm(n: int, tokens: int = 9) -> dict[str, Any]:
    properties = {"modelName": "m", "promptTokens": tokens, "completionTokens": tokens and 3}
    return {"category": "GatewayLlmLogs", "time": f"2026-11-22T10:{n % 60:02}:00Z", "correlationId": f"c{n}",
            "properties": properties}  # fmt: skip


ANSWER = json.dumps({"model": "m", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}})


def plain(folder: Path) -> None:
    write_lines(folder / "a.jsonl", mixed(150))
    write_lines(folder / "b.jsonl", mixed(7, model="tiny-b"))
    write_lines(folder / "c.jsonl", mixed(60))


def packed(folder: Path) -> None:
    for name in "abc":
        lines = b"".join(json.dumps(native(n % 60, apiId=name)).encode() + b"\n" for n in range(40))
        (folder / f"{name}.gz").write_bytes(gzip.compress(lines))
    torn = (folder / "b.gz").read_bytes()
    (folder / "b.gz").write_bytes(torn[: len(torn) // 2])


def documents(folder: Path) -> None:
    events = [event for event in mixed(40) if not isinstance(event, bytes)]
    (folder / "a.json").write_text(json.dumps(events, indent=1))
    (folder / "b.json").write_text(json.dumps({"records": events}))
    (folder / "c.json").write_text(json.dumps(events)[:-3000])
    (folder / "d.txt").write_text("\n".join(json.dumps(event) for event in events), encoding="utf-16")


def capture(folder: Path) -> None:
    """Hours of two partitions, one file twice under another root, one that overlaps, and a hub made anew."""
    hours = {("a", 0, "10"): range(40), ("a", 0, "11"): range(40, 80), ("a", 1, "10"): range(30),
             ("a", 0, "12"): range(70, 90), ("copy", 0, "11"): range(40, 80), ("new", 0, "13"): range(20)}  # fmt: skip
    for (root, partition, hour), numbers in hours.items():
        file = folder / root / f"ns/hub/{partition}/2026/11/22/{hour}/00/00.avro"
        file.parent.mkdir(parents=True)
        records = [
            captured(n, json.dumps(native(n % 60, time=None)).encode(), f"11/22/2026 {hour}:{n % 60:02}:00 AM")
            for n in numbers
        ]
        torn = b"torn" if partition else b""
        file.write_bytes(capture_file(records, "deflate", block_bytes=4000)[: -len(torn) or None] + torn)


def again(folder: Path) -> None:
    write_lines(folder / "a.jsonl", mixed(80))
    (folder / "b.jsonl").symlink_to(folder / "a.jsonl")
    (folder / "c.jsonl").hardlink_to(folder / "a.jsonl")


def siblings_apart(folder: Path) -> None:
    """Gateway logs in one file and LLM logs in another, some of them too late, some twice."""
    write_lines(folder / "a.json", [gateway(n, ANSWER if n % 3 else "") for n in range(0, 60)])
    write_lines(folder / "b.json", [llm(n, tokens=9 if n % 4 else 0) for n in range(20, 90)])
    write_lines(folder / "c.json", [gateway(n, ANSWER) for n in range(40, 99)] + [llm(n) for n in range(40, 120, 2)])
    write_lines(folder / "d.json", mixed(40))


def siblings_mixed(folder: Path) -> None:
    """Records of both kinds among exchanges of others and what is rejected, in one file and in `records`."""
    events: list[Any] = mixed(60)
    events += [{"records": [gateway(n, ANSWER), llm(n)]} for n in range(10)]
    events += [row for n in range(100, 160) for row in (gateway(n, ANSWER), native(n % 60), llm(n - 30), b"broken")]
    write_lines(folder / "a.jsonl", events)
    (folder / "b.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes()))


def unreadable(folder: Path) -> None:
    write_lines(folder / "a.jsonl", mixed(60))
    (folder / "b.jsonl").symlink_to("/proc/self/mem")  # opens, and refuses to be read, for root too
    (folder / "c.jsonl").symlink_to("nowhere")
    write_lines(folder / "d.jsonl", mixed(60))


def unreadable_too_often(folder: Path) -> None:
    write_lines(folder / "a.jsonl", mixed(60))
    for name in "bcdfgh":
        (folder / f"{name}.jsonl").symlink_to("/proc/self/mem")
    write_lines(folder / "e.jsonl", mixed(60))
    write_lines(folder / "i.jsonl", mixed(60))


def many_small(folder: Path) -> None:
    for number in range(40):
        write_lines(folder / f"{number:02}.jsonl", [gateway(number, ANSWER), llm((number * 7) % 40), *mixed(3)])


WHOLLY = (plain, packed, documents, again, siblings_apart, siblings_mixed, unreadable, many_small)
"""What workers count alone; of the others a part is left to the process that puts things in order."""


@pytest.mark.parametrize("write", [*WHOLLY, capture, unreadable_too_often], ids=lambda write: write.__name__)
@pytest.mark.parametrize("part_bytes", [700, 20_000])
async def test_several_workers_make_of_an_archive_what_one_process_makes(
    tmp_path: Path, way: Way, workers: PartWorkers, write: Callable[[Path], None], part_bytes: int
) -> None:
    write(tmp_path)
    cut = Way(part_bytes, way.span, way.settings)
    paths = sorted(tmp_path.iterdir())  # a link that leads nowhere is left out where its folder is named

    alone, together = await cut.came(paths, None), await cut.came(paths, workers)

    assert together == alone
    assert alone.document["events"]["counted"] > 30
    assert sum(together.read_bytes) == sum(alone.read_bytes)
    assert together.in_order == 0 or write not in WHOLLY
    assert together.in_order > 0 or write is not capture
    assert together.in_order < alone.in_order or part_bytes > 10_000


@pytest.mark.parametrize("span", [TimeSpan(since=AT), TimeSpan(until=AT), TimeSpan(AT, AT.replace(minute=40))])
async def test_a_span_is_the_same_over_several_workers(tmp_path: Path, span: TimeSpan) -> None:
    spanned = Way(span=span)
    async with spanned.workers() as workers:
        for write in (plain, capture, siblings_mixed):
            (tmp_path / write.__name__).mkdir()
            write(tmp_path / write.__name__)
            alone, together = [await spanned.came([tmp_path / write.__name__], way) for way in (None, workers)]
            assert together == alone
            assert alone.document["outside_span"] > 0


@pytest.mark.parametrize("write", [packed, siblings_mixed], ids=lambda write: write.__name__)
async def test_a_part_of_which_too_much_would_wait_is_counted_in_order(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path)
    bounded = Way(part_bytes=10**6, most_waiting=20)
    async with bounded.workers(1) as workers:
        together = await bounded.came([tmp_path], workers)
    assert together == await bounded.came([tmp_path], None)
    assert together.in_order > 20


async def test_the_samples_are_the_same_over_several_workers(way: Way, workers: PartWorkers) -> None:
    alone, together = await way.came([SAMPLES], None), await way.came([SAMPLES, SAMPLES], workers)
    assert alone.lines == together.lines
    assert together.document["tokens"] == alone.document["tokens"]
    assert together == await way.came([SAMPLES, SAMPLES], None)


def _row(kind: int, n: int) -> Any:
    makers: list[Callable[[int], Any]] = [
        lambda n: gateway(n, ANSWER),
        gateway,
        llm,
        lambda n: llm(n, 0),
        native,
        lambda _: b"?",
    ]
    return makers[kind](n)


rows = st.lists(st.builds(_row, st.integers(0, 5), st.integers(0, 6)), max_size=15)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(rows, min_size=1, max_size=3), part_bytes=st.integers(100, 3000))
async def test_any_order_of_records_is_decided_as_in_one_process(
    tmp_path: Path, way: Way, workers: PartWorkers, files: list[list[Any]], part_bytes: int
) -> None:
    cut = Way(part_bytes, way.span, way.settings)
    paths = [write_lines(tmp_path / f"{number}.jsonl", events) for number, events in enumerate(files)]
    assert await cut.came(paths, workers) == await cut.came(paths, None)
