"""The content of an exchange's bodies: prompts, replies and reported usage, in one form for all APIs."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = Any
"""A decoded JSON value of unknown shape: every reader checks what it uses."""


class Usage(msgspec.Struct, frozen=True, eq=False):
    """Token counts that the model reported; None if not reported.

    `prompt` includes cached tokens, `completion` includes reasoning; `cached` and `reasoning` are their numbers.
    `total` is the reported one, else the sum.
    """

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    cached: int | None = None
    reasoning: int | None = None
    interim: bool = False
    """Whether the model was still generating when it reported this (a stream's running count)."""
    mismatch: bool = False
    """Whether the reported total differs from the sum of `prompt` and `completion`."""
    derived: bool = False
    """Whether one of the three was not reported but calculated from the others; not part of equality."""

    def __eq__(self, other: object) -> bool:
        return self._said() == other._said() if isinstance(other, Usage) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._said())

    def _said(self) -> tuple[object, ...]:
        return self.prompt, self.completion, self.total, self.cached, self.reasoning, self.interim, self.mismatch


class Picture(msgspec.Struct, frozen=True):
    """A picture in a prompt, with its size in pixels."""

    width: int
    height: int
    detail: str = "auto"
    """OpenAI's level of detail: `low`, `high` or `auto`."""


class Chat(msgspec.Struct, frozen=True):
    """A conversation, as messages in OpenAI's chat shape, ready for a chat template."""

    messages: Sequence[Mapping[str, Json]]
    tools: Sequence[Json] | None = None
    options: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """Template variables from the request, such as `chat_template_kwargs` of open servers."""
    open_reply: bool = True
    """Whether the template ends by opening the assistant's turn."""
    shaped: bool = False
    """Whether the reply must follow a JSON schema, which some servers write into the prompt."""
    forced: bool = False
    """Whether the model must call a tool, which servers enforce with an output format of their own."""
    missing: frozenset[str] = frozenset()
    """Contents of the prompt other than text: `image`, `audio`, `file`, `earlier turns` …"""
    pictures: tuple[Picture | None, ...] = ()
    """The pictures that `image` in `missing` stands for, all or none; None for one of unknown size."""


class Texts(msgspec.Struct, frozen=True):
    """Bare texts or token ids, as completions and embeddings take them."""

    texts: tuple[str, ...] = ()
    token_ids: int = 0
    """The number of tokens given as ids, which need no tokenizer."""
    special: bool = True
    """Whether the server adds the tokenizer's special tokens to each text."""
    missing: frozenset[str] = frozenset()


Prompt = Chat | Texts


class Finish(Enum):
    """Why a reply ended, as far as its length in tokens is concerned."""

    STOP = "stop"
    """The model stopped by itself: servers count its stop token."""
    STOP_EITHER = "stop or stop string"
    """The model stopped by itself or at a stop string of the request; the response does not say which."""
    LENGTH = "length"
    """It was cut at the token limit: there is no stop token."""
    STOP_STRING = "stop string"
    """It reached a stop string of the request, which servers count but may not show."""
    UNKNOWN = "unknown"
    """It broke off, was filtered, or the response does not say."""


class Reply(msgspec.Struct, frozen=True):
    """The visible output of one choice."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[Mapping[str, Json], ...] = ()
    """In OpenAI's shape: `{"type": "function", "function": {"name": …, "arguments": …}}`."""
    finish: Finish = Finish.UNKNOWN
    missing: frozenset[str] = frozenset()
    """Contents of the reply other than text: `hidden reasoning`, `audio`, `image` …"""


class ModelRequest(msgspec.Struct, frozen=True):
    """The content of a request body."""

    api: str
    model: str | None = None
    prompt: Prompt | None = None
    stop_strings: bool = False
    """Whether the request has stop strings."""
    echoes_prompt: bool = False
    """Whether the reply repeats the prompt (`echo` of completions)."""
    cut: bool = False


class ModelResponse(msgspec.Struct, frozen=True):
    """The content of a response body."""

    api: str
    model: str | None = None
    usage: Usage | None = None
    replies: tuple[Reply, ...] = ()
    """Empty if usage is whole: then they are not needed."""
    generates: bool = True
    """Whether this API generates text at all (embeddings do not)."""
    error: bool = False
    complaint: bool = False
    """Whether it is of no known API but looks like an error: then it is one unless the status says otherwise."""
    cut: bool = False
    """Whether the body was cut or its stream broke off."""
