"""Calibration in the processes that count: by a share of the settings, and never at the cost of a count."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from perilous_tally import ORDERS, make, make_calm
from tiny_tokenizer import build
from wire import event

from logcount.cli.services import make_tally, make_workers
from logcount.errors import Misconfigured
from logcount.model.events import LogEvent
from logcount.model.points import Calibrated
from logcount.run.counting import CountingWorkers
from logcount.settings import load_settings
from logcount.tokenizers import load_tokenizer
from logcount.workers.progress import nothing

if TYPE_CHECKING:
    from logcount.settings import Settings

HERE = str(Path(__file__).parent)
ASKED = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}
SAID = {"model": "tiny", "choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
USAGE = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}
PROMPT = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def _event(number: int, usage: dict[str, int] | None = USAGE) -> LogEvent:
    said = SAID | {"usage": usage} if usage else SAID
    bodies = {"requestBody": json.dumps(ASKED), "responseBody": json.dumps(said)}
    return event({"v": 1, "requestId": "a", "time": "2026-11-22T10:00:00Z"} | bodies, number)


def _settings(folder: Path, share: float | None, tokenizers: str = '[tokenizers]\n"tiny" = "./tiny"\n') -> Settings:
    run = "" if share is None else f"[run]\ncalibrate = {share}\n"
    (folder / "logcount.toml").write_text(tokenizers + run)
    return load_settings(folder / "logcount.toml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    build(folder / "tiny")
    return folder


async def test_what_the_workers_compare_comes_back_with_the_tallies(folder: Path) -> None:
    tiny = load_tokenizer(folder / "tiny", name="./tiny")
    named: Any = (("Model", "tiny"), ("Tokenizer", f"./tiny {tiny.fingerprint}"))
    async with make_workers(_settings(folder, 1.0)) as workers:
        ((told,), (silent,)) = await workers.count("0", [_event(1), _event(2, None)])
    assert told.tokens == (40, 2, 42, None, None)
    assert told.calibrated == (
        Calibrated((*named, ("Side", "prompt")), 40, tiny.count(PROMPT)),
        Calibrated((*named, ("Side", "completion")), 2, tiny.count("Hello.") + 1),
    )
    assert silent.calibrated == ()


def test_without_a_share_or_a_tokenizer_nothing_is_compared(folder: Path) -> None:
    for settings in (_settings(folder, 0), _settings(folder, 1.0, tokenizers="")):
        assert [tally.calibrated for (tally,) in make_tally(settings, nothing())([_event(1)])] == [()]


def test_by_default_one_in_a_hundred_is_compared(folder: Path) -> None:
    tallied = make_tally(_settings(folder, None), nothing())([_event(number) for number in range(3000)])
    assert 10 <= sum(bool(tally.calibrated) for (tally,) in tallied) <= 60


def test_a_share_beyond_all_is_refused(folder: Path) -> None:
    with pytest.raises(Misconfigured, match=r"run\.calibrate"):
        _settings(folder, 1.5)


def test_in_the_place_of_a_process_that_ended_nothing_is_compared(folder: Path) -> None:
    (tally,) = make_tally(_settings(folder, 1.0), nothing(), calibrates=False)([_event(1)])[0]
    assert tally.tokens == (40, 2, 42, None, None)
    assert tally.calibrated == ()


async def test_an_event_that_only_the_first_process_does_not_outlive_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", HERE, prepend=os.pathsep)  # let the workers import what they count with
    bodies = (b"good", *(order for order in ORDERS if order != b"hang"), b"good")
    events = [LogEvent(body, "hub", number) for number, body in enumerate(bodies)]
    async with CountingWorkers(make, make_again=make_calm) as workers:
        tallied = await workers.count("0", events)
        assert workers.restarts == 1
    assert [tally.word for (tally,) in tallied] == ["counted"] * len(events)
