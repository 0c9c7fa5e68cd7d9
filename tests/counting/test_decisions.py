"""On whose word an exchange is counted: the model's, the tokenizer's, or neither."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from made_up.templates import PARTS
from tiny_tokenizer import CHATML
from wire import event, sse

from logcount import count_exchange
from logcount.counting import Counter
from logcount.envelopes import decode
from logcount.model.exchanges import Body, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.model.counts import Outcome, TokenCount
    from logcount.tokenizers import TransformersTokenizer

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
OPEN = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
SAID = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}


def _numbers(outcome: Outcome) -> tuple[Any, ...]:
    count = outcome.count
    assert count is not None, outcome.reason
    return count.prompt, count.completion, count.total, count.counted_by


def _native(tokenizer: TransformersTokenizer | None = None, **fields: Any) -> Outcome:
    (found,) = decode(event({"v": 1, "requestId": "a"} | fields))
    assert isinstance(found, Exchange)
    return Counter(lambda _: tokenizer).count(found)


def test_reported_usage_goes_before_the_tokenizer(tiny: TransformersTokenizer) -> None:
    outcome = count_exchange(ASKED, SAID | {"usage": USAGE}, tokenizer=tiny)
    assert _numbers(outcome) == (9, 12, 21, "usage")
    assert outcome.count is not None
    assert outcome.count.tokenizer is None


def test_a_tokenizer_is_not_looked_for_where_usage_is_whole() -> None:
    def refuse(model: str | None) -> TransformersTokenizer | None:
        raise AssertionError(model)

    found = Exchange("call", response=None, usage=None)
    assert Counter(refuse).count(found).reason == "neither bodies nor usage in the log"
    (native,) = decode(event({"v": 1, "usage": USAGE, "requestBody": json.dumps(ASKED)}))
    assert isinstance(native, Exchange)
    assert Counter(refuse).count(native).count is not None


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_absent_usage_is_counted(tiny: TransformersTokenizer, usage: Any) -> None:
    prompt, completion = tiny.count(OPEN), tiny.count("Hello.") + 1
    outcome = count_exchange(ASKED, SAID | {"usage": usage}, tokenizer=tiny)
    assert _numbers(outcome) == (prompt, completion, prompt + completion, "tokenizer")


def test_a_model_without_a_tokenizer_is_not_guessed() -> None:
    outcome = count_exchange(ASKED, SAID)
    assert (outcome.count, outcome.reason, outcome.left_out) == (None, "no tokenizer for this model", None)


@pytest.mark.parametrize(
    ("url", "fields", "model"),
    [
        ("https://x/openai/deployments/chat/chat/completions?api-version=1", {}, "chat"),
        ("https://x/model/meta.llama3-8b-instruct-v1:0/invoke", {}, "meta.llama3-8b-instruct-v1:0"),
        ("https://x/model/meta.llama3-8b-instruct-v1%3A0/invoke", {}, "meta.llama3-8b-instruct-v1:0"),
        ("https://x/model/arn%3Aaws%3Abedrock%3A1%2Fllama/converse", {}, "arn:aws:bedrock:1/llama"),
        ("https://x/v1beta/models/gemma-3:generateContent?key=k", {}, "gemma-3"),
        ("https://x/v1/models/gemma-3:streamGenerateContent", {}, "gemma-3"),
        ("https://x/openai/deployments/chat", {"model": "envelope"}, "envelope"),
        ("https://x/openai/deployments/chat", {"requestBody": ASKED}, "m"),
        ("https://x/openai/deployments/chat", {"responseBody": SAID | {"model": "answered"}}, "answered"),
        ("https://x/v1/chat/completions", {}, None),
    ],
)
def test_the_tokenizer_is_found_by_the_most_telling_name(url: str, fields: dict[str, Any], model: str | None) -> None:
    assert _native(url=url, **({"responseBody": SAID} | fields)).model == model


def test_without_a_request_the_prompt_is_unknown(tiny: TransformersTokenizer) -> None:
    outcome = count_exchange(None, SAID, tokenizer=tiny)
    completion = tiny.count("Hello.") + 1
    assert _numbers(outcome) == (None, completion, completion, "partial")
    assert outcome.reason == "the request is not in the log"


def test_without_a_response_the_completion_is_unknown(tiny: TransformersTokenizer) -> None:
    outcome = count_exchange(ASKED, None, tokenizer=tiny)
    assert _numbers(outcome) == (tiny.count(OPEN), None, tiny.count(OPEN), "partial")
    assert outcome.reason == "the response is not in the log"


@pytest.mark.parametrize("said", ["<html/>", "{}", sse({"choices": []}), b"\xff\xd8"])
def test_a_response_without_a_reply_leaves_the_completion_unknown(tiny: TransformersTokenizer, said: Any) -> None:
    assert _numbers(count_exchange(ASKED, said, tokenizer=tiny)) == (
        tiny.count(OPEN),
        None,
        tiny.count(OPEN),
        "partial",
    )


@pytest.mark.parametrize("bodies", [("<html/>", "<html/>"), ("{}", "{}"), (None, "[1]"), ("{", b"\xff")])
def test_bodies_of_no_known_api_are_uncounted(tiny: TransformersTokenizer, bodies: tuple[Any, Any]) -> None:
    outcome = count_exchange(*bodies, tokenizer=tiny)
    assert (outcome.count, outcome.left_out) == (None, None)
    assert outcome.reason == "bodies of no known API"


@pytest.mark.parametrize("cut", ["request", "response"])
def test_a_cut_body_makes_a_lower_bound(tiny: TransformersTokenizer, cut: str) -> None:
    bodies = {"request": json.dumps(ASKED), "response": json.dumps(SAID)}
    bodies[cut] = bodies[cut][: bodies[cut].index("Hello") + 4 if cut == "response" else -4]
    outcome = count_exchange(bodies["request"], bodies["response"], tokenizer=tiny)
    assert _numbers(outcome)[3] == "partial"
    assert "cut" in outcome.flags


def test_a_side_that_was_reported_is_not_counted(tiny: TransformersTokenizer) -> None:
    body = {"model": "m", "message": {"content": "Hello."}, "done": True, "done_reason": "stop", "eval_count": 298}
    prompt = tiny.count(OPEN)
    assert _numbers(count_exchange(ASKED, body, tokenizer=tiny)) == (prompt, 298, prompt + 298, "tokenizer")


def test_a_side_that_was_reported_stands_without_a_tokenizer() -> None:
    body = {"model": "m", "message": {"content": "Hello."}, "done": True, "eval_count": 298}
    outcome = count_exchange(ASKED, body)
    assert _numbers(outcome) == (None, 298, 298, "partial")
    assert outcome.reason == "no tokenizer for this model"


def test_the_running_count_of_a_broken_stream_is_not_believed(tiny: TransformersTokenizer) -> None:
    running = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    chunks = [{"choices": [{"index": 0, "delta": {"content": "Hello."}}], "usage": running}] * 2
    outcome = count_exchange(ASKED, sse(*chunks, done=False), tokenizer=tiny)
    completion = tiny.count("Hello.Hello.")
    assert _numbers(outcome) == (9, completion, 9 + completion, "partial")


@pytest.mark.parametrize(
    ("stated", "body", "numbers", "flags"),
    [
        pytest.param(USAGE, SAID, (9, 12, 21, "usage"), set(), id="stated alone"),
        pytest.param(USAGE, SAID | {"usage": USAGE}, (9, 12, 21, "usage"), set(), id="both"),
        pytest.param(
            {"total_tokens": 5},
            SAID | {"usage": USAGE},
            (9, 12, 21, "usage"),
            {"envelope-disagrees"},
            id="the body wins",
        ),
        pytest.param(
            {"prompt_tokens": 8, "completion_tokens": 11, "total_tokens": 19},
            SAID | {"usage": USAGE},
            (9, 12, 21, "usage"),
            {"envelope-disagrees"},
            id="the body wins over a whole one",
        ),
        pytest.param(
            {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21},
            SAID | {"usage": USAGE},
            (9, 12, 21, "usage"),
            {"envelope-disagrees"},
            id="the sides are swapped",
        ),
        pytest.param(
            {"total_tokens": 5},
            {"model": "m", "message": {"content": "Hello."}, "done": True, "eval_count": 12},
            (None, 12, 12, "partial"),
            {"envelope-disagrees"},
            id="neither is whole",
        ),
        pytest.param({"prompt_tokens": 0}, SAID | {"usage": USAGE}, (9, 12, 21, "usage"), set(), id="stated zeros"),
        pytest.param(USAGE, None, (9, 12, 21, "usage"), set(), id="no body"),
        pytest.param(USAGE, {"error": "late"}, (9, 12, 21, "usage"), set(), id="an error that was billed"),
        pytest.param({"total_tokens": 21}, None, (None, None, 21, "usage"), set(), id="a total alone"),
        pytest.param(
            USAGE,
            sse({"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}, done=False),
            (9, 12, 21, "usage"),
            {"envelope-disagrees"},
            id="the body broke off",
        ),
    ],
)
def test_usage_of_the_envelope_stands_where_the_body_has_none(
    stated: Any, body: Any, numbers: tuple[Any, ...], flags: set[str]
) -> None:
    outcome = _native(usage=stated, responseBody=body)
    assert (_numbers(outcome), outcome.flags) == (numbers, frozenset(flags))


def test_cached_tokens_that_were_reported_stay_beside_a_side_that_is_counted(tiny: TransformersTokenizer) -> None:
    opening = {"input_tokens": 5, "cache_read_input_tokens": 4, "output_tokens": 1}
    said = sse(
        {"type": "message_start", "message": {"model": "m", "usage": opening}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
        done=False,
    )
    outcome = count_exchange(ASKED, said, tokenizer=tiny)
    assert outcome.count is not None
    assert (outcome.count.prompt, outcome.count.cached, outcome.count.counted_by) == (9, 4, "partial")


def test_a_stream_that_lost_a_chunk_is_a_lower_bound(tiny: TransformersTokenizer) -> None:
    piece = {"choices": [{"index": 0, "delta": {"content": "Hello."}}]}
    closing = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    outcome = count_exchange(ASKED, sse(piece, 'data: {"choices": [{', closing), tokenizer=tiny)
    assert _numbers(outcome)[1:4:2] == (tiny.count("Hello.") + 1, "partial")
    assert outcome.reason == "cut"


def test_a_reply_of_which_nothing_is_known_is_not_counted_as_nothing(tiny: TransformersTokenizer) -> None:
    outcome = count_exchange(ASKED, {"choices": [{"message": {"content": ""}}]}, tokenizer=tiny)
    assert _numbers(outcome) == (tiny.count(OPEN), None, tiny.count(OPEN), "partial")


def test_two_tokenizers_of_one_name_are_two(speaking: Callable[[str | None], TransformersTokenizer]) -> None:
    tokenizers = {"chatml": speaking(CHATML), "parts": speaking(PARTS)}
    assert len({tokenizer.name for tokenizer in tokenizers.values()}) == 1
    counter = Counter(lambda model: tokenizers.get(model or ""))
    shown = {"chatml": OPEN, "parts": "[user]Hi[end][assistant]"}
    for model, text in shown.items():
        outcome = counter.count(Exchange("call", request=Body(ASKED | {"model": model}), response=Body(SAID)))
        assert _numbers(outcome)[0] == tokenizers[model].count(text)
        assert outcome.count is not None
        assert outcome.count.tokenizer == f"tiny {tokenizers[model].fingerprint}"


def test_a_total_that_is_no_sum_is_kept_and_flagged() -> None:
    outcome = count_exchange(ASKED, SAID | {"usage": USAGE | {"total_tokens": 99}})
    assert _numbers(outcome) == (9, 12, 99, "usage")
    assert outcome.flags == {"total-mismatch"}


def test_an_outcome_has_the_dimensions_of_its_exchange() -> None:
    outcome = _native(apiId="a", model="m", usage=USAGE, time="2026-11-22T10:03:17Z", dimensions={"Team": "search"})
    assert outcome.dimensions == {"API ID": "a", "Team": "search", "Model": "m", "Counted By": "usage"}
    assert (outcome.id, outcome.word) == ("a", "counted")
    assert outcome.time is not None


def _whole(count: TokenCount | None) -> bool:
    return count is not None and count.counted_by == "tokenizer"


@pytest.mark.parametrize(
    ("asked", "said", "prompt", "completion"),
    [
        pytest.param({"input": "one two"}, {"data": [{"embedding": []}]}, ["one two"], None, id="embedding"),
        pytest.param(
            {"input": ["one", "two"]}, {"data": [{"embedding": []}] * 2}, ["one", "two"], None, id="embeddings"
        ),
        pytest.param(
            {"prompt": "one"}, {"choices": [{"text": " two", "finish_reason": "stop"}]}, ["one"], " two", id="text"
        ),
        pytest.param(
            {"prompt": "one", "echo": True},
            {"choices": [{"text": "one two", "finish_reason": "stop"}]},
            ["one"],
            " two",
            id="echo",
        ),
        pytest.param(
            {"inputs": "one"},
            [{"generated_text": " two", "details": {"finish_reason": "eos_token"}}],
            ["one"],
            " two",
            id="tgi",
        ),
        pytest.param(
            {"prompt": "one", "n_predict": 5},
            {"content": " two", "stop": True, "stop_type": "eos"},
            ["one"],
            " two",
            id="llama.cpp",
        ),
        pytest.param(
            {"prompt": "one", "raw": True},
            {"response": " two", "done": True, "done_reason": "stop"},
            ["one"],
            " two",
            id="ollama without a template",
        ),
        pytest.param(
            {"prompt": "one", "max_gen_len": 5},
            {"generation": " two", "stop_reason": "stop"},
            ["one"],
            " two",
            id="llama on bedrock",
        ),
    ],
)
def test_bare_texts_are_counted_without_a_template(
    tiny: TransformersTokenizer, asked: Any, said: Any, prompt: list[str], completion: str | None
) -> None:
    outcome = count_exchange(asked, said, tokenizer=tiny)
    assert _whole(outcome.count), outcome.reason
    expected = 0 if completion is None else tiny.count(completion) + 1
    assert _numbers(outcome)[:2] == (sum(tiny.count(text, special=True) for text in prompt), expected)


@pytest.mark.parametrize(("ids", "tokens"), [([1, 2, 3], 3), ([[1, 2], [3]], 3), ([[]], 0)])
def test_tokens_given_as_ids_need_no_tokenizer(tiny: TransformersTokenizer, ids: Any, tokens: int) -> None:
    body = {"choices": [{"text": "x", "finish_reason": "length"}]}
    assert _numbers(count_exchange({"prompt": ids}, body, tokenizer=tiny))[0] == tokens


@pytest.mark.parametrize("asked", [None, {"query": "q", "documents": ["d"]}, {"content": {"parts": []}}])
def test_an_embedding_whose_text_is_unknown_is_uncounted(tiny: TransformersTokenizer, asked: Any) -> None:
    outcome = count_exchange(asked, {"embedding": [0.1]}, tokenizer=tiny)
    assert (outcome.count, outcome.left_out) == (None, None)
    assert outcome.reason


class _Adding:
    """Adds a token to every text outside a chat, as many a tokenizer does."""

    name, fingerprint = "adding", "f00d"

    def __init__(self, tokenizer: TransformersTokenizer) -> None:
        self._tokenizer = tokenizer
        self.render = tokenizer.render

    def count(self, text: str, *, special: bool = False) -> int:
        return self._tokenizer.count(text) + special


def test_texts_outside_a_chat_are_counted_with_what_the_tokenizer_adds(tiny: TransformersTokenizer) -> None:
    outcome = count_exchange({"input": ["one", "two"]}, {"data": [{"embedding": []}] * 2}, tokenizer=_Adding(tiny))
    assert _numbers(outcome)[0] == tiny.count("one") + 1 + tiny.count("two") + 1
    assert _numbers(count_exchange(ASKED, SAID, tokenizer=_Adding(tiny)))[0] == tiny.count(OPEN)


def test_an_echo_that_is_not_found_is_a_doubt(tiny: TransformersTokenizer) -> None:
    said = {"choices": [{"text": "One two", "finish_reason": "stop"}]}
    outcome = count_exchange({"prompt": "one", "echo": True}, said, tokenizer=tiny)
    assert _numbers(outcome)[1:4:2] == (tiny.count("One two") + 1, "partial")
    assert outcome.reason == "the prompt's echo is not found"
