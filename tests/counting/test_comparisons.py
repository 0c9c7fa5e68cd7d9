"""What was reported beside what the tokenizer says; the count itself stays what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from wire import event, sse

from logcount.calibration import Compared
from logcount.counting import Counter
from logcount.envelopes import decode
from logcount.model.exchanges import Exchange

if TYPE_CHECKING:
    from logcount.calibration import Comparison
    from logcount.model.counts import Outcome
    from logcount.tokenizers import TransformersTokenizer

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SAID = {"model": "m", "choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
OPEN = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def _exchange(asked: Any = ASKED, said: Any = SAID, **fields: Any) -> Exchange:
    bodies = {"requestBody": asked, "responseBody": said}
    texts = {
        name: body if isinstance(body, str) else json.dumps(body) for name, body in bodies.items() if body is not None
    }
    (found,) = decode(event({"v": 1, "requestId": "a"} | fields | texts))
    assert isinstance(found, Exchange)
    return found


def _outcome(exchange: Exchange, tokenizer: TransformersTokenizer | None) -> Outcome:
    """Return the outcome with its comparison, which is all that sets it apart from an ordinary one."""
    counter = Counter(lambda _: tokenizer)
    plain, calibrated = counter.count(exchange), counter.count_and_compare(exchange)
    assert (plain.count, plain.reason, plain.model) == (calibrated.count, calibrated.reason, calibrated.model)
    assert (plain.dimensions, plain.flags, plain.comparison) == (calibrated.dimensions, calibrated.flags, None)
    return calibrated


def _comparison(exchange: Exchange, tokenizer: TransformersTokenizer | None) -> Comparison:
    comparison = _outcome(exchange, tokenizer).comparison
    assert comparison is not None
    return comparison


def _usage(prompt: int | None, completion: int | None, **more: Any) -> dict[str, Any]:
    told = {"prompt_tokens": prompt, "completion_tokens": completion}
    return SAID | {"usage": {name: number for name, number in told.items() if number is not None} | more}


def test_both_sides_are_compared_and_the_reported_numbers_are_what_counts(tiny: TransformersTokenizer) -> None:
    outcome = _outcome(_exchange(said=_usage(7, 40)), tiny)
    prompt, completion = tiny.count(OPEN), tiny.count("Hello.") + 1
    assert outcome.count is not None
    assert (outcome.count.prompt, outcome.count.completion, outcome.count.counted_by) == (7, 40, "usage")
    comparison = outcome.comparison
    assert comparison is not None
    assert (comparison.model, comparison.tokenizer) == ("m", f"{tiny.name} {tiny.fingerprint}")
    assert comparison.prompt == Compared(7, prompt)
    assert comparison.completion == Compared(40, completion)
    assert comparison.prompt.difference == prompt - 7


def test_usage_of_a_stream_is_compared_with_the_text_of_all_its_chunks(tiny: TransformersTokenizer) -> None:
    chunks = [{"model": "m", "choices": [{"index": 0, "delta": {"content": part}}]} for part in ("Hel", "lo.")]
    closing = {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    said = sse(*chunks, closing, {"model": "m", "choices": [], "usage": _usage(3, 4)["usage"]})
    assert _comparison(_exchange(said=said), tiny).completion == Compared(4, tiny.count("Hello.") + 1)


def test_without_a_tokenizer_nothing_is_compared_and_that_is_said() -> None:
    comparison = _comparison(_exchange(said=_usage(7, 40)), None)
    assert comparison.tokenizer is None
    assert comparison.prompt == Compared(7, None, "no tokenizer for this model")
    assert comparison.prompt.difference is None


def test_a_lower_bound_is_not_compared(tiny: TransformersTokenizer) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    parts = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}, image]}]}
    comparison = _comparison(_exchange(parts, _usage(700, 4)), tiny)
    assert "image" in (comparison.prompt.doubt or "")
    assert comparison.prompt.difference is None
    assert comparison.completion is not None
    assert comparison.completion.difference is not None


def test_a_body_that_is_not_in_the_log_is_not_compared(tiny: TransformersTokenizer) -> None:
    comparison = _comparison(_exchange(asked=None, said=_usage(7, 4)), tiny)
    assert comparison.prompt.doubt == "the request is not in the log"
    stated = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
    comparison = _comparison(_exchange(said=None, usage=stated), tiny)
    assert comparison.prompt == Compared(7, tiny.count(OPEN))
    assert comparison.completion == Compared(4, None, "the response is not in the log")


def test_a_side_that_was_not_reported_is_not_compared_and_the_other_is(tiny: TransformersTokenizer) -> None:
    closing = {"model": "m", "done": True, "done_reason": "stop", "message": {"content": "Hello."}, "eval_count": 9}
    comparison = _comparison(_exchange(ASKED | {"options": {}}, closing), tiny)
    assert comparison.prompt == Compared(None, tiny.count(OPEN), "not reported")
    assert comparison.completion == Compared(9, tiny.count("Hello.") + 1)


def test_what_generates_nothing_has_no_completion_to_compare(tiny: TransformersTokenizer) -> None:
    vectors = {"object": "list", "model": "m", "data": [{"object": "embedding", "embedding": [0.5], "index": 0}]}
    said = vectors | {"usage": {"prompt_tokens": 3, "total_tokens": 3}}
    comparison = _comparison(_exchange({"model": "m", "input": "Hi there"}, said), tiny)
    assert comparison.completion is None
    assert comparison.prompt == Compared(3, tiny.count("Hi there", special=True))
    assert [name for name, _ in comparison.sides] == ["prompt"]


@pytest.mark.parametrize(("cached", "noted"), [(None, False), (0, False), (5, True)])
def test_a_reported_cache_is_noted(tiny: TransformersTokenizer, cached: int | None, noted: bool) -> None:
    said = _usage(9, 4, prompt_tokens_details={"cached_tokens": cached})
    assert _comparison(_exchange(said=said), tiny).cached is noted


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        pytest.param(SAID, {}, id="no usage"),
        pytest.param({"error": {"message": "no"}}, {"status": 429}, id="an error answer"),
        pytest.param(None, {}, id="no response"),
    ],
)
def test_without_reported_usage_there_is_no_comparison(
    tiny: TransformersTokenizer, said: Any, fields: dict[str, Any]
) -> None:
    assert _outcome(_exchange(said=said, **fields), tiny).comparison is None


def test_of_a_stream_that_broke_off_only_the_prompt_is_compared(tiny: TransformersTokenizer) -> None:
    chunk = {"model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}
    said = sse(chunk, chunk | {"usage": _usage(7, 1)["usage"]}, done=False)
    comparison = _comparison(_exchange(said=said), tiny)
    assert comparison.prompt.difference == tiny.count(OPEN) - 7
    assert comparison.completion is not None
    assert comparison.completion.doubt == "not reported"
