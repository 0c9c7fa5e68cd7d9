"""Tells whether a chat template looks into the arguments of tool calls, or only writes them as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from logcount.tokenizers.kinds import Kind
from logcount.tokenizers.syntax import all_nodes, arguments_of, field_of, texts_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logcount.tokenizers.dataflow import Dataflow

_ARGUMENTS = "arguments"
_KEEPING = frozenset({"tojson", "string", "safe", "default", "d"})
"""Filters that tell nothing of what is within an object."""
_OPENING = frozenset({"items", "values", "dictsort"})
"""Filters and methods that give what is within an object, whatever its keys."""


def opens_arguments(tree: nodes.Template, flow: Dataflow) -> bool:
    """Say whether a template looks into the arguments of calls, or may do so."""
    return any(map(_Opening(flow).looks, all_nodes(tree)))


class _Opening:
    """Knows the names that may stand for arguments."""

    def __init__(self, flow: Dataflow) -> None:
        self._flow = flow
        self._names = {_ARGUMENTS}
        while (
            more := {name for one in flow.flows if self._any(one.sources) for name in map(_own, one.keys)} - self._names
        ):
            self._names |= more

    def looks(self, node: nodes.Node) -> bool:
        """Say whether an expression or a loop may look into the arguments of a call."""
        if isinstance(node, nodes.Getattr):
            return self._are(node.node) or (node.attr in _OPENING and self._is_told(node.node))
        if isinstance(node, nodes.Getitem):
            seen = isinstance(node.arg, nodes.Const | nodes.Neg | nodes.Slice)
            return self._are(node.node) or (not seen and self._is_told(node.node))
        if isinstance(node, nodes.Filter):
            named = any(_ARGUMENTS in text for text in texts_in(*arguments_of(node)))
            opened = node.name in _OPENING and self._is_told(node.node)
            return named or opened or (self._are(node.node) and node.name not in _KEEPING)
        if isinstance(node, nodes.Compare):
            return self._are(node.expr) or any(self._are(operand.expr) for operand in node.ops)
        if isinstance(node, nodes.For):
            return self._any([node.iter])
        return isinstance(node, nodes.Test) and bool(node.args) and self._are(node.node)

    def _are(self, node: nodes.Node | None) -> bool:
        if isinstance(node, nodes.CondExpr | nodes.Or | nodes.And):
            return any(map(self._are, node.iter_child_nodes()))
        if isinstance(node, nodes.Filter):
            return node.name in _KEEPING - {"tojson", "string"} and self._are(node.node)
        return node is not None and field_of(node) in self._names

    def _any(self, sources: Iterable[nodes.Node]) -> bool:
        return any(field_of(part) in self._names for one in sources for part in [one, *one.find_all(nodes.Expr)])

    def _is_told(self, node: nodes.Node | None) -> bool:
        return self._flow.kind(node) > Kind.MESSAGES


def _own(key: str | tuple[str, str]) -> str:
    return key if isinstance(key, str) else key[1]
