"""The joiner: finds records that describe the same exchange, and decides which of them counts.

GatewayLogs and GatewayLlmLogs describe the same exchange under one correlation id: the rows with tokens count.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from logcount.model.exchanges import Exchange, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logcount.model.exchanges import Decoded

_REMEMBERED = 100_000
"""How many exchanges of diagnostic logs are remembered: one hour at 30 per second, in some 20 MB."""


class Joiner:
    """Remembers which exchanges were counted from GatewayLlmLogs, and which from GatewayLogs.

    If a gateway log was counted in an earlier batch than its LLM log, the LLM log is skipped. For events that are
    delivered again the decision is the same as the first time.
    """

    def __init__(self) -> None:
        self._with_tokens: OrderedDict[str, None] = OrderedDict()
        self._counted: OrderedDict[str, None] = OrderedDict()

    def meet(self, results: Iterable[Decoded]) -> None:
        """Record the LLM logs of a batch before any of it is counted."""
        for result in results:
            if not isinstance(result, Exchange) or result.any_api or not result.usage or not result.correlation:
                continue
            if result.correlation not in self._counted:
                _remember(self._with_tokens, result.correlation)

    def join(self, exchange: Exchange) -> Exchange | Skipped:
        """Return the exchange to count, or `Skipped` if another record of it counts."""
        if exchange.correlation is None:
            return exchange
        if not exchange.any_api and exchange.correlation in self._counted:
            return _skipped(exchange, "an LLM log whose exchange was counted from its gateway log")
        if exchange.any_api and exchange.correlation in self._with_tokens:
            return _skipped(exchange, "a gateway log whose exchange is counted from its LLM log")
        return exchange

    def remember_counted(self, exchange: Exchange) -> None:
        """Remember that an exchange was counted from this record."""
        if exchange.any_api and exchange.correlation:
            _remember(self._counted, exchange.correlation)


def may_be_joined(result: Decoded) -> bool:
    """Return whether another record may describe the same exchange, so that the order in the log matters."""
    return isinstance(result, Exchange) and result.correlation is not None


def _remember(memory: OrderedDict[str, None], correlation: str) -> None:
    memory[correlation] = None
    memory.move_to_end(correlation)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


def _skipped(exchange: Exchange, reason: str) -> Skipped:
    return Skipped(reason, exchange.id, exchange.time, exchange.model, exchange.dimensions)
