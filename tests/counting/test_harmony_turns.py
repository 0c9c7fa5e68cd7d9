"""gpt-oss's turns count as the model wrote them; the exchanges are recorded ones of Groq and Cerebras, made shorter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from made_up.templates import CHANNELS
from tiny_tokenizer import build
from tokenizers import AddedToken, Tokenizer

from logcount import count_exchange
from logcount.tokenizers import TransformersTokenizer, load_tokenizer

if TYPE_CHECKING:
    from logcount.model.counts import Outcome

ASKED = {"messages": [{"role": "user", "content": "What is the capital of France?"}]}
THOUGHT = "The answer: Paris. Use the function."
PRETTY = '{\n  "city": "Paris"\n}'
ANALYSIS = f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant"
CALL = "<|channel|>commentary to=functions.final_result <|constrain|>json<|message|>{}<|call|>"
MARKS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|call|>", "<|return|>")


@pytest.fixture(scope="module")
def harmonic(tmp_path_factory: pytest.TempPathFactory) -> TransformersTokenizer:
    """Return a tokenizer with the format's tokens, and a template that opens turns in its way."""
    folder = build(tmp_path_factory.mktemp("harmonic"), template=CHANNELS)
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    backend.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    backend.save(str(folder / "tokenizer.json"))
    return load_tokenizer(folder, name="harmonic")


def _call(arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "final_result", "arguments": arguments}}


def _outcome(tokenizer: TransformersTokenizer, finish: str, asked: Any = ASKED, **message: Any) -> Outcome:
    said = {"choices": [{"finish_reason": finish, "message": {"role": "assistant", **message}}]}
    return count_exchange(asked, said, tokenizer=tokenizer)


@pytest.mark.parametrize(
    ("finish", "message", "written"),
    [
        pytest.param(
            "stop",
            {"content": "Paris.", "reasoning": THOUGHT},
            f"{ANALYSIS}<|channel|>final<|message|>Paris.<|return|>",
            id="a thought and an answer",
        ),
        pytest.param(
            "length",
            {"content": "Par", "reasoning": THOUGHT},
            f"{ANALYSIS}<|channel|>final<|message|>Par",
            id="cut in the answer",
        ),
        pytest.param(
            "length",
            {"content": None, "reasoning": THOUGHT},
            f"<|channel|>analysis<|message|>{THOUGHT}",
            id="cut in the thought",
        ),
        pytest.param(
            "stop",
            {"content": f"{ANALYSIS}<|channel|>final<|message|>Paris."},
            f"{ANALYSIS}<|channel|>final<|message|>Paris.<|return|>",
            id="not taken apart by the server",
        ),
    ],
)
def test_a_turn_without_calls_counts_whole(
    harmonic: TransformersTokenizer, finish: str, message: dict[str, Any], written: str
) -> None:
    outcome = _outcome(harmonic, finish, **message)
    assert outcome.count is not None
    assert (outcome.count.completion, outcome.reason) == (harmonic.count(written), None)
    assert outcome.count.counted_by == "tokenizer"


@pytest.mark.parametrize("arguments", ['{"city":"Paris"}', '{"city": "Paris"}', PRETTY, {"city": "Paris"}])
def test_a_call_is_never_counted_higher_than_the_model_can_have_written_it(
    harmonic: TransformersTokenizer, arguments: Any
) -> None:
    outcome = _outcome(harmonic, "tool_calls", reasoning=THOUGHT, tool_calls=[_call(arguments)])
    assert outcome.count is not None
    assert outcome.count.completion == harmonic.count(ANALYSIS + CALL.format('{"city":"Paris"}'))
    assert outcome.count.completion <= harmonic.count(ANALYSIS + CALL.format(PRETTY))  # as it was on Groq
    assert outcome.reason == "the tool calls are not in the log as the model wrote them"


@pytest.mark.parametrize("arguments", ["no JSON", ""])
def test_arguments_that_are_no_json_count_as_they_are(harmonic: TransformersTokenizer, arguments: str) -> None:
    outcome = _outcome(harmonic, "tool_calls", content="Wait.", tool_calls=[_call(arguments)])
    assert outcome.count is not None
    said = "<|channel|>commentary<|message|>Wait.<|end|><|start|>assistant"
    assert outcome.count.completion == harmonic.count(said + CALL.format(arguments))


def test_an_answer_without_a_thought_is_a_lower_bound_with_its_header(harmonic: TransformersTokenizer) -> None:
    outcome = _outcome(harmonic, "stop", content="Paris.")
    assert outcome.count is not None
    assert outcome.count.completion == harmonic.count("<|channel|>final<|message|>Paris.<|return|>")
    assert outcome.reason == "hidden reasoning in the reply is not counted"


SHAPE = {"type": "json_schema", "json_schema": {"name": "CityLocation", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(ASKED | {"response_format": SHAPE}, id="chat"),
        pytest.param({"input": "Hi", "store": False, "text": {"format": SHAPE}}, id="responses"),
    ],
)
def test_a_schema_that_servers_write_into_the_prompt_is_a_doubt(harmonic: TransformersTokenizer, asked: Any) -> None:
    outcome = _outcome(harmonic, "stop", asked, content='{"city":"Paris"}', reasoning=THOUGHT)
    assert outcome.count is not None
    assert outcome.count.counted_by == "partial"
    assert outcome.reason == "what the server made of the reply's schema is not in the log"


def test_a_schema_changes_no_prompt_of_other_formats(tiny: TransformersTokenizer) -> None:
    outcome = _outcome(tiny, "stop", ASKED | {"response_format": SHAPE}, content=json.dumps({"city": "Paris"}))
    assert outcome.reason is None
