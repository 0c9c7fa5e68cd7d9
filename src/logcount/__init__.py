"""Counts LLM tokens behind Azure API Management: exact, offline, off the hot path.

>>> from logcount import count_exchange
>>> answer = '{"usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}}'
>>> count_exchange(None, answer).count.total
21
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from logcount.model.counts import Outcome
    from logcount.ports import Tokenizer

__version__ = "0.1.0"

__all__ = ["__version__", "count_exchange"]

JsonBody = str | bytes | dict[str, Any] | list[Any]


def count_exchange(
    request: JsonBody | None,
    response: JsonBody | None,
    *,
    model: str | None = None,
    status: int | None = None,
    time: datetime | None = None,
    tokenizer: Tokenizer | None = None,
) -> Outcome:
    """Count the tokens of one exchange from its bodies.

    `request` and `response` are the bodies as sent over the wire (text or bytes, streams too) or decoded JSON; None is
    an unknown body. `model` is used where neither body names one. `status` is the HTTP status. `time` (aware) is the
    date for templates that ask for it. `tokenizer` counts what the model did not report; without one, that is
    uncounted. `logcount.tokenizers.load_tokenizer` loads one from a folder.

    Returns an outcome, whose `count` has `prompt`, `completion` and `total` in tokens, each None where unknown, and
    `counted_by`; where `count` is None, `reason` says why. No I/O, no network, no exception for any body.
    """
    from logcount.counting import Counter  # noqa: PLC0415 - keeps `logcount --help` fast
    from logcount.model.exchanges import Body, Exchange  # noqa: PLC0415

    exchange = Exchange(
        envelope="call",
        time=time,
        model=model,
        status=status,
        request=None if request is None else Body(request),
        response=None if response is None else Body(response),
    )
    return Counter(lambda _model: tokenizer).count(exchange)
