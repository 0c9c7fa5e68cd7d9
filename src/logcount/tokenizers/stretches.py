"""Counts texts for one tokenizer: cut into stretches, each counted once and remembered, by the fastest exact engine.

Law 4 holds here: an engine counts only after it was tried against the reference on a fixed set of texts, and only
until an audit finds a difference; texts are cut only where that is proven.
"""

from __future__ import annotations

import logging
from functools import cached_property
from sys import getsizeof
from typing import TYPE_CHECKING, Any

from logcount.bounded import BoundedCache, digest
from logcount.errors import Uncountable
from logcount.tokenizers.audit import ONE_IN, AuditedEngine
from logcount.tokenizers.cutting import LONGEST_STRETCH, Cutter, only_adds
from logcount.tokenizers.engine import FastEngine, ReferenceEngine, differences
from logcount.tokenizers.trial import texts_around, trial_texts

if TYPE_CHECKING:
    from typing import Protocol

    from logcount.tokenizers.engine import Engine

    class EngineMaker(Protocol):
        """Builds an engine from a backend; `plain` says that no text will hold an added token."""

        def __call__(self, backend: Any, *, plain: bool) -> Engine:
            """Return the engine, or raise whatever it is that keeps it from loading."""
            ...


TOO_LONG = "a text of more than 4 Mi characters that cannot be cut"

LONGEST_PIECE = 4 * 2**20
"""Characters that are tokenized at once: at worst 3 s and 270 MB by the fast engine, 6 s and 1.6 GB by the other."""

WORTH_LOADING = 2**18
"""Characters that the reference counts before the fast engine is loaded and tried, which takes 2 seconds and more."""

_TRIED = 60  # added tokens, evenly chosen, that cutting is tried on before anything is counted: a few milliseconds
_PROBES = ("", "a", " a b ", "Hello, world!\n" * 3)

DEFAULT_ROOM = 64 * 2**20
"""Bytes that the remembered counts of one tokenizer may take."""

LONGEST_OWN_KEY = 128
"""Characters up to which a stretch is its own key: beyond, a digest takes less room and hardly more time."""

_NUMBER_BYTES = 28
"""Bytes of an integer."""

_LOGGER = logging.getLogger(__name__)


def _size(key: str | bytes, _count: int) -> int:
    return getsizeof(key) + _NUMBER_BYTES


class StretchCounter:
    """Counts the tokens of texts, as the backend does; of what it has counted lately it remembers the counts.

    `room` is the memory of those counts, in bytes; `patience` the characters that the reference counts before
    `make_fast` is asked for a faster engine, and `audited` the texts that this one counts for each audit.
    """

    def __init__(
        self,
        backend: Any,
        *,
        name: str,
        room: int = DEFAULT_ROOM,
        make_fast: EngineMaker | None = FastEngine,
        patience: int = WORTH_LOADING,
        audited: int = ONE_IN,
    ) -> None:
        self._backend = backend
        self._name = name
        self._reference = ReferenceEngine(backend)
        self._added = sorted(token.content for token in backend.get_added_tokens_decoder().values() if token.content)
        self._cutter = self._proven_cutter()
        self._counts: BoundedCache[str | bytes, int] = BoundedCache(room, _size)
        self._make_fast = None if backend.encode_special_tokens else make_fast
        self._patience = patience
        self._audited = audited
        self._fast: Engine | None = None
        self._dismissals = 0

    @property
    def engine(self) -> str:
        """What counts now: `fast` or `reference`."""
        return "reference" if self._fast is None else "fast"

    def count(self, text: str) -> int:
        """Return the number of tokens, none added.

        Raises:
            Uncountable: a stretch is too long.
            TypeError, UnicodeError: the text holds half a surrogate pair.

        """
        dismissals = self._dismissals
        total = self._add_up(text)
        if dismissals != self._dismissals:  # what was counted before the difference was found is in doubt
            total = self._add_up(text)
        return total

    def _add_up(self, text: str) -> int:
        stretches = self._cutter.stretches(text)
        total = len(stretches) - 1
        counts = self._counts
        for stretch in stretches:
            if stretch or not total:  # the empty text is for the engine to count, an empty stretch is not there
                key = stretch if len(stretch) <= LONGEST_OWN_KEY else digest(stretch)
                count = counts.young.get(key)
                total += self._learn(key, stretch) if count is None else count
        return total

    @cached_property
    def added(self) -> int | None:
        """How many tokens the post-processor adds to any text; None where that is not proven."""
        number: int = self._backend.num_special_tokens_to_add(False)
        count = self._reference.count
        same = all(count(probe, special=True) - count(probe) == number for probe in _PROBES)
        return number if same and only_adds(self._backend) else None

    def count_with_added(self, text: str) -> int:
        """Return the number of tokens, those of the post-processor added, by the reference."""
        if len(text) > LONGEST_PIECE:
            raise Uncountable(TOO_LONG)
        return self._reference.count(text, special=True)

    def load(self) -> None:
        """Load the fast engine and try it against the reference, now and only once."""
        make, self._make_fast = self._make_fast, None
        if make is None:
            return
        try:
            fast = make(self._backend, plain=self._cutter.complete)
        except Exception as error:  # no wheel, an unknown kind of tokenizer, whatever a foreigner may raise
            self._tell(f"cannot be loaded ({type(error).__name__})")
            return
        wrong = differences(_Cut(self._cutter, fast), self._reference, trial_texts(self._added))
        if wrong:
            self._tell(f"differs on {wrong} texts of its trial")
        else:
            self._fast = AuditedEngine(fast, self._reference, dismiss=self._dismiss, one_in=self._audited)

    def _learn(self, key: str | bytes, stretch: str) -> int:
        count = self._counts.recall(key)
        if count is None:
            dismissals = self._dismissals
            count = self._tokenize(stretch)
            if dismissals != self._dismissals:
                count = self._tokenize(stretch)
            self._counts.put(key, count)
        return count

    def _tokenize(self, stretch: str) -> int:
        total = 0
        for piece in (stretch,) if len(stretch) <= LONGEST_STRETCH else self._cutter.pieces(stretch):
            if len(piece) > LONGEST_PIECE:
                raise Uncountable(TOO_LONG)
            if self._make_fast is not None:
                self._patience -= len(piece)
                if self._patience < 0:
                    self.load()
            total += (self._fast or self._reference).count(piece)
        return total

    def _proven_cutter(self) -> Cutter:
        """Return what cuts texts, after it was seen to do right with this version of `tokenizers`."""
        cutter, reference = Cutter(self._backend), self._reference
        texts = texts_around(self._added[:: 1 + len(self._added) // _TRIED])
        return Cutter(self._backend, whole=True) if differences(_Cut(cutter, reference), reference, texts) else cutter

    def _dismiss(self, counted: int) -> None:
        self._fast = None
        self._dismissals += 1
        self._counts.clear()
        _LOGGER.warning(
            "the fast engine counted a text otherwise than the reference, which counts from now on: tokenizer %s;"
            " of the counts so far, %d texts were counted by the fast engine in this process",
            self._name,
            counted,
        )

    def _tell(self, fault: str) -> None:
        _LOGGER.info("the fast engine %s, so that the reference counts: tokenizer %s", fault, self._name)


class _Cut:
    """An engine that is given what stands between added tokens, as in earnest."""

    def __init__(self, cutter: Cutter, engine: Engine) -> None:
        self._cutter = cutter
        self._engine = engine

    def count(self, text: str) -> int:
        stretches = self._cutter.stretches(text)
        return len(stretches) - 1 + sum(self._engine.count(one) for one in stretches if one or len(stretches) == 1)
