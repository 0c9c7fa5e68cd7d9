"""What the reader of one API provides: how its bodies are told, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from logcount.model.content import Finish, Prompt, Reply, Usage

Document = dict[str, Any]
Documents = Sequence[Document]
"""The documents of a body: one, or a stream's chunks in order."""


@dataclass(frozen=True, slots=True)
class Api:
    """The reader of one API's bodies; every function takes whatever JSON came and never raises."""

    name: str
    answers: Callable[[Document], bool]
    """Whether a document is this API's answer, or a chunk of it."""
    usage: Callable[[Documents], Usage | None]
    asks: Callable[[Document], bool]
    """Whether a document is a request to this API."""
    prompt: Callable[[Document], Prompt | None]
    replies: Callable[[Documents], tuple[Reply, ...]] = lambda _documents: ()
    generates: bool = True
    """Whether it generates text; embeddings do not."""


_FINISH = {
    "stop": Finish.STOP_EITHER,
    **dict.fromkeys(("eos", "eos_token", "end_turn", "complete", "finish", "endoftext"), Finish.STOP),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call", "stop_token"), Finish.STOP),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "max_length", "model_length"), Finish.LENGTH),
    "stop_sequence": Finish.STOP_STRING,
}


def finish(reason: Any) -> Finish:
    """Return why a reply ended, in whichever API's word for it."""
    return _FINISH.get(reason.lower(), Finish.UNKNOWN) if isinstance(reason, str) else Finish.UNKNOWN


def strings(value: Any) -> str:
    """Return a string as it is, anything else as none."""
    return value if isinstance(value, str) else ""


def objects(value: Any) -> list[Document]:
    """Return the objects of a list; nothing where it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def leaves_out(value: Any) -> bool:
    """Say whether there is something in a value that `objects` does not return."""
    return bool(value) and (not isinstance(value, list) or len(objects(value)) < len(value))


def last_usage(documents: Documents, read: Callable[[Document], Usage | None]) -> Usage | None:
    """Return the last usage that any document reports; streams repeat it, and never to be added up."""
    return next((usage for document in reversed(documents) if (usage := read(document))), None)
