"""What open models' servers reported, against their real tokenizers: skipped where those were not fetched.

`logcount --config benchmarks/accuracy.toml tokenizers fetch` fetches them. Each exchange names its source.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logcount.cli.wiring import make_counter
from logcount.counting import Counter, parse_bodies
from logcount.model.exchanges import Body, Exchange
from logcount.settings import load_settings

if TYPE_CHECKING:
    from logcount.counting import Sides

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RECORDED = {
    recorded["id"]: recorded for recorded in map(json.loads, (BENCHMARKS / "recorded.jsonl").read_text().splitlines())
}
CALLS = frozenset({"the tool calls are not in the log as the model wrote them"})
SCHEMA = frozenset({"what the server made of the reply's schema is not in the log"})
NONE: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def counter() -> Counter:
    if not any((BENCHMARKS.parent / ".cache" / "tokenizers").glob("npm-*gptoss*")):
        pytest.skip("the tokenizers of benchmarks/accuracy.toml are not here")
    return make_counter(load_settings(BENCHMARKS / "accuracy.toml"))


@pytest.mark.parametrize(
    ("name", "prompt", "completion", "doubts"),
    [
        pytest.param("cerebras-1", 0, 0, NONE, id="gpt-oss thinks and answers"),
        pytest.param("cerebras-2", 0, 0, NONE, id="gpt-oss goes on after a thought"),
        pytest.param("bedrock-oss", 2, 0, NONE, id="Bedrock gives gpt-oss two tokens less than its template"),
        pytest.param("groq-plain-tools", -11, 0, NONE, id="Groq adds five or six tokens for each tool of gpt-oss"),
        pytest.param("groq-tool-1", -11, -7, CALLS, id="Groq closes up what gpt-oss wrote with indents"),
        pytest.param("groq-tool-2", -11, -7, CALLS, id="Groq does so again"),
        pytest.param("groq-tool-text", -6, -4, CALLS, id="Groq does so with one tool"),
        pytest.param("groq-json", -96, -4, SCHEMA, id="Groq writes the schema into the prompt of gpt-oss"),
        pytest.param("groq-qwen-think", 0, 0, NONE, id="Qwen 3 thinks in the open"),
        pytest.param("openrouter-qwen", -1, 1, NONE, id="Fireworks opens the thought of Qwen 3 in the prompt"),
        pytest.param("ollama-tool", 27, 0, NONE, id="Ollama renders the tools of Llama 3.2 in its own way"),
    ],
)
def test_a_count_differs_from_what_was_reported_only_as_is_known(
    counter: Counter, name: str, prompt: int, completion: int, doubts: frozenset[str]
) -> None:
    reported = json.loads(RECORDED[name]["response"])["usage"]
    sides = _sides(counter, name)
    assert sides.prompt.tokens == reported["prompt_tokens"] + prompt
    assert sides.completion.tokens == reported["completion_tokens"] + completion
    assert sides.prompt.doubts | sides.completion.doubts == doubts


def test_every_recorded_exchange_has_its_source() -> None:
    assert all(recorded["source"].startswith("https://") for recorded in RECORDED.values())


def _sides(counter: Counter, name: str) -> Sides:
    recorded = RECORDED[name]
    exchange = Exchange(
        envelope="recorded",
        time=datetime.fromisoformat(recorded["time"]) if recorded["time"] else None,
        url=recorded["url"],
        status=200,
        request=Body(recorded["request"]),
        response=Body(recorded["response"]),
    )
    sides = counter.sides(exchange, parse_bodies(exchange, to_all=True))
    assert sides is not None
    return sides
