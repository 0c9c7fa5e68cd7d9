"""Asks the model's tokenizer for both sides of an exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logcount import jsontext
from logcount.bodies.usage import add
from logcount.counting import harmony
from logcount.counting.images import picture_cost
from logcount.counting.side import Side, stop_tokens, uncounted_parts, unknown
from logcount.errors import Uncountable
from logcount.model.content import Finish, Texts

if TYPE_CHECKING:
    from logcount.counting.parsed_bodies import ParsedBodies
    from logcount.counting.template import ChatCounter
    from logcount.model.content import Chat, Reply
    from logcount.model.exchanges import Exchange

_NO_REQUEST = "the request is not in the log"
_NO_RESPONSE = "the response is not in the log"


@dataclass(frozen=True, slots=True)
class Sides:
    """What a tokenizer says of an exchange."""

    prompt: Side
    completion: Side
    tokenizer: str


def count_sides(counter: ChatCounter, exchange: Exchange, bodies: ParsedBodies) -> Sides:
    """Count what the bodies say; never raises."""
    label = f"{counter.tokenizer.name} {counter.tokenizer.fingerprint}"
    sides = Sides(_prompt_side(counter, exchange, bodies), _completion_side(counter, exchange, bodies), label)
    counter.forget()
    return sides


def _prompt_side(counter: ChatCounter, exchange: Exchange, bodies: ParsedBodies) -> Side:
    request = bodies.request
    if request is None:
        return unknown(_NO_REQUEST)
    prompt = request.prompt
    if prompt is None:
        return unknown(jsontext.CUT if request.cut else "a request of no known API")
    cut = frozenset({jsontext.CUT}) if request.cut else frozenset()
    if not isinstance(prompt, Texts):
        side = counter.prompt(prompt, exchange.time)
        side = _with_pictures(side, bodies.model, prompt)
        return Side(side.tokens, side.doubts | cut | _doubts_of_shape(counter, prompt))
    try:
        tokens = sum(counter.tokenizer.count(text, special=prompt.special) for text in prompt.texts)
    except Uncountable as error:
        return unknown(str(error))
    return Side(tokens + prompt.token_ids, uncounted_parts(prompt.missing, "prompt") | cut)


def _with_pictures(side: Side, model: str | None, prompt: Chat) -> Side:
    """Add what pictures cost, and take away the doubt that they leave where the model's provider says all of it."""
    if side.tokens is None or not prompt.pictures:
        return side
    cost = picture_cost(model, prompt.pictures)
    doubts = side.doubts - uncounted_parts(["image"], "prompt") if cost.exact else side.doubts
    return Side(side.tokens + cost.tokens, doubts)


def _doubts_of_shape(counter: ChatCounter, chat: Chat) -> frozenset[str]:
    return frozenset({harmony.SCHEMA}) if chat.shaped and counter.speaks_harmony() else frozenset()


def _completion_side(counter: ChatCounter, exchange: Exchange, bodies: ParsedBodies) -> Side:
    response, request = bodies.response, bodies.request
    if not response.generates:
        return Side(0)
    if exchange.response is None:
        return unknown(_NO_RESPONSE)
    if not response.replies:
        return unknown(jsontext.CUT if response.cut else "the response holds no reply")
    chat = request.prompt if request and request.prompt and not isinstance(request.prompt, Texts) else None
    sides = [_reply_side(counter, exchange, bodies, chat, reply) for reply in response.replies]
    doubts = frozenset().union(*(side.doubts for side in sides))
    if response.cut:
        doubts |= {jsontext.CUT}
    return Side(add(*(side.tokens for side in sides)), doubts)


def _reply_side(
    counter: ChatCounter, exchange: Exchange, bodies: ParsedBodies, chat: Chat | None, reply: Reply
) -> Side:
    request = bodies.request
    doubts = set(uncounted_parts(reply.missing, "reply"))
    if reply.finish is Finish.UNKNOWN:
        doubts.add("the reply did not come to its end")
    met = reply.finish is Finish.STOP_EITHER and request is not None and request.stop_strings
    if met or reply.finish is Finish.STOP_STRING:
        doubts.add("a stop string is not shown")
    if chat:
        doubts |= _doubts_of_shape(counter, chat)
    side = counter.reply(chat, reply, exchange.time) if chat else _bare_reply(counter, bodies, reply)
    return Side(side.tokens, side.doubts | doubts)


def _bare_reply(counter: ChatCounter, bodies: ParsedBodies, reply: Reply) -> Side:
    """Count a reply that no chat template had a part in."""
    text, request = reply.text, bodies.request
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
