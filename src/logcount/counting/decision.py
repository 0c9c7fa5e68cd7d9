"""Decides what an exchange counts: what the model reported, else what its tokenizer says, else nothing and why.

Law: reported first; unknown is None; a model without a tokenizer is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from logcount.bodies import UNKNOWN_API, read_request, read_response
from logcount.content import Finish, ModelRequest, ModelResponse, Texts
from logcount.counting.sides import Side, uncounted_parts, unknown
from logcount.counting.template import ChatCounter, stop_tokens
from logcount.counts import Outcome, TokenCount
from logcount.errors import Uncountable

if TYPE_CHECKING:
    from logcount.content import Chat, Reply, Usage
    from logcount.counting.tokenizer import TokenizerFor
    from logcount.exchanges import Exchange

_NO_REQUEST = "the request is not in the log"
_NO_RESPONSE = "the response is not in the log"
_CUT = "cut"

_DEPLOYMENT = re.compile(r"/(?:deployments|engines|model|models)/([^/?#]+?)(?::[A-Za-z]+)?(?=[/?#]|$)")
"""The model in a URL, without the method that Google's end on; Amazon's names have colons of their own."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the two bodies of an exchange say."""

    response: ModelResponse
    request: ModelRequest | None
    """None where it was not needed, or is not in the log."""
    model: str | None
    reported: Usage | None
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sides:
    """What a tokenizer says of an exchange."""

    prompt: Side
    completion: Side
    tokenizer: str


class Counter:
    """Counts exchanges, and keeps the tokenizers that it met."""

    def __init__(self, tokenizer_for: TokenizerFor) -> None:
        self._tokenizer_for = tokenizer_for
        self._counters: dict[int, ChatCounter] = {}

    def count(self, exchange: Exchange) -> Outcome:
        """Decide what an exchange counts; never raises."""
        spoken = listen(exchange)
        reported = spoken.reported
        if reported is not None and is_whole(reported, spoken.response):
            return _outcome(exchange, spoken, by_usage(reported))
        if reported is None and (refusal := _refusal(exchange, spoken)):
            return refusal
        sides = self.sides(exchange, spoken)
        if sides is None:
            count = _from_parts(reported) if reported else None
            return _outcome(exchange, spoken, count, frozenset({"no tokenizer for this model"}))
        return _decide(exchange, spoken, sides)

    def sides(self, exchange: Exchange, spoken: Spoken) -> Sides | None:
        """Ask the model's tokenizer for both sides; None where there is no tokenizer for the model."""
        tokenizer = self._tokenizer_for(spoken.model)
        if tokenizer is None:
            return None
        counter = self._counters.setdefault(id(tokenizer), ChatCounter(tokenizer))
        label = f"{tokenizer.name} {tokenizer.fingerprint}"
        return Sides(_prompt_side(counter, exchange, spoken), _completion_side(counter, exchange, spoken), label)


def listen(exchange: Exchange, *, to_all: bool = False) -> Spoken:
    """Read the bodies of an exchange; the request, and the text of replies, only where they are needed or asked for."""
    response, flags = ModelResponse(UNKNOWN_API), exchange.flags
    if exchange.response is not None:
        response, more = read_response(exchange.response, keep_replies=to_all or exchange.usage is not None)
        flags |= more
    reported = _weightier(response, exchange.usage)
    model = response.model
    request = None
    needed = to_all or model is None or reported is None or not is_whole(reported, response)
    if exchange.request is not None and needed:
        request, more = read_request(exchange.request, response.api)
        flags |= more
        model = model or request.model
    if response.usage and exchange.usage and _disagree(response.usage, exchange.usage):
        flags |= {"envelope-disagrees"}
    if reported and reported.mismatch:
        flags |= {"total-mismatch"}
    if response.cut or (request and request.cut):
        flags |= {_CUT}
    return Spoken(response, request, model or exchange.model or _deployment(exchange.url), reported, flags)


def _weightier(response: ModelResponse, stated: Usage | None) -> Usage | None:
    """Return the usage in the body, unless only the envelope's is whole: a cut or a broken stream took the body's."""
    told = response.usage
    if told is None or (stated is not None and not is_whole(told, response) and is_whole(stated, response)):
        return stated
    return told


def _disagree(body: Usage, envelope: Usage) -> bool:
    return (body.prompt, body.completion, body.total) != (envelope.prompt, envelope.completion, envelope.total)


def _deployment(url: str | None) -> str | None:
    match = _DEPLOYMENT.search(url or "")
    return unquote(match[1]) if match else None


def is_whole(usage: Usage, response: ModelResponse) -> bool:
    """Say whether every number that this API reports was reported."""
    if usage.interim:
        return False
    if response.api == UNKNOWN_API:  # an envelope's own word: some carry the total alone
        return usage.total is not None
    return usage.prompt is not None and usage.completion is not None


def by_usage(usage: Usage) -> TokenCount:
    """Return what was reported, as it is."""
    return TokenCount(usage.prompt, usage.completion, usage.total, "usage", usage.cached, usage.reasoning)


def _from_parts(usage: Usage) -> TokenCount:
    """Return what was reported where that is not all, as a lower bound."""
    total = usage.total if usage.total is not None else _sum(usage.prompt, usage.completion)
    return TokenCount(usage.prompt, usage.completion, total, "partial", usage.cached, usage.reasoning)


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _refusal(exchange: Exchange, spoken: Spoken) -> Outcome | None:
    """Return why an exchange without usage is not to be counted at all, if it is not."""
    if exchange.status is not None and exchange.status >= 400:
        return _outcome(exchange, spoken, None, frozenset({f"status {exchange.status}"}), skipped=True)
    if spoken.response.error or (spoken.response.complaint and exchange.status is None):
        return _outcome(exchange, spoken, None, frozenset({"an error answer"}), skipped=True)
    unread = spoken.response.api == UNKNOWN_API
    unasked = spoken.request is None or spoken.request.api == UNKNOWN_API
    if exchange.any_api and unread and unasked:
        return _outcome(exchange, spoken, None, frozenset({"no model call"}), skipped=True)
    if exchange.request is None and exchange.response is None:
        return _outcome(exchange, spoken, None, frozenset({"neither bodies nor usage in the log"}))
    if unread and unasked:
        return _outcome(exchange, spoken, None, frozenset({"bodies of no known API"}))
    return None


def _outcome(
    exchange: Exchange,
    spoken: Spoken,
    count: TokenCount | None,
    doubts: frozenset[str] = frozenset(),
    *,
    skipped: bool = False,
) -> Outcome:
    dimensions = dict(exchange.dimensions)
    if spoken.model:
        dimensions["Model"] = spoken.model
    if count is not None:
        dimensions["Counted By"] = count.counted_by
    return Outcome(
        count=count,
        reason="; ".join(sorted(doubts)) or None,
        skipped=skipped,
        id=exchange.id,
        time=exchange.time,
        model=spoken.model,
        dimensions=dimensions,
        flags=spoken.flags,
    )


def _decide(exchange: Exchange, spoken: Spoken, sides: Sides) -> Outcome:
    """Put a reported side before a counted one, and say on whose word the whole stands."""
    reported = spoken.reported
    stated = reported if reported and not reported.interim else None
    prompt = _better(reported.prompt if reported else None, sides.prompt)
    completion = _better(stated.completion if stated else None, sides.completion)
    if prompt.tokens is None and (completion.tokens is None or not spoken.response.generates):
        return _outcome(exchange, spoken, None, sides.prompt.doubts | sides.completion.doubts)
    total = stated.total if stated else None
    count = TokenCount(
        prompt=prompt.tokens,
        completion=completion.tokens,
        total=total if total is not None else _sum(prompt.tokens, completion.tokens),
        counted_by="tokenizer" if prompt.whole and completion.whole else "partial",
        cached=reported.cached if reported else None,
        reasoning=reported.reasoning if reported else None,
        tokenizer=sides.tokenizer,
    )
    return _outcome(exchange, spoken, count, prompt.doubts | completion.doubts)


def _better(reported: int | None, counted: Side) -> Side:
    """Return the reported side, else the counted one; a lower bound of 0 says nothing, and is unknown."""
    if reported is not None:
        return Side(reported)
    return counted if counted.whole or counted.tokens else Side(None, counted.doubts)


def _prompt_side(counter: ChatCounter, exchange: Exchange, spoken: Spoken) -> Side:
    request = spoken.request
    if request is None:
        return unknown(_NO_REQUEST)
    prompt = request.prompt
    if prompt is None:
        return unknown(_CUT if request.cut else "a request of no known API")
    cut = frozenset({_CUT}) if request.cut else frozenset()
    if not isinstance(prompt, Texts):
        side = counter.prompt(prompt, exchange.time)
        return Side(side.tokens, side.doubts | cut)
    try:
        tokens = sum(counter.tokenizer.count(text, special=prompt.special) for text in prompt.texts)
    except Uncountable as error:
        return unknown(str(error))
    return Side(tokens + prompt.token_ids, uncounted_parts(prompt.missing, "prompt") | cut)


def _completion_side(counter: ChatCounter, exchange: Exchange, spoken: Spoken) -> Side:
    response, request = spoken.response, spoken.request
    if not response.generates:
        return Side(0)
    if exchange.response is None:
        return unknown(_NO_RESPONSE)
    if not response.replies:
        return unknown(_CUT if response.cut else "the response holds no reply")
    chat = request.prompt if request and request.prompt and not isinstance(request.prompt, Texts) else None
    sides = [_reply_side(counter, exchange, spoken, chat, reply) for reply in response.replies]
    doubts = frozenset().union(*(side.doubts for side in sides))
    if response.cut:
        doubts |= {_CUT}
    return Side(_sum(*(side.tokens for side in sides)), doubts)


def _reply_side(counter: ChatCounter, exchange: Exchange, spoken: Spoken, chat: Chat | None, reply: Reply) -> Side:
    request = spoken.request
    doubts = set(uncounted_parts(reply.missing, "reply"))
    if reply.finish is Finish.UNKNOWN:
        doubts.add("the reply did not come to its end")
    met = reply.finish is Finish.STOP_EITHER and request is not None and request.stop_strings
    if met or reply.finish is Finish.STOP_STRING:
        doubts.add("a stop string is not shown")
    side = counter.reply(chat, reply, exchange.time) if chat else _bare_reply(counter, spoken, reply)
    return Side(side.tokens, side.doubts | doubts)


def _bare_reply(counter: ChatCounter, spoken: Spoken, reply: Reply) -> Side:
    """Count a reply that no chat template had a part in."""
    text, request = reply.text, spoken.request
    doubts = {"tool calls without a conversation"} if reply.tool_calls else set()
    if request is not None and request.echoes_prompt and isinstance(request.prompt, Texts):
        prompt = next((prompt for prompt in request.prompt.texts if text.startswith(prompt)), None)
        doubts |= {"the prompt's echo is not found"} if prompt is None else set()
        text = text.removeprefix(prompt or "")
    try:
        tokens = counter.tokenizer.count(reply.reasoning + text)
    except Uncountable as error:
        return unknown(str(error))
    return Side(tokens + stop_tokens(reply.finish), frozenset(doubts))
