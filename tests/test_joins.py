"""Two records of one exchange are one count, whichever comes first and whatever is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wire import event

from logcount.counting import Counter
from logcount.pipeline import Pipeline

ASKED = [{"role": "user", "content": "Hi there"}]
SAID = {"role": "assistant", "content": "Hello to you"}
ANSWER = {
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": SAID, "finish_reason": "stop"}],
}
GATEWAY = {
    "category": "GatewayLogs",
    "correlationId": "c",
    "properties": {
        "responseCode": 200,
        "requestBody": json.dumps({"model": "m", "messages": ASKED}),
        "responseBody": json.dumps(ANSWER),
    },
}
LLM = {
    "category": "GatewayLlmLogs",
    "correlationId": "c",
    "properties": {"modelName": "m", "requestMessages": json.dumps(ASKED), "responseMessages": json.dumps([SAID])},
}
TOKENS = {"promptTokens": 9, "completionTokens": 3, "totalTokens": 12}


class Words:
    """A tokenizer of words, with a chat template."""

    name = "words"
    fingerprint = "0"

    def count(self, text: str, *, special: bool = False) -> int:
        return len(text.split()) + special

    def render(self, messages: Any, *, open_reply: bool = True, **_more: Any) -> str:
        turns = [f"<{one['role']}> {one['content']} <end> " for one in messages]
        return "".join(turns) + ("<assistant> " if open_reply else "")


@pytest.mark.parametrize("tokens", [{}, TOKENS, dict.fromkeys(TOKENS, 0)], ids=["no tokens", "tokens", "zeros"])
@pytest.mark.parametrize("first", ["gateway log", "LLM log"])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
@pytest.mark.parametrize("ahead", [True, False], ids=["ahead", "in turn"])
def test_two_logs_of_an_exchange_count_once(tokens: dict[str, int], first: str, together: bool, ahead: bool) -> None:
    llm = {**LLM, "properties": {**LLM["properties"], **tokens}}  # type: ignore[dict-item]
    records = [GATEWAY, llm] if first == "gateway log" else [llm, GATEWAY]
    events = [event(record, number) for number, record in enumerate(records)]
    pipeline = Pipeline(Counter(lambda _model: Words()))
    outcomes = []
    for batch in [events] if together else [[one] for one in events]:
        decoded = [pipeline.decode(one) for one in batch]
        if ahead:
            decoded = [pipeline.count_ahead(one) for one in decoded]
        outcomes += pipeline.join(decoded)
    assert sorted(outcome.word for (outcome,) in outcomes) == ["counted", "skipped"]
