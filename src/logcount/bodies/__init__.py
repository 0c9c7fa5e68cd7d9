"""Bodies: what the request and the response of any known API say, told by shape and never by URL.

To add an API: write a module with an `Api` of small functions, and give it a row in `APIS` and one in `REQUESTS`.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from logcount.bodies.api import Api, Document, Documents, last_usage
from logcount.bodies.apis.anthropic import ANTHROPIC, ANTHROPIC_TEXT
from logcount.bodies.apis.bedrock import CONVERSE, INVOKE
from logcount.bodies.apis.cohere import COHERE
from logcount.bodies.apis.embeddings import EMBEDDINGS, RERANK
from logcount.bodies.apis.gemini import GEMINI
from logcount.bodies.apis.llama_cpp import LLAMA_CPP
from logcount.bodies.apis.ollama import OLLAMA
from logcount.bodies.apis.openai_chat import CHAT, CHOICES, COMPLETIONS
from logcount.bodies.apis.openai_responses import RESPONSES
from logcount.bodies.apis.tgi import TGI
from logcount.bodies.chunks import Chunks, answer_of_chunks, plain_answer, says_error
from logcount.bodies.framing import LOST_CHUNKS, Framed, unframe
from logcount.bodies.message_decoder import MessageDecoder, decoded_size
from logcount.bodies.usage import as_cut, child, invocation_metrics, read_usage
from logcount.bodies.usage_fast_path import answer_with_usage, stream_ends
from logcount.bounded import BoundedCache
from logcount.jsontext import Escaped
from logcount.model.content import Chat, ModelRequest, ModelResponse, Prompt, Usage
from logcount.model.exchanges import Body

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["APIS", "UNKNOWN_API", "RequestReader", "read_request", "read_response"]


def _any_usage(documents: Documents) -> Usage | None:
    return last_usage(documents, lambda document: read_usage(document.get("usage")))


OTHER = Api(
    name="other",
    answers=lambda document: read_usage(document.get("usage")) is not None,
    usage=_any_usage,
    asks=lambda _document: False,
    prompt=lambda _document: None,
)
"""Answers of no other row that report usage in words that are known: images, transcriptions, newer APIs."""

APIS: tuple[Api, ...] = (
    # In an order in which the first row that knows a document is right.
    RESPONSES,
    ANTHROPIC,
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    GEMINI,
    OLLAMA,
    CONVERSE,
    COHERE,
    INVOKE,
    ANTHROPIC_TEXT,
    RERANK,
    TGI,
    LLAMA_CPP,
)

FALLBACKS = (CHOICES, OTHER)
"""For answers that no row knows: these know documents that may merely open a stream of one that does."""

REQUESTS = (
    ANTHROPIC,
    CONVERSE,
    OLLAMA,
    CHAT,
    RESPONSES,
    ANTHROPIC_TEXT,
    INVOKE,
    COHERE,
    GEMINI,
    RERANK,
    LLAMA_CPP,
    COMPLETIONS,
    EMBEDDINGS,
    TGI,
)
"""The rows again for requests, the more particular first: many of them look like OpenAI's chat."""

UNKNOWN_API = "unknown"


def read_response(body: Body, *, keep_replies: bool = False) -> tuple[ModelResponse, frozenset[str]]:
    """Return what a response body says, and flags.

    Replies are put together only where usage is not whole, or where `keep_replies` asks for them.
    """
    data = body.data
    if isinstance(data, Escaped):
        told = None if keep_replies or body.cut else _of_stream_ends(data)
        if told is not None:
            return told, _UNFLAGGED
        data = data.text()
    if not body.cut and isinstance(data, str) and data.startswith("{"):
        told = (None if keep_replies else answer_with_usage(data)) or plain_answer(data)
        if told is not None:
            return told, _UNFLAGGED
    return _all_of(body if data is body.data else Body(data, body.cut), keep_replies=keep_replies)


_UNFLAGGED: frozenset[str] = frozenset()


def _of_stream_ends(text: Escaped) -> ModelResponse | None:
    """Return what a stream in OpenAI's words says whose last chunks report its usage whole."""
    ends = stream_ends(text)
    api = _api_of(ends.opening) if ends else None
    if ends is None or api not in (CHAT, COMPLETIONS) or _model(ends.opening) is None:
        return None
    if not _is_whole(_usage(api, ends.closing)):
        return None
    return _said(Framed([*ends.opening, *ends.closing], streamed=True), api, keep_replies=False, embedded=False)


def _all_of(body: Body, *, keep_replies: bool) -> tuple[ModelResponse, frozenset[str]]:
    framed = unframe(body)
    if isinstance(framed.documents, Chunks) and framed.documents.plain is not None:
        return answer_of_chunks(framed.documents.plain, cut=framed.cut), framed.flags
    embedded = isinstance(body.data, dict | list)
    return _said(framed, _api_of(framed.documents), keep_replies=keep_replies, embedded=embedded), framed.flags


def _said(framed: Framed, api: Api | None, *, keep_replies: bool, embedded: bool) -> ModelResponse:
    """Return what documents say; of one that was `embedded` in its event, nobody knows where the cut fell."""
    erring = _any_error(framed.documents)
    usage = _usage(api, framed.documents)
    if (not framed.cut_keys.isdisjoint(_USAGE_KEYS) or (framed.cut and embedded)) and (api is None or api.generates):
        usage = as_cut(usage)
    return ModelResponse(
        api=api.name if api else UNKNOWN_API,
        model=_model(framed.documents),
        usage=usage,
        replies=api.replies(framed.documents) if api and (keep_replies or not _is_whole(usage)) else (),
        generates=api.generates if api else True,
        error=erring and _is_error(framed, api),
        complaint=api is None and any(not _COMPLAINTS.isdisjoint(document) for document in framed.documents),
        cut=framed.cut or LOST_CHUNKS in framed.flags or (framed.streamed and erring),
    )


def _is_whole(usage: Usage | None) -> bool:
    return usage is not None and usage.prompt is not None and usage.completion is not None and not usage.interim


_USAGE_KEYS = frozenset(
    {"usage", "usageMetadata", "x_groq", "meta", "details", "results", "amazon-bedrock-invocationMetrics"}
)
"""Under which APIs report usage."""


_TELLING = 1000
"""Documents by which a body's API is told: a stream names it in the first few, if ever."""


def _api_of(documents: Documents) -> Api | None:
    found = next((api for document in islice(documents, _TELLING) for api in APIS if api.answers(document)), None)
    if found is not None:
        return found
    told = documents[:_TELLING]
    return next((api for api in FALLBACKS for document in told if api.answers(document)), None)


def _usage(api: Api | None, documents: Documents) -> Usage | None:
    usage = api.usage(documents) if api else None
    if usage is None or usage.prompt is None or usage.completion is None:
        return last_usage(documents, invocation_metrics) or usage
    return usage


def _model(documents: Documents) -> str | None:
    for document in documents:
        if isinstance(document.get("model"), str) and document["model"]:
            found: str = document["model"]
            return found
        places = (document, child(document, "response"), child(document, "message"))
        for name in (place.get(key) for place in places for key in ("model", "modelVersion")):
            if isinstance(name, str) and name:
                return name
    return None


def _any_error(documents: Documents) -> bool:
    if isinstance(documents, Chunks):
        return documents.any_error
    return any(says_error(document) for document in documents)


_COMPLAINTS = frozenset({"message", "Message", "detail", "errors", "error_code", "error_message", "__type", "fault"})
"""What answers of no API say: FastAPI's, AWS's, Azure's gateway, Databricks, Cohere."""


def _is_error(framed: Framed, api: Api | None) -> bool:
    """Say whether a body that tells of an error is nothing else: a stream may break off with one after some text."""
    return api is None or says_error(framed.documents[0])


class RequestReader:
    """Reads request bodies, and remembers messages and tools that come again."""

    def __init__(self) -> None:
        self._known = MessageDecoder()
        self._tools: BoundedCache[tuple[int, str], tuple[Any, Sequence[Document], int]] = BoundedCache(
            _TOOLS_ROOM, lambda _key, entry: entry[2]
        )

    def read(self, body: Body, answered_by: str = UNKNOWN_API) -> tuple[ModelRequest, frozenset[str]]:
        """Return what a request body asks, and flags; the API that answered, where known, has the first say."""
        if isinstance(body.data, Escaped):
            body = Body(body.data.text(), body.cut)
        document = self._known.decode(body.data) if isinstance(body.data, str) and not body.cut else None
        if document is None:
            return read_request(body, answered_by)
        request = _request(document, answered_by)
        if isinstance(request.prompt, Chat) and request.prompt.tools and document.get("tools"):
            tools = self._same_tools(document["tools"], request.api, request.prompt.tools)
            request = replace(request, prompt=replace(request.prompt, tools=tools))
        return request, _UNFLAGGED

    def _same_tools(self, given: Any, api: str, tools: Sequence[Document]) -> Sequence[Document]:
        """Return the tools as they were made of the same list before: whoever writes them out knows them then."""
        known = self._tools.get((id(given), api))
        if known is None or known[0] is not given:
            known = given, tools, _TOOL_BYTES * (1 + len(tools)) + decoded_size(msgspec.json.encode(given))
            self._tools.put((id(given), api), known)
        return known[1]


_TOOLS_ROOM = 32 * 2**20
"""Bytes that lists of tools may take, as they were decoded and as they are handed on."""
_TOOL_BYTES = 1000
"""Bytes of one tool as it is handed on, without what it shares with the one that it was made of."""


def read_request(body: Body, answered_by: str = UNKNOWN_API) -> tuple[ModelRequest, frozenset[str]]:
    """Return what a request body asks, and flags; the API that answered, where known, has the first say."""
    framed = unframe(body)
    return _request(framed.documents[0] if framed.documents else {}, answered_by, cut=framed.cut), framed.flags


def _request(document: Document, answered_by: str, *, cut: bool = False) -> ModelRequest:
    answering = next((api for api in APIS if api.name == answered_by), None)
    prompt = answering.prompt(document) if answering else None
    asked = answering if prompt is not None else next((api for api in REQUESTS if api.asks(document)), None)
    if prompt is None and asked is not None:
        prompt = asked.prompt(document)
    return _asked(asked, document, prompt, cut=cut)


def _asked(api: Api | None, document: Document, prompt: Prompt | None, *, cut: bool = False) -> ModelRequest:
    model = document.get("model")
    return ModelRequest(
        api=api.name if api else UNKNOWN_API,
        model=model if isinstance(model, str) and model else None,
        prompt=prompt,
        stop_strings=_names_stop_strings(document),
        echoes_prompt=document.get("echo") is True,
        cut=cut,
    )


def _names_stop_strings(document: Document) -> bool:
    places = (
        document,
        *(child(document, key) for key in ("options", "parameters", "inferenceConfig", "generationConfig")),
    )
    words: tuple[Any, ...] = ("stop", "stop_sequences", "stopSequences")
    return any(place.get(word) for place in places for word in words)
