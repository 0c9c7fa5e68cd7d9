"""What the two bodies of an exchange say: read once, and no more of them than is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

from logcount import jsontext
from logcount.bodies import UNKNOWN_API, read_request, read_response
from logcount.model.content import ModelRequest, ModelResponse

if TYPE_CHECKING:
    from logcount.bodies import RequestReader
    from logcount.model.content import Usage
    from logcount.model.exchanges import Exchange

_DEPLOYMENT = re.compile(r"/(?:deployments|engines|model|models)/([^/?#]+?)(?::[A-Za-z]+)?(?=[/?#]|$)")
"""The model in a URL, without the method that Google's end on; Amazon's names have colons of their own."""


class ParsedBodies(msgspec.Struct, frozen=True):
    """What the two bodies of an exchange say."""

    response: ModelResponse
    request: ModelRequest | None
    """None where it was not needed, or is not in the log."""
    model: str | None
    reported: Usage | None
    flags: frozenset[str]


def parse_bodies(exchange: Exchange, *, to_all: bool = False, reader: RequestReader | None = None) -> ParsedBodies:
    """Read the bodies of an exchange; the request, and the text of replies, only where they are needed or asked for."""
    response, flags = ModelResponse(UNKNOWN_API), exchange.flags
    if exchange.response is not None:
        response, more = read_response(exchange.response, keep_replies=to_all)
        flags |= more
    reported = _weightier(response, exchange.usage)
    model = response.model
    request = None
    needed = to_all or model is None or reported is None or not is_whole(reported, response)
    if exchange.request is not None and needed:
        read = read_request if reader is None else reader.read
        request, more = read(exchange.request, response.api)
        flags |= more
        model = model or request.model
    if response.usage and exchange.usage and _disagree(response.usage, exchange.usage):
        flags |= {"envelope-disagrees"}
    if reported and reported.mismatch:
        flags |= {"total-mismatch"}
    if response.cut or (request and request.cut):
        flags |= {jsontext.CUT}
    return ParsedBodies(response, request, model or exchange.model or _deployment(exchange.url), reported, flags)


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
