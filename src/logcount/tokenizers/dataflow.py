"""Follows the texts of a conversation through a chat template's program: what each expression may hold of them.

Law: an expression is at least of the kind that it is said to be of; what is not understood is `CHANGED`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from logcount.tokenizers.kinds import GIVEN, Kind, called, either, field_within, filtered, put_together, within
from logcount.tokenizers.syntax import Manner, arguments_of, flows, name_apart, name_called, reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.tokenizers.syntax import Flow, Key

_NEIGHBOURS = frozenset({"previtem", "nextitem"})


class Dataflow:
    """The kinds of all names and expressions of a template, whose macros are given names of their own."""

    def __init__(self, tree: nodes.Template) -> None:
        inherited = name_apart(tree)
        own = list(flows(tree))
        self.flows = [*inherited, *own]
        """What is given to which names."""
        self._macros = {macro.name for macro in tree.find_all(nodes.Macro)}
        self._namespaces = self._all_namespaces()
        self._kinds: dict[Key, Kind] = {"messages": Kind.MESSAGES, "caller": Kind.CHANGED}
        self._elements = {key for flow in self.flows if flow.manner is Manner.ELEMENT for key in flow.keys}
        self.assigned = {*self._kinds, *(key for flow in self.flows for key in flow.keys)}
        """All names that the template itself gives."""
        self._follow()
        longer = [flow for flow in own if not self._gives_elements(flow)]
        self._longer = {key for flow in longer for key in flow.keys}

    def kind(self, node: nodes.Node | None) -> Kind:
        """Return the kind of an expression."""
        if node is None:
            return Kind.FIXED
        rule = _RULES.get(type(node))
        if rule is not None:
            return rule(self, node)
        return Kind.CHANGED if any(map(self.kind, node.iter_child_nodes())) else Kind.FIXED

    def is_told(self, node: nodes.Node) -> bool:
        """Say whether an expression, or any part of it, holds anything of the conversation."""
        return self.kind(node) > Kind.FIXED or any(self.kind(name) > Kind.FIXED for name in node.find_all(nodes.Name))

    def is_within_given(self, node: nodes.Node) -> bool:
        """Say whether an expression is a key of an object, a part of a message or a character, and no longer text."""
        one_by_one = isinstance(node, nodes.Name) and node.name in self._elements - self._longer
        return one_by_one and self.kind(node) in GIVEN

    def _gives_elements(self, flow: Flow) -> bool:
        kinds = {self.kind(source) for source in flow.sources}
        return flow.manner is Manner.ELEMENT and kinds <= {Kind.MESSAGES, Kind.WHOLE}

    def _all_namespaces(self) -> set[str]:
        """Return the names that are only ever given a namespace, and that with named values."""
        given = [(key, source) for flow in self.flows for key in flow.keys for source in flow.sources]
        spaces = {key for key, source in given if isinstance(key, str) and name_called(source) == "namespace"}
        others = {
            key
            for key, source in given
            if not (isinstance(source, nodes.Call) and name_called(source) == "namespace" and not source.args)
        }
        return spaces - {key for key in others if isinstance(key, str)}

    def _follow(self) -> None:
        """Find the least kinds that all assignments agree with."""
        changing = True
        while changing:
            changing = False
            for flow in self.flows:
                kind = self._given(flow)
                for key in flow.keys:
                    known = self._kinds.get(key, Kind.FIXED)
                    self._kinds[key] = either((known, kind))
                    changing = changing or self._kinds[key] != known

    def _given(self, flow: Flow) -> Kind:
        if flow.manner is Manner.WRITTEN:
            return self._written(flow)
        kind = either(map(self.kind, flow.sources))
        return within(kind) if flow.manner is Manner.ELEMENT else kind

    def _written(self, flow: Flow) -> Kind:
        """Return the kind of what some of a template writes."""
        parts = [part for node in flow.sources for part in [node, *node.find_all(nodes.Node)]]
        kinds = [self.kind(one) for part in parts if isinstance(part, nodes.Output) for one in part.nodes]
        return put_together(kinds, changed=any(isinstance(part, nodes.FilterBlock | nodes.CallBlock) for part in parts))

    def _name(self, node: nodes.Name) -> Kind:
        if node.name in self._namespaces:  # as a whole, it may go anywhere
            inner = (kind for key, kind in self._kinds.items() if isinstance(key, tuple) and key[0] == node.name)
            return Kind.CHANGED if any(inner) else Kind.FIXED
        if node.name == "loop":
            return either(self._kinds.get(name, Kind.FIXED) for name in self._elements)
        return self._kinds.get(node.name, Kind.FIXED)

    def _getattr(self, node: nodes.Getattr) -> Kind:
        key = reference(node)
        if key is not None and key[0] in self._namespaces:
            return self._kinds.get(key, Kind.FIXED)
        kind = self.kind(node.node)
        if key is not None and key[0] == "loop" and node.attr not in _NEIGHBOURS:
            return min(kind, Kind.PLACE)
        return field_within(either((kind, self._kinds.get(key, Kind.FIXED) if key else Kind.FIXED)))

    def _getitem(self, node: nodes.Getitem) -> Kind:
        kind, key = self.kind(node.node), node.arg
        if isinstance(key, nodes.Slice):
            return Kind.PART if kind is Kind.WHOLE else kind
        if isinstance(key, nodes.Const) and isinstance(key.value, str):
            return field_within(kind)
        return either((within(kind), Kind.CHANGED if self.kind(key) and not kind else Kind.FIXED))

    def _filter(self, node: nodes.Filter) -> Kind:
        others = list(map(self.kind, arguments_of(node)))
        return filtered(node.name, self.kind(node.node), others, by_field=not node.args)

    def _call(self, node: nodes.Call) -> Kind:
        arguments, target, name = either(map(self.kind, arguments_of(node))), node.node, name_called(node)
        if isinstance(target, nodes.Getattr):
            return called(target.attr, self.kind(target.node), arguments)
        if name in self._macros:
            return self._kinds.get(("", name), Kind.FIXED)
        if name == "range" and arguments <= Kind.PLACE:
            return arguments
        if name == "dict":
            return arguments
        return Kind.CHANGED if arguments or self.kind(target) else Kind.FIXED

    def _add(self, node: nodes.Add) -> Kind:
        kinds = [self.kind(node.left), self.kind(node.right)]
        for mine, other in ((node.left, kinds[1]), (node.right, kinds[0])):
            if isinstance(mine, nodes.List):
                messages = other is Kind.MESSAGES and self.kind(mine) in GIVEN | {Kind.FIXED}
                return Kind.MESSAGES if messages else either(kinds)
        return max(kinds) if max(kinds) <= Kind.PLACE else put_together(kinds)

    def _number(self, node: nodes.BinExpr) -> Kind:
        kind = max(self.kind(node.left), self.kind(node.right))
        return kind if kind <= Kind.PLACE else Kind.CHANGED

    def _concat(self, node: nodes.Concat) -> Kind:
        return put_together(map(self.kind, node.nodes))

    def _verdict(self, node: nodes.Node) -> Kind:
        return Kind.PLACE if any(self.is_told(child) for child in node.iter_child_nodes()) else Kind.FIXED

    def _choice(self, node: nodes.CondExpr) -> Kind:
        values = either((self.kind(node.expr1), self.kind(node.expr2)))
        return values or (Kind.PLACE if self.is_told(node.test) else Kind.FIXED)

    def _any(self, node: nodes.Node) -> Kind:
        return either(map(self.kind, node.iter_child_nodes()))

    def _collection(self, node: nodes.Node) -> Kind:
        kind = self._any(node)  # what is in it is found there again, and may be a text
        return Kind.PART if kind in GIVEN else kind


_RULES: dict[type[nodes.Node], Callable[[Dataflow, Any], Kind]] = {
    nodes.Name: Dataflow._name,
    nodes.Getattr: Dataflow._getattr,
    nodes.Getitem: Dataflow._getitem,
    nodes.Filter: Dataflow._filter,
    nodes.Call: Dataflow._call,
    nodes.Add: Dataflow._add,
    nodes.Concat: Dataflow._concat,
    nodes.CondExpr: Dataflow._choice,
    **dict.fromkeys((nodes.Compare, nodes.Test, nodes.Not), Dataflow._verdict),
    **dict.fromkeys((nodes.Sub, nodes.Mod), Dataflow._number),
    **dict.fromkeys((nodes.Neg, nodes.Pos, nodes.And, nodes.Or, nodes.Pair), Dataflow._any),
    **dict.fromkeys((nodes.List, nodes.Tuple, nodes.Dict), Dataflow._collection),
}
