"""Records of one exchange that come apart: GatewayLogs and GatewayLlmLogs rows under one correlation id."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from logcount.model.counts import Outcome
from logcount.model.exchanges import Exchange, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from logcount.model.exchanges import Decoded

_REMEMBERED = 100_000
"""How many exchanges of diagnostic logs are remembered: an hour at thirty a second, in some 20 MB."""


class Siblings:
    """Remembers which exchanges were counted from GatewayLlmLogs, and which from GatewayLogs.

    The two tell of the same exchange under one correlation id, and are not joined yet: the rows with tokens count.
    Where a gateway log was counted batches before its LLM log came, it is the LLM log that is skipped. Events that are
    handed over again are decided as they were the first time.
    """

    def __init__(self) -> None:
        self._with_tokens: OrderedDict[str, None] = OrderedDict()
        self._counted: OrderedDict[str, None] = OrderedDict()

    def meet(self, results: Iterable[Decoded]) -> None:
        """Look at a batch before any of it is counted."""
        for result in results:
            if not isinstance(result, Exchange) or result.any_api or not result.usage or not result.correlation:
                continue
            if result.correlation not in self._counted:
                _remember(self._with_tokens, result.correlation)

    def outcome(self, result: Exchange | Skipped, count: Callable[[Exchange], Outcome]) -> Outcome:
        """Return what becomes of a result: it is counted, unless another record of the same exchange goes before."""
        told = self._first(result)
        if isinstance(told, Skipped):
            return Outcome(None, told.reason, True, told.id, told.time, told.model, told.dimensions)
        outcome = count(told)
        if outcome.count is not None and told.any_api and told.correlation:
            _remember(self._counted, told.correlation)
        return outcome

    def _first(self, result: Exchange | Skipped) -> Exchange | Skipped:
        if not isinstance(result, Exchange) or result.correlation is None:
            return result
        if not result.any_api and result.correlation in self._counted:
            return _skipped(result, "an LLM log whose exchange was counted from its gateway log")
        if result.any_api and result.correlation in self._with_tokens:
            return _skipped(result, "a gateway log whose exchange is counted from its LLM log")
        return result


def _remember(memory: OrderedDict[str, None], correlation: str) -> None:
    memory[correlation] = None
    memory.move_to_end(correlation)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


def _skipped(exchange: Exchange, reason: str) -> Skipped:
    return Skipped(reason, exchange.id, exchange.time, exchange.model, exchange.dimensions)
