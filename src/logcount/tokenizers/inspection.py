"""Reads a chat template's program: what it asks of the texts of a conversation, besides writing them out.

Law: whatever is not understood is said to be `opaque`, and a conversation is then only ever rendered as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from logcount.tokenizers.arguments import opens_arguments
from logcount.tokenizers.dataflow import Dataflow
from logcount.tokenizers.demands import Demands
from logcount.tokenizers.kinds import SPLITS, STRIPS, VERDICTS, Kind
from logcount.tokenizers.syntax import (
    CLOSED_NAMES,
    all_nodes,
    arguments_of,
    is_length,
    mentions,
    name_called,
    picture_counters,
    reference,
    summands,
    texts_in,
)
from logcount.tokenizers.tools import writes_tools_apart
from logcount.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

_PLAIN_CALLS = frozenset({"get", "items", "keys", "values", "append", "pop", "update", "lower", "upper", "title"})
_PLAIN_CALLS |= frozenset({"capitalize", "isoformat", "copy", "loads"})
_GLOBALS = frozenset({"namespace", "raise_exception", "range", "strftime_now", "dict", "caller", "cycler", "joiner"})
_FILTERS = frozenset(
    {
        *("trim", "tojson", "length", "count", "default", "d", "string", "safe", "join", "map", "list", "items"),
        *("first", "last", "upper", "lower", "capitalize", "title", "replace", "dictsort", "selectattr", "rejectattr"),
        *("select", "reject", "indent", "reverse", "escape", "e", "attr", "fromjson", "from_json"),
    }
)
_SELECTIONS = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}
"""Filters that test each of many, and the place of the test's name among their arguments."""
_COMPARING = frozenset({"equalto", "eq", "==", "sameas", "ne"})
_TESTS = _COMPARING | frozenset(
    {
        *("defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "boolean", "true"),
        *("false", "in", "integer", "float", "callable"),
    }
)
_REST_OF_ARGUMENTS = frozenset({"varargs", "kwargs"})


def inspect_template(source: str, environment: Environment) -> Traits:
    """Return what a template asks of the texts that it is given."""
    return _Inspector(source, environment).traits()


class _Inspector:
    """Walks the nodes of a template once."""

    def __init__(self, source: str, environment: Environment) -> None:
        self._source = source
        self._tree = tree = environment.parse(source)
        self._flow = Dataflow(tree)
        self._demands = Demands(tree, self._flow)
        self._dates: set[str] = set()
        self._parity = False
        self._known = {node.name for node in tree.find_all(nodes.Macro)} | _GLOBALS
        self._counters = picture_counters(tree)
        loops = [loop for loop in tree.find_all(nodes.For) if self._flow.is_told(loop.iter)]
        around: list[nodes.Node] = [*loops, *tree.find_all((nodes.Macro, nodes.CallBlock))]
        self._repeated = {node for outer in around for node in outer.find_all(nodes.Assign)}

    def traits(self) -> Traits:
        """Return what was found."""
        for node in all_nodes(self._tree):
            if type(node) not in _STATEMENTS and not isinstance(node, nodes.Expr | nodes.Helper):
                self._demands.refuse("a statement that is not Jinja's own")
            look = _LOOKS.get(type(node))
            if look is not None and (type(node) in _ALWAYS or self._flow.is_told(node)):
                look(self, node)
        demands = self._demands
        return Traits(
            template=self._source,
            held=frozenset(text for text in demands.held | demands.joined if text),
            joined=frozenset(text for text in demands.joined if text),
            equal=frozenset(demands.equal),
            dates=tuple(sorted(self._dates)),
            options=frozenset(demands.options),
            linked=demands.linked,
            parity=self._parity,
            pictures=bool(self._counters),
            tools_apart=writes_tools_apart(self._tree, self._flow.is_told),
            takes_arguments_apart=opens_arguments(self._tree, self._flow),
            opaque=demands.opaque,
        )

    def _name(self, node: nodes.Name) -> None:
        if node.name in _REST_OF_ARGUMENTS:
            self._demands.refuse("arguments without a name")

    def _filter(self, node: nodes.Filter) -> None:
        kind, name = self._flow.kind(node.node), node.name
        if name not in _FILTERS:
            self._demands.refuse(f"the filter {name}")
        elif name == "trim":
            self._demands.strip(kind, node.args)
        elif name == "replace":
            self._demands.hold(kind, node.args[:1])
        elif name in _SELECTIONS:
            self._select(node, _SELECTIONS[name])
        elif name == "dictsort" and arguments_of(node):
            self._demands.refuse("an order of texts")
        elif name == "map" and not all(text in _FILTERS for text in texts_in(*node.args)):
            self._demands.refuse("a filter of each that is not known")
        if name in {"map", "attr"}:
            self._demands.link(*(part for text in texts_in(*arguments_of(node)) for part in text.split(".")))

    def _select(self, node: nodes.Filter, place: int) -> None:
        """Look at a test of each of many, by a field of theirs (`place` is 1) or by themselves."""
        if len(node.args) <= place or node.node is None:
            return
        tests, wanted = list(texts_in(node.args[place])), node.args[place + 1 :]
        field = next(texts_in(node.args[0]), None) if place else None
        self._demands.link(field)
        if not tests or tests[0] not in _TESTS:
            self._demands.refuse("a test of each that is not known")
        elif field not in CLOSED_NAMES:
            fixed = [item for one in wanted for item in (one.items if isinstance(one, _LISTS) else [one])]
            for item in fixed:
                self._demands.equal_to(Kind.WHOLE if place else max(Kind.PART, self._flow.kind(node.node)), item)

    def _test(self, node: nodes.Test) -> None:
        if node.name not in _TESTS:
            self._demands.refuse(f"the test {node.name}")
        elif node.name in _COMPARING:
            for argument in node.args or ():
                self._demands.equate(node.node, argument)
        elif node.name == "in" and node.args:
            self._demands.contain(node.node, node.args[0])

    def _call(self, node: nodes.Call) -> None:
        name = name_called(node)
        if name == "strftime_now":
            self._date(node)
        elif isinstance(node.node, nodes.Getattr):
            self._method(node.node.attr, node.node.node, node.args)
        elif name is None:
            self._demands.refuse("a call of a value")
        elif name not in self._known:
            self._demands.refuse(f"the function {name}")

    def _date(self, node: nodes.Call) -> None:
        form = node.args[0] if node.args else None
        if isinstance(form, nodes.Const) and isinstance(form.value, str):
            self._dates.add(form.value)
        else:
            self._demands.refuse("a date in a form of its own")

    def _method(self, name: str, base: nodes.Expr, arguments: list[nodes.Expr]) -> None:
        if name in STRIPS:
            self._demands.strip(self._flow.kind(base), arguments)
        elif name in SPLITS or name in VERDICTS:
            if any(map(self._flow.is_told, [base, *arguments])):
                self._demands.hold(self._flow.kind(base), arguments[:1])
        elif name not in _PLAIN_CALLS:
            self._demands.refuse(f"the method {name}")
        elif name == "get" and arguments:
            self._demands.link(*texts_in(*arguments))
            if not isinstance(arguments[0], nodes.Const):
                self._demands.look_up(base, arguments[0])

    def _compare(self, node: nodes.Compare) -> None:
        left = node.expr
        for operand in node.ops:
            right = operand.expr
            self._demands.number(left, right)
            look = {
                **dict.fromkeys(("in", "notin"), self._demands.contain),
                **dict.fromkeys(("eq", "ne"), self._demands.equate),
            }.get(operand.op, self._demands.order)
            look(left, right)
            left = right

    def _getattr(self, node: nodes.Getattr) -> None:
        self._demands.link(node.attr)

    def _getitem(self, node: nodes.Getitem) -> None:
        key = node.arg
        if isinstance(key, nodes.Const | nodes.Neg):
            self._demands.link(*texts_in(key))
            self._demands.number(key)
        elif isinstance(key, nodes.Slice):
            ends = [end for end in (key.start, key.stop, key.step) if end is not None]
            self._demands.number(*ends)
            if self._flow.kind(node.node) and not self._demands.are_places(*ends):
                self._demands.refuse("a piece of a length that is not seen")
        else:
            self._demands.look_up(node.node, key)

    def _arithmetic(self, node: nodes.BinExpr) -> None:
        self._demands.number(node.left, node.right)
        if self._flow.kind(node) is Kind.PLACE and not self._demands.are_places(node.left, node.right):
            self._demands.refuse("a calculation with a number that is not seen")

    def _remainder(self, node: nodes.Mod) -> None:
        by_two = isinstance(node.right, nodes.Const) and node.right.value == 2
        if not by_two or self._flow.kind(node.left) > Kind.PLACE:
            self._demands.refuse("a remainder")
        self._parity = True

    def _assign(self, node: nodes.Assign) -> None:
        """Refuse what grows or changes from message to message by itself, whatever the messages are."""
        own = reference(node.target)
        if own is None or own in self._counters or not mentions(node.node, own) or node not in self._repeated:
            return
        if isinstance(node.node, nodes.Or | nodes.And):  # true, or false, once and for all
            return
        others = [side for side in summands(node.node) if reference(side) != own]
        grows = any(mentions(side, own) or is_length(side) for side in others)
        if grows or not any(self._flow.kind(side) > Kind.PLACE for side in others):
            self._demands.refuse("something that grows by itself")

    def _loop(self, node: nodes.For) -> None:
        if node.recursive:
            self._demands.refuse("a loop within itself")

    def _import(self, _node: nodes.Node) -> None:
        self._demands.refuse("another template")


_LISTS = nodes.List | nodes.Tuple
_OTHERS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
_CALCULATIONS = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Pow)

_LOOKS: dict[type[nodes.Node], Callable[[_Inspector, Any], None]] = {
    nodes.Name: _Inspector._name,
    nodes.Filter: _Inspector._filter,
    nodes.Test: _Inspector._test,
    nodes.Call: _Inspector._call,
    nodes.Compare: _Inspector._compare,
    nodes.Getattr: _Inspector._getattr,
    nodes.Getitem: _Inspector._getitem,
    nodes.Mod: _Inspector._remainder,
    nodes.Assign: _Inspector._assign,
    nodes.For: _Inspector._loop,
    **dict.fromkeys(_CALCULATIONS, _Inspector._arithmetic),
    **dict.fromkeys(_OTHERS, _Inspector._import),
}

_ALWAYS = frozenset({nodes.Name, nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Assign, *_OTHERS})
"""Nodes that are looked at though no text of the conversation reaches them."""

_STATEMENTS = frozenset(
    {
        *(nodes.Output, nodes.For, nodes.If, nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.With, nodes.Assign),
        *(nodes.AssignBlock, nodes.Break, nodes.Continue, nodes.ExprStmt, nodes.Scope, nodes.ScopedEvalContextModifier),
        *_OTHERS,
    }
)
