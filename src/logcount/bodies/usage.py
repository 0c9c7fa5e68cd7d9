"""Reads the usage that models report, in the words of every API.

Sources: the type definitions of the providers' own Python packages (openai, anthropic, google-genai, mistralai, cohere,
ollama, huggingface_hub, azure-ai-inference, botocore).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from logcount.model.content import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_TOKENS = 2**53
"""Above this a count is no count: JSON numbers stop being exact integers."""


def to_tokens(value: Any) -> int | None:
    """Return a token count given as int, whole float or string of digits; anything else is unknown."""
    if type(value) is int:
        return value if 0 <= value <= MOST_TOKENS else None
    if isinstance(value, str):
        value = int(value) if value.strip().isdecimal() and len(value) < 20 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= MOST_TOKENS or value != int(value):
        return None
    return int(value)


def add(*counts: int | None) -> int | None:
    """Return the sum of the known counts; None where none is known."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def child(value: Any, *path: str) -> dict[str, Any]:
    """Return the object that a path of keys leads to; an empty one where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def usage_of(
    prompt: int | None,
    completion: int | None,
    total: int | None = None,
    *,
    cached: int | None = None,
    reasoning: int | None = None,
) -> Usage | None:
    """Return a usage with the total added up where it was not reported; None where all is zero or unknown.

    A part that is missing is what the total leaves over; a total of zero beside a part that is none is missing too.
    """
    if not (prompt or completion or total):
        return None
    added = None if prompt is None or completion is None else prompt + completion
    if total and added is None:
        prompt, completion = _parted(prompt, completion, total)
    confirmed = bool(total) and added is not None
    mismatch = confirmed and total != added
    return Usage(
        prompt, completion, total or added, cached=cached, reasoning=reasoning, mismatch=mismatch, derived=not confirmed
    )


def _parted(prompt: int | None, completion: int | None, total: int) -> tuple[int | None, int | None]:
    """Return both parts of a total, of which one is known at most."""
    if prompt is not None and total >= prompt:
        return prompt, total - prompt
    if completion is not None and total >= completion:
        return total - completion, completion
    return prompt, completion


def as_stated(prompt: int | None, completion: int | None, total: int | None, cached: int | None = None) -> Usage | None:
    """Return the usage that a gateway states, which is not always the model's: a part that is missing stays so."""
    if not (prompt or completion or total):
        return None
    known = None if prompt is None or completion is None else prompt + completion
    mismatch = bool(total) and known is not None and total != known
    return Usage(prompt, completion, total or known, cached=cached, mismatch=mismatch)


def as_cut(usage: Usage | None) -> Usage | None:
    """Return what is left of a usage object into which a cut fell: whole only where its own total confirms it."""
    return usage if usage is None or not (usage.derived or usage.mismatch) else replace(usage, interim=True)


def _openai(usage: dict[str, Any]) -> Usage | None:
    cached = to_tokens(child(usage, "prompt_tokens_details").get("cached_tokens"))
    if cached is None:
        cached = to_tokens(usage.get("prompt_cache_hit_tokens"))  # DeepSeek's word for it
    return usage_of(
        to_tokens(usage.get("prompt_tokens")),
        to_tokens(usage.get("completion_tokens")),
        to_tokens(usage.get("total_tokens")),
        cached=cached,
        reasoning=to_tokens(child(usage, "completion_tokens_details").get("reasoning_tokens")),
    )


def _responses(usage: dict[str, Any]) -> Usage | None:
    return usage_of(
        to_tokens(usage.get("input_tokens")),
        to_tokens(usage.get("output_tokens")),
        to_tokens(usage.get("total_tokens")),
        cached=to_tokens(child(usage, "input_tokens_details").get("cached_tokens")),
        reasoning=to_tokens(child(usage, "output_tokens_details").get("reasoning_tokens")),
    )


def _anthropic(usage: dict[str, Any]) -> Usage | None:
    """Read Anthropic's usage, whose `input_tokens` leaves out what was written to or read from the cache."""
    read = to_tokens(usage.get("cache_read_input_tokens"))
    prompt = to_tokens(usage.get("input_tokens"))
    if prompt is not None:
        prompt = add(prompt, to_tokens(usage.get("cache_creation_input_tokens")), read)
    return usage_of(
        prompt,
        to_tokens(usage.get("output_tokens")),
        cached=read,
        reasoning=to_tokens(child(usage, "output_tokens_details").get("thinking_tokens")),
    )


def _converse(usage: dict[str, Any]) -> Usage | None:
    """Read Bedrock's usage; whether `inputTokens` holds the cached tokens too is told by the reported total."""
    prompt, completion = to_tokens(usage.get("inputTokens")), to_tokens(usage.get("outputTokens"))
    total = to_tokens(usage.get("totalTokens"))
    read = _first(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    cache = add(read, _first(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount"))
    inclusive = prompt is not None and completion is not None and total == prompt + completion
    if prompt is not None and cache and not inclusive:
        prompt += cache
    return usage_of(prompt, completion, total, cached=read)


def invocation_metrics(document: dict[str, Any]) -> Usage | None:
    """Read what Bedrock itself reports at the end of an Invoke stream, whatever the model said."""
    metrics = child(document, "amazon-bedrock-invocationMetrics")
    read = to_tokens(metrics.get("cacheReadInputTokenCount"))
    prompt = to_tokens(metrics.get("inputTokenCount"))
    if prompt is not None:
        prompt = add(prompt, read, to_tokens(metrics.get("cacheWriteInputTokenCount")))
    return usage_of(prompt, to_tokens(metrics.get("outputTokenCount")), cached=read)


def _cohere(usage: dict[str, Any]) -> Usage | None:
    """Read Cohere's usage: the tokens that were processed, else those that are billed."""
    counts = child(usage, "tokens") or child(usage, "billed_units")
    return usage_of(
        to_tokens(counts.get("input_tokens")),
        to_tokens(counts.get("output_tokens")),
        cached=to_tokens(usage.get("cached_tokens")),
    )


def _first(usage: dict[str, Any], *keys: str) -> int | None:
    return next((found for key in keys if (found := to_tokens(usage.get(key))) is not None), None)


_SHAPES: tuple[tuple[frozenset[str], Callable[[dict[str, Any]], Usage | None]], ...] = (
    (frozenset({"prompt_tokens", "completion_tokens"}), _openai),  # proxies add Anthropic's words to it
    (frozenset({"cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation"}), _anthropic),
    (frozenset({"input_tokens", "output_tokens"}), _responses),
    (frozenset({"inputTokens", "outputTokens"}), _converse),
    (frozenset({"tokens", "billed_units"}), _cohere),
    (frozenset({"total_tokens"}), _openai),
)
"""A usage object is told by the first row of which it has a key, and a count."""


def read_usage(value: Any) -> Usage | None:
    """Read a `usage` object in the words of whichever API; null, zeros and other things are no usage."""
    if not isinstance(value, dict):
        return None
    for keys, read in _SHAPES:
        if not keys.isdisjoint(value) and (usage := read(value)) is not None:
            return usage
    return None
