"""What the bodies of an exchange say: prompts, replies and reported usage, in one vocabulary for all APIs."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = Any
"""A decoded JSON value: the shape is the sender's, and every reader checks what it touches."""


class Usage(msgspec.Struct, frozen=True, eq=False):
    """Token counts that the model reported; None where it did not say.

    `prompt` includes what came from a cache, `completion` includes reasoning; `cached` and `reasoning`
    are parts of them. `total` is as reported, else their sum.
    """

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    cached: int | None = None
    reasoning: int | None = None
    interim: bool = False
    """Whether the model was still speaking when it reported this (a stream's running count)."""
    mismatch: bool = False
    """Whether the reported total is not the sum of the reported parts."""
    derived: bool = False
    """Whether one of the three was not reported and is worked out from the others; equal usages may differ in it."""

    def __eq__(self, other: object) -> bool:
        return self._said() == other._said() if isinstance(other, Usage) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._said())

    def _said(self) -> tuple[object, ...]:
        return self.prompt, self.completion, self.total, self.cached, self.reasoning, self.interim, self.mismatch


class Picture(msgspec.Struct, frozen=True):
    """A picture in a prompt, whose size in pixels is known."""

    width: int
    height: int
    detail: str = "auto"
    """How closely the model is to look at it, in OpenAI's words: `low`, `high` or `auto`."""


class Chat(msgspec.Struct, frozen=True):
    """A conversation, as messages in OpenAI's chat shape, ready for a chat template."""

    messages: Sequence[Mapping[str, Json]]
    tools: Sequence[Json] | None = None
    options: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """What the request hands to the template, as `chat_template_kwargs` does on open servers."""
    open_reply: bool = True
    """Whether the template ends by opening the assistant's turn."""
    shaped: bool = False
    """Whether the reply is to follow a JSON schema, which some servers write into the prompt."""
    forced: bool = False
    """Whether the model has to call a tool, which servers see to by having it write in a form of their own."""
    missing: frozenset[str] = frozenset()
    """What the prompt holds beyond text: `image`, `audio`, `file`, `earlier turns` …"""
    pictures: tuple[Picture | None, ...] = ()
    """The pictures behind `image` in `missing`, all of them or none; None for one whose size is not known."""


class Texts(msgspec.Struct, frozen=True):
    """Bare texts or token ids, as completions and embeddings take them."""

    texts: tuple[str, ...] = ()
    token_ids: int = 0
    """How many tokens were given as ids, which need no tokenizer."""
    special: bool = True
    """Whether the server adds the tokenizer's special tokens to each text."""
    missing: frozenset[str] = frozenset()


Prompt = Chat | Texts


class Finish(Enum):
    """Why a reply ended, as far as its length in tokens is concerned."""

    STOP = "stop"
    """The model stopped by itself: servers count its stop token."""
    STOP_EITHER = "stop or stop string"
    """The model stopped by itself, or, if the request names any, at a stop string: nobody said which."""
    LENGTH = "length"
    """It was cut at the limit: there is no stop token."""
    STOP_STRING = "stop string"
    """It met one of the request's stop strings, which servers count and need not show."""
    UNKNOWN = "unknown"
    """It broke off, was filtered, or nobody said."""


class Reply(msgspec.Struct, frozen=True):
    """The visible output of one choice."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[Mapping[str, Json], ...] = ()
    """In OpenAI's shape: `{"type": "function", "function": {"name": …, "arguments": …}}`."""
    finish: Finish = Finish.UNKNOWN
    missing: frozenset[str] = frozenset()
    """What the reply holds beyond text: `hidden reasoning`, `audio`, `image` …"""


class ModelRequest(msgspec.Struct, frozen=True):
    """What a request body asks of a model."""

    api: str
    model: str | None = None
    prompt: Prompt | None = None
    stop_strings: bool = False
    """Whether the request names strings at which the model is to stop."""
    echoes_prompt: bool = False
    """Whether the reply repeats the prompt (`echo` of completions)."""
    cut: bool = False


class ModelResponse(msgspec.Struct, frozen=True):
    """What a response body says."""

    api: str
    model: str | None = None
    usage: Usage | None = None
    replies: tuple[Reply, ...] = ()
    """Empty where usage is whole: then nobody needs them."""
    generates: bool = True
    """Whether this API generates text at all (embeddings do not)."""
    error: bool = False
    complaint: bool = False
    """Whether it is of no known API and in the words of an error: one, unless the status says otherwise."""
    cut: bool = False
    """Whether the body was cut or its stream broke off."""
