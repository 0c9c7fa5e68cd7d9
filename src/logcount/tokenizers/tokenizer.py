"""A model's tokenizer and chat template: counts the tokens of texts, renders conversations.

Law 4 holds here: a count is what the backend that `AutoTokenizer` built gives, and a rendered conversation
is what `apply_chat_template` gives; nothing is approximated.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from logcount.errors import Uncountable
from logcount.tokenizers.stretches import StretchCounter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.traits import Traits

NO_TEMPLATE = "the tokenizer has no chat template"
BROKEN_TEMPLATE = "the chat template does not compile"
REFUSED = "the chat template refuses this conversation"

_LOGGER = logging.getLogger(__name__)
_FINGERPRINT_LENGTH = 12  # 48 bits of sha256: enough to tell tokenizers apart, short enough for a column
_TEMPLATE_OPTIONS = {"documents", "continue_final_message"}
"""Parameters of `apply_chat_template` that requests to open servers may set, too."""
_TEMPLATE_NAMES = {"self", "messages", "conversations", "strftime_now", "raise_exception", "namespace", "dict"}
"""Names that `apply_chat_template` and its environment define inside a template."""

_date: ContextVar[datetime | None] = ContextVar("date of the conversation being rendered", default=None)


def _strftime_now(form: str) -> str:
    # Compiled templates are shared with all of the process: to those who do not render through us, now is now.
    return (_date.get() or datetime.now()).strftime(form)  # noqa: DTZ005  (as transformers does)


class TransformersTokenizer:
    """A tokenizer that `AutoTokenizer` loaded, behind the few methods that counting needs."""

    def __init__(self, loaded: Any, *, name: str) -> None:
        from transformers.utils.chat_template_utils import _compile_jinja_template  # noqa: PLC0415  (heavy: see load)

        self.name = name
        self._loaded = loaded
        self._backend = loaded.backend_tokenizer
        # Calling the tokenizer sets these on its backend every time; here it is done once.
        self._backend.no_truncation()
        self._backend.no_padding()
        self._backend.encode_special_tokens = loaded.split_special_tokens
        self._counter = StretchCounter(self._backend, name=name)
        # The cache of compiled templates is the one that `apply_chat_template` itself draws from, and the only
        # way to its `strftime_now`: since 5.2x functions no longer pass through the template's options.
        self._compiled = _compile_jinja_template
        self._traits: dict[str, Traits] = {}
        self._reserved = _TEMPLATE_NAMES | set(inspect.signature(loaded.apply_chat_template).parameters)
        self._reserved -= _TEMPLATE_OPTIONS

    @cached_property
    def fingerprint(self) -> str:
        """Short sha256 of all that decides a count: the backend as built, the templates, the special tokens."""
        template = [self._loaded.chat_template, self._loaded.special_tokens_map]
        parts = (self._backend.to_str(), json.dumps(template, sort_keys=True, default=str))
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:_FINGERPRINT_LENGTH]

    def count(self, text: str, *, special: bool = False) -> int:
        """Return the number of tokens of a text.

        With `special`, the tokenizer adds its own special tokens, as servers do for texts outside a chat.
        Text that looks like a special token is one, as it is to servers. A surrogate pair written as two
        halves is its character; a lone surrogate, which no tokenizer takes, is counted as U+FFFD.

        Raises:
            Uncountable: the text is longer than can be tokenized at once, and cannot be cut.

        """
        try:
            return self._count(text, special=special)
        except (TypeError, UnicodeError):
            # What the engines raise on surrogates; any other text goes through.
            return self._count(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), special=special)

    def seams(self, text: str) -> list[int] | None:
        """Return where a text can be cut so that the counts of the pieces add up to the count of the whole.

        These are the offsets, ascending, at which the tokenizer's added tokens start and end; None where it is
        not proven of this tokenizer that its texts can be cut.
        """
        return self._counter.seams(text)

    def firm_seams(self, text: str) -> list[int] | None:
        """Return those of the seams at which the text on either side can be replaced by any other."""
        return self._counter.firm_seams(text)

    def traits(self, tools: Sequence[Any] | None) -> Traits:
        """Return what the chat template for these tools asks of the texts that it is given.

        Raises:
            Uncountable: the template is broken, or there is none.

        """
        source = self._template(tools)
        traits = self._traits.get(source)
        if traits is None:
            from logcount.tokenizers.inspection import inspect_template  # noqa: PLC0415  (jinja2, for those who render)

            traits = self._traits[source] = inspect_template(source, self._compiled(source).environment)
        return traits

    def distrust_template(self, composed: int) -> None:
        """Tell the operator that so many conversations were counted by a template that is not what it was taken for."""
        _LOGGER.warning(
            "a conversation is counted otherwise in parts than as a whole, so that all are rendered whole from now on:"
            " tokenizer %s; of the counts so far, %d prompts were counted in parts in this process",
            self.name,
            composed,
        )

    def prepare(self) -> None:
        """Load the fast engine and try it, which takes some seconds; else it is done when enough was counted."""
        self._counter.load()

    @property
    def engine(self) -> str:
        """What counts texts now: `fast` or `reference`."""
        return self._counter.engine

    def _count(self, text: str, *, special: bool) -> int:
        if not special:
            return self._counter.count(text)
        added = self._counter.added
        return self._counter.count(text) + added if added is not None else self._counter.count_with_added(text)

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
        template = self._template(tools)
        given = {name: value for name, value in (options or {}).items() if name not in self._reserved}
        moment = _date.set(date)
        try:
            if not all(isinstance(message, Mapping) for message in messages):
                raise TypeError  # a list in the first place would be taken for a batch of conversations
            text = self._loaded.apply_chat_template(
                messages,
                tools=tools,
                chat_template=template,
                add_generation_prompt=open_reply,
                tokenize=False,
                **given,
            )
        except Exception:  # a template is a program: it raises whatever it likes, with parts of the conversation
            raise Uncountable(REFUSED) from None
        finally:
            _date.reset(moment)
        return str(text)

    def _template(self, tools: Sequence[Any] | None) -> str:
        """Return the text of the template for these tools, compiled and with our clock in it."""
        try:
            template: str = self._loaded.get_chat_template(tools=tools)
        except ValueError:
            raise Uncountable(NO_TEMPLATE) from None
        try:
            compiled = self._compiled(template)
        except Exception:
            raise Uncountable(BROKEN_TEMPLATE) from None
        compiled.environment.globals["strftime_now"] = _strftime_now
        return template
