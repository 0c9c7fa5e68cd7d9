"""Renders conversations through a tokenizer's chat template, as `apply_chat_template` does."""

from __future__ import annotations

import inspect
import logging
import random
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any

from logcount.bounded import BoundedCache
from logcount.errors import Uncountable
from logcount.templates.sandbox import IdentityCompared, lighten
from logcount.templates.trial import trial_conversations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NO_TEMPLATE = "the tokenizer has no chat template"
BROKEN_TEMPLATE = "the chat template does not compile"
REFUSED = "the chat template refuses this conversation"

_RARELY = 1_000
"""One in so many conversations is audited, once a template has rendered as many; before that, more are."""

_DEEPEST = 64
"""Levels of a value that the faster renderer takes: transformers refuses what is nested beyond Python's own limit."""

_KNOWN_ROOM = 64 * 2**20
"""Bytes that the tools and options which were looked at may take, for one template."""

_VALUE_BYTES, _CONTAINER_BYTES = 100, 300
"""What a value and its place take at most, and a list or dictionary by itself."""

_REFERENCE_OPTIONS = {"documents", "continue_final_message"}
"""Parameters of `apply_chat_template` that requests may set; it does more with them than hand them on."""

_TEMPLATE_NAMES = {"self", "messages", "conversations", "strftime_now", "raise_exception", "namespace", "dict"}
"""Names that `apply_chat_template` and its environment define inside a template."""

_REASONING = ("reasoning_content", "thinking", "reasoning")
"""Where a message's reasoning may stand; transformers writes it under the first two."""

_LOGGER = logging.getLogger(__name__)
_date: ContextVar[datetime | None] = ContextVar("date of the conversation being rendered", default=None)


def _strftime_now(form: str) -> str:
    # Compiled templates are shared with all of the process: to those who do not render through us, now is now.
    return (_date.get() or datetime.now()).strftime(form)  # noqa: DTZ005  (as transformers does)


class ChatRenderer:
    """Renders with one tokenizer's chat templates.

    `loaded` is what `AutoTokenizer` gave, `name` the label of its counts.
    """

    def __init__(self, loaded: Any, *, name: str) -> None:
        self._loaded = loaded
        self._name = name
        self._templates: dict[bool, _Template] = {}
        self._reserved = _TEMPLATE_NAMES | set(inspect.signature(loaded.apply_chat_template).parameters)
        self._reserved -= _REFERENCE_OPTIONS

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Any] | None = None,
        open_reply: bool = True,
        options: Mapping[str, Any] | None = None,
        date: datetime,
    ) -> str:
        """Return the conversation as the chat template writes it, ready to be counted without `special`.

        `open_reply` opens the assistant's turn at the end. `options` are the request's own template options;
        those that would replace a part of the conversation or of the machinery are left out. A template that
        asks for the time gets `date`.

        Raises:
            Uncountable: the template refuses the conversation, is broken, or there is none.

        """
        given = {name: value for name, value in (options or {}).items() if name not in self._reserved}
        moment = _date.set(date)
        try:
            return self._template(tools).render(messages, tools, open_reply, given)
        finally:
            _date.reset(moment)

    def _template(self, tools: Sequence[Any] | None) -> _Template:
        """Return the template for a conversation with or without tools."""
        template = self._templates.get(tools is not None)
        if template is None:
            try:
                source: str = self._loaded.get_chat_template(tools=tools)
            except ValueError:
                raise Uncountable(NO_TEMPLATE) from None
            template = _Template(self._loaded, source, name=self._name)
            self._templates[tools is not None] = template
        return template


class _Template:
    """One chat template of a tokenizer: the reference, and a faster way while none was seen to differ."""

    def __init__(self, loaded: Any, source: str, *, name: str) -> None:
        from transformers.utils.chat_template_utils import _compile_jinja_template  # noqa: PLC0415  (heavy)

        self._loaded = loaded
        self._source = source
        self._name = name
        self._chance = random.Random()  # noqa: S311  (nothing to guess: it decides what is looked at)
        self._rendered = 0
        # The cache of compiled templates is the one that `apply_chat_template` itself draws from, and the only
        # way to its `strftime_now`: since 5.2x functions no longer pass through the template's options.
        self._compiled = _compile_jinja_template
        try:
            _compile_jinja_template(source)
            # A second copy of the same program, in an environment of its own.
            own = _compile_jinja_template.__wrapped__(source)
        except Exception:
            raise Uncountable(BROKEN_TEMPLATE) from None
        own.environment.globals["strftime_now"] = _strftime_now
        lighten(own.environment)
        fast = _FastTemplate(own, loaded.special_tokens_map)
        self._fast = fast if self._try(fast) else None

    def render(self, messages: Sequence[Any], tools: Sequence[Any] | None, opens: bool, options: dict[str, Any]) -> str:
        """Return what the template writes; raises `Uncountable` where it refuses."""
        fast = self._fast
        if fast is None or not fast.takes(messages, tools, options):
            return _told(self._reference(messages, tools, opens, options))
        try:
            text = fast.render(messages, tools, opens, options)
        except IdentityCompared:
            return _told(self._reference(messages, tools, opens, options))
        self._rendered += 1
        if self._chance.random() * min(self._rendered, _RARELY) < 1:
            text = self._audit(text, self._reference(messages, tools, opens, options))
        return _told(text)

    def _audit(self, text: str | None, right: str | None) -> str | None:
        if text != right:
            self._fast = None
            _LOGGER.warning(
                "the faster renderer wrote a conversation otherwise than apply_chat_template, which renders from now"
                " on: tokenizer %s; %d conversations were rendered by the faster one in this process",
                self._name,
                self._rendered,
            )
        return right

    def _try(self, fast: _FastTemplate) -> bool:
        """Say whether the faster way writes, or refuses, every conversation of the trial as the reference does."""
        for given in trial_conversations():
            try:
                if fast.render(*given) != self._reference(*given):
                    break
            except IdentityCompared:
                break
        else:
            return True
        _LOGGER.info("the faster renderer differs, so that apply_chat_template renders: %s", self._name)
        return False

    def _reference(
        self, messages: Sequence[Any], tools: Sequence[Any] | None, opens: bool, options: dict[str, Any]
    ) -> str | None:
        """Return what `apply_chat_template` writes; None where it or the template refuses."""
        try:
            if not all(isinstance(message, dict) for message in messages):
                return None  # a list in the first place would be taken for a batch of conversations
            # Each time: the cache holds 128 templates, and forgets this one when there are more.
            self._compiled(self._source).environment.globals["strftime_now"] = _strftime_now
            return str(
                self._loaded.apply_chat_template(
                    messages,
                    tools=tools,
                    chat_template=self._source,
                    add_generation_prompt=opens,
                    tokenize=False,
                    **options,
                )
            )
        except Exception:  # a template is a program: it raises whatever it likes, with parts of the conversation
            return None


def _told(text: str | None) -> str:
    if text is None:
        raise Uncountable(REFUSED)
    return text


class _FastTemplate:
    """A compiled template in a lightened sandbox, given values of JSON without a copy of them."""

    def __init__(self, compiled: Any, special_tokens: Mapping[str, Any]) -> None:
        self._compiled = compiled
        self._write = compiled.root_render_func
        self._names = dict(special_tokens)
        self._sound = _json_size(self._names, _DEEPEST) > 0
        self._known: BoundedCache[int, tuple[Any, int]] = BoundedCache(_KNOWN_ROOM, lambda _key, entry: entry[1])

    def takes(self, messages: Sequence[Any], tools: Sequence[Any] | None, options: Mapping[str, Any]) -> bool:
        """Say whether all that the template is given is plain JSON, of which transformers' copies are equal."""
        return (
            self._sound
            and bool(messages)
            and _REFERENCE_OPTIONS.isdisjoint(options)
            and all(map(_is_message, messages))
            and all(type(name) is str and self._is_plain(value) for name, value in options.items())
            and (tools is None or all(type(tool) is dict and self._is_plain(tool) for tool in tools))
        )

    def _is_plain(self, value: Any) -> bool:
        """Say whether a tool or an option is plain JSON; the same object is looked at once."""
        known = self._known.get(id(value))
        if known is not None and known[0] is value:
            return True
        size = _json_size(value, _DEEPEST)
        if size and type(value) in (dict, list):
            self._known.put(id(value), (value, size))
        return size > 0

    def render(
        self, messages: Sequence[Any], tools: Sequence[Any] | None, opens: bool, options: Mapping[str, Any]
    ) -> str | None:
        """Return what the template writes; None where it refuses.

        Raises:
            IdentityCompared: only the reference can tell.
        """
        names = {
            **self._names,
            **options,
            "messages": [_normalized(message) for message in messages],
            "tools": list(tools) if tools is not None else None,
            "documents": None,
            "add_generation_prompt": opens,
        }
        try:
            return "".join(self._write(self._compiled.new_context(names)))
        except IdentityCompared:
            raise
        except Exception:  # a template is a program: it raises whatever it likes, with parts of the conversation
            return None


def _normalized(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as `apply_chat_template` hands it to the template: no nulls, reasoning under both names."""
    if None in message.values():
        message = {key: value for key, value in message.items() if value is not None}
    if message.keys().isdisjoint(_REASONING):
        return message
    reasoning = next(message[key] for key in _REASONING if key in message)
    return {"thinking": reasoning, **message, "reasoning_content": reasoning}


def _is_message(message: Any) -> bool:
    return type(message) is dict and all(
        type(name) is str and (type(value) is str or _json_size(value, _DEEPEST) > 0) for name, value in message.items()
    )


def _json_size(value: Any, levels: int) -> int:
    """Return about how many bytes a value takes; 0 where it is not of JSON's own types, or nested too deeply."""
    kind = type(value)
    if kind is str:
        return _VALUE_BYTES + 4 * len(value)
    if value is None or kind is int or kind is float or kind is bool:
        return _VALUE_BYTES
    if levels <= 0 or not (kind is dict or kind is list):
        return 0
    if kind is dict and not all(type(key) is str for key in value):
        return 0
    total = _CONTAINER_BYTES
    for item in value.values() if kind is dict else value:
        size = _json_size(item, levels - 1)
        if size == 0:
            return 0
        total += size + _VALUE_BYTES
    return total
