"""Reads a chat template's program: what it asks of the texts of a conversation, besides writing them out.

Law: whatever is not understood is said to be `opaque`, and a conversation is then only ever rendered as a whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from logcount.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jinja2 import Environment

_STRIPS = frozenset({"strip", "lstrip", "rstrip"})
_SEARCHES = frozenset(
    {"split", "rsplit", "partition", "rpartition", "startswith", "endswith", "find", "rfind", "index"}
)
_SEARCHES |= frozenset({"count", "replace", "removeprefix", "removesuffix"})
_PLAIN_CALLS = frozenset({"get", "items", "keys", "values", "append", "pop", "update", "lower", "upper", "title"})
_PLAIN_CALLS |= frozenset({"capitalize", "isoformat", "copy", "loads"})
_GLOBALS = frozenset({"namespace", "raise_exception", "range", "strftime_now", "dict", "caller", "cycler", "joiner"})
_FILTERS = frozenset(
    {
        *("trim", "tojson", "length", "count", "default", "d", "string", "safe", "join", "map", "list", "items"),
        *("first", "last", "upper", "lower", "capitalize", "title", "replace", "dictsort", "selectattr", "rejectattr"),
        *("select", "reject", "indent", "int", "reverse", "escape", "e", "attr", "unique", "sort", "fromjson"),
        *("from_json", "min", "max"),
    }
)
_TESTS = frozenset(
    {
        *("defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "boolean", "true"),
        *("false", "equalto", "eq", "==", "in", "sameas", "ne", "integer", "float", "callable"),
    }
)
_NEAREST = 1
"""The largest number that a template may name messages by, or compare a number with: counts and places beyond are not
told apart."""

_LINKS = frozenset({"id", "tool_call_id"})
"""Fields by which a template can look a message up by another one."""

_CLOSED_NAMES = frozenset({"role", "type"})
"""Fields with a closed set of values: they are part of a message's shape, and not of its texts."""


def inspect_template(source: str, environment: Environment) -> Traits:
    """Return what a template asks of the texts that it is given."""
    return _Inspector(source, environment).traits()


class _Inspector:
    """Walks the nodes of a template once."""

    def __init__(self, source: str, environment: Environment) -> None:
        self._source = source
        self._tree = tree = environment.parse(source)
        self._held: set[str] = set()
        self._equal: set[str] = set()
        self._dates: set[str] = set()
        self._opaque: str | None = None
        self._linked = False
        self._parity = False
        stored = {name for node in tree.find_all(nodes.Assign) for name in _stored(node.target)}
        self._elements = {name for node in tree.find_all(nodes.For) for name in _stored(node.target)} - stored
        self._known = {node.name for node in tree.find_all(nodes.Macro)} | _GLOBALS
        self._told = _told_by_messages(tree)
        self._options: set[str] = set()
        self._counters = _picture_counters(tree)

    def traits(self) -> Traits:
        """Return what was found."""
        for node in _nodes(self._tree):
            look = _LOOKS.get(type(node))
            if look is not None and (type(node) in _ALWAYS or self._is_told(node)):
                look(self, node)
        return Traits(
            template=self._source,
            held=frozenset(text for text in self._held if text),
            equal=frozenset(self._equal),
            dates=tuple(sorted(self._dates)),
            options=frozenset(self._options),
            linked=self._linked,
            parity=self._parity,
            pictures=bool(self._counters),
            opaque=self._opaque,
        )

    def _is_told(self, node: nodes.Node) -> bool:
        return any(name.name in self._told for name in node.find_all(nodes.Name))

    def _refuse(self, what: str) -> None:
        self._opaque = self._opaque or what

    def _filter(self, node: nodes.Filter) -> None:
        if node.name not in _FILTERS:
            self._refuse(f"the filter {node.name}")
        if node.name in {"replace", "trim"} and node.args:
            self._hold(node.args[:1], strip=node.name == "trim")

    def _test(self, node: nodes.Test) -> None:
        if node.name not in _TESTS:
            self._refuse(f"the test {node.name}")
        self._equal.update(_texts_of(node.args))

    def _call(self, node: nodes.Call) -> None:
        if isinstance(node.node, nodes.Name):
            name = node.node.name
            if name == "strftime_now":
                self._date(node)
            elif name not in self._known:
                self._refuse(f"the function {name}")
        elif isinstance(node.node, nodes.Getattr):
            self._method(node.node.attr, node.args)
        else:
            self._refuse("a call of a value")

    def _date(self, node: nodes.Call) -> None:
        form = node.args[0] if node.args else None
        if isinstance(form, nodes.Const) and isinstance(form.value, str):
            self._dates.add(form.value)
        else:
            self._refuse("a date in a form of its own")

    def _method(self, name: str, arguments: list[nodes.Expr]) -> None:
        if name in _STRIPS:
            self._hold(arguments, strip=True)
        elif name in _SEARCHES:
            self._hold(arguments[:1], strip=False)
        elif name not in _PLAIN_CALLS:
            self._refuse(f"the method {name}")
        elif name == "get":
            self._linked = self._linked or any(text in _LINKS for text in _texts_of(arguments))

    def _hold(self, arguments: list[nodes.Expr], *, strip: bool) -> None:
        """Remember what a text is searched for; what it is stripped of must be white space."""
        for argument in arguments:
            texts = list(_texts(argument))
            if not texts:
                self._refuse("a search for no fixed text")
            self._held.update(text for text in texts if not (strip and text.isspace()))

    def _compare(self, node: nodes.Compare) -> None:
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        for side in sides:
            self._number(side)
        for operand in node.ops:
            if operand.op in {"in", "notin"}:
                self._contain(node.expr, operand.expr)
            elif operand.op in {"eq", "ne"}:
                self._equate(sides)

    def _contain(self, needle: nodes.Expr, hay: nodes.Expr) -> None:
        if isinstance(hay, nodes.List | nodes.Tuple):
            self._equate([needle, *hay.items])
        elif isinstance(hay, nodes.Const):
            self._equate([needle, hay])
            if not _is_closed(needle):
                self._refuse("a search in a fixed text")
        elif isinstance(hay, nodes.Name) and hay.name in self._elements:
            if not isinstance(needle, nodes.Const):
                self._refuse("a search for no fixed text")
        elif isinstance(needle, nodes.Const) and isinstance(needle.value, str):
            self._held.add(needle.value)
        elif isinstance(hay, nodes.Name) and hay.name not in self._told:
            self._options.add(hay.name)
        else:
            self._refuse("a search for no fixed text")

    def _equate(self, sides: list[nodes.Expr]) -> None:
        if any(_is_closed(side) for side in sides) or all(_is_verdict(side) for side in sides):
            return
        texts = [text for side in sides for text in _texts(side)]
        fixed = [side for side in sides if isinstance(side, nodes.Const | nodes.List | nodes.Tuple | nodes.Neg)]
        if not fixed and any(_field(side) in _LINKS for side in sides):
            self._linked = True
        elif not fixed:
            self._refuse("a comparison of two texts")
        whole = all(_is_path(side) or side in fixed for side in sides)
        (self._equal if whole else self._held).update(texts)

    def _getattr(self, node: nodes.Getattr) -> None:
        self._linked = self._linked or node.attr in _LINKS

    def _getitem(self, node: nodes.Getitem) -> None:
        key = node.arg
        if isinstance(key, nodes.Const) and isinstance(key.value, str):
            self._linked = self._linked or key.value in _LINKS
        elif isinstance(key, nodes.Const | nodes.Neg):
            self._number(key)
        elif isinstance(key, nodes.Slice):
            for end in (key.start, key.stop, key.step):
                self._number(end)

    def _number(self, node: nodes.Node | None) -> None:
        """Refuse a number by which messages further away than others would be told apart."""
        bare = node.node if isinstance(node, nodes.Neg) else node
        if isinstance(bare, nodes.Const) and isinstance(bare.value, int | float) and abs(bare.value) > _NEAREST:
            self._refuse("a large number")

    def _arithmetic(self, node: nodes.BinExpr) -> None:
        self._number(node.left)
        self._number(node.right)

    def _modulo(self, node: nodes.Mod) -> None:
        if not (isinstance(node.right, nodes.Const) and node.right.value == 2):
            self._refuse("a remainder")
        self._parity = True

    def _assign(self, node: nodes.Assign) -> None:
        """Refuse what counts: a number that grows from message to message."""
        target = node.target
        if isinstance(target, nodes.NSRef) and isinstance(node.node, nodes.Add | nodes.Sub):
            own = (target.name, target.attr)
            sides = (node.node.left, node.node.right)
            grown = any(_reference(side) == own for side in sides)
            if grown and own not in self._counters and any(_is_number(side) for side in sides):
                self._refuse("a number that grows")

    def _loop(self, node: nodes.For) -> None:
        if node.recursive:
            self._refuse("a loop within itself")

    def _import(self, _node: nodes.Node) -> None:
        self._refuse("another template")


_LOOKS: dict[type[nodes.Node], Callable[[_Inspector, Any], None]] = {
    nodes.Filter: _Inspector._filter,
    nodes.Test: _Inspector._test,
    nodes.Call: _Inspector._call,
    nodes.Compare: _Inspector._compare,
    nodes.Getattr: _Inspector._getattr,
    nodes.Getitem: _Inspector._getitem,
    nodes.Mod: _Inspector._modulo,
    nodes.Add: _Inspector._arithmetic,
    nodes.Sub: _Inspector._arithmetic,
    nodes.Mul: _Inspector._arithmetic,
    nodes.Div: _Inspector._arithmetic,
    nodes.FloorDiv: _Inspector._arithmetic,
    nodes.Assign: _Inspector._assign,
    nodes.For: _Inspector._loop,
    nodes.Include: _Inspector._import,
    nodes.Import: _Inspector._import,
    nodes.FromImport: _Inspector._import,
    nodes.Extends: _Inspector._import,
}


_ALWAYS = frozenset({nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Assign})
"""Nodes that are looked at though no text of the conversation reaches them."""


def _told_by_messages(tree: nodes.Template) -> frozenset[str]:
    """Return the names that may stand for a part of the conversation."""
    flows = [(set(_stored(node.target)), node.node) for node in tree.find_all(nodes.Assign)]
    flows += [(set(_stored(node.target)), node.iter) for node in tree.find_all(nodes.For)]
    flows += [(set(_stored(node.target)), node) for node in tree.find_all(nodes.AssignBlock)]
    flows += [({argument.name for argument in macro.args}, call) for macro, call in _uses_of_macros(tree)]
    flows += [({macro.name}, macro) for macro in tree.find_all(nodes.Macro)]
    flows += [(_changed_by(call), call) for call in tree.find_all(nodes.Call)]
    told = {"messages", "caller"}
    while more := {
        name
        for targets, source in flows
        for name in targets - told
        if any(used.name in told for used in [source, *source.find_all(nodes.Name)] if isinstance(used, nodes.Name))
    }:
        told |= more
    return frozenset(told)


def _changed_by(call: nodes.Call) -> set[str]:
    """Return the list or object that a call may add its arguments to."""
    root: nodes.Node = call.node
    if not (isinstance(root, nodes.Getattr) and root.attr in {"append", "extend", "insert", "update", "setdefault"}):
        return set()
    while isinstance(root, nodes.Getattr | nodes.Getitem):
        root = root.node
    return {root.name} if isinstance(root, nodes.Name) else set()


def _uses_of_macros(tree: nodes.Template) -> Iterator[tuple[nodes.Macro, nodes.Call]]:
    macros = {macro.name: macro for macro in tree.find_all(nodes.Macro)}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in macros:
            yield macros[call.node.name], call


def _picture_counters(tree: nodes.Template) -> frozenset[tuple[str, str]]:
    """Return what counts pictures: it grows only where a part of a message is found to be one."""
    inside = [
        (node.target.name, node.target.attr)
        for branch in tree.find_all(nodes.If)
        if any(text in _PICTURES for text in _texts(branch.test))
        for part in branch.body
        for node in [part, *part.find_all(nodes.Assign)]
        if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.NSRef)
    ]
    everywhere = [
        (node.target.name, node.target.attr)
        for node in tree.find_all(nodes.Assign)
        if isinstance(node.target, nodes.NSRef)
    ]
    return frozenset(counter for counter in inside if inside.count(counter) >= everywhere.count(counter))


_PICTURES = frozenset({"image", "image_url", "video", "video_url", "audio", "input_audio"})


def _is_number(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, int)


def _nodes(node: nodes.Node) -> Iterator[nodes.Node]:
    """Give every node, but what makes the text of a refusal."""
    for child in node.iter_child_nodes():
        called = child.node if isinstance(child, nodes.Call) else None
        if not (isinstance(called, nodes.Name) and called.name == "raise_exception"):
            yield child
            yield from _nodes(child)


def _stored(target: nodes.Node) -> Iterator[str]:
    for node in [target, *target.find_all((nodes.Name, nodes.NSRef))]:
        if isinstance(node, nodes.Name | nodes.NSRef):
            yield node.name


def _texts(node: nodes.Node) -> Iterator[str]:
    """Give the fixed texts in an argument."""
    for constant in [node] if isinstance(node, nodes.Const) else node.find_all(nodes.Const):
        if isinstance(constant.value, str):
            yield constant.value


def _texts_of(arguments: list[nodes.Expr]) -> Iterator[str]:
    return (text for argument in arguments for text in _texts(argument))


def _field(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return node.arg.value if isinstance(node.arg.value, str) else None
    return node.name if isinstance(node, nodes.Name) else None


def _is_closed(node: nodes.Node) -> bool:
    name = _field(node)
    return name is not None and (name in _CLOSED_NAMES or re.search(r"(?:^|_)role$", name) is not None)


def _is_path(node: nodes.Node) -> bool:
    """Say whether a value is as it was given: a name, or a field of one."""
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if _field(node) is None:
            return False
        node = node.node
    return isinstance(node, nodes.Name)


def _is_verdict(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Compare | nodes.Test | nodes.Not | nodes.And | nodes.Or)


def _reference(node: nodes.Node) -> tuple[str, str] | None:
    if isinstance(node, nodes.NSRef):
        return node.name, node.attr
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return node.node.name, node.attr
    return None
