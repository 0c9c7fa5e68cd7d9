"""Reads single expressions of a chat template, and what it gives to which names."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, cast

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Key = str | tuple[str, str]
"""A name, or a name in a namespace; what a macro writes goes by a key without a namespace."""

NEAREST = 1
"""The largest number that a template may name messages by, or compare a number with: counts and places beyond are not
told apart."""
LINKS = frozenset({"id", "tool_call_id"})
"""Fields by which a template can look a message up by another one."""
CLOSED_NAMES = frozenset({"role", "type"})
"""Fields with a closed set of values: they are part of a message's shape, and not of its texts."""
_PICTURES = frozenset({"image", "image_url", "video", "video_url", "audio", "input_audio"})
_ADDING = frozenset({"append", "extend", "insert", "update", "setdefault"})


class Manner(Enum):
    """How something comes to a name."""

    VALUE = "as it is"
    ELEMENT = "one thing of it after the other"
    WRITTEN = "as the text that is written by it"


class Flow(NamedTuple):
    """What a template gives to names."""

    keys: list[Key]
    sources: Sequence[nodes.Node]
    manner: Manner = Manner.VALUE


def flows(tree: nodes.Template) -> Iterator[Flow]:
    """Give everything that a template gives to names."""
    for node in tree.find_all(nodes.Assign):
        yield Flow(stored(node.target), [node.node])
        if name_called(node.node) == "namespace":
            for pair in cast("nodes.Call", node.node).kwargs:
                yield Flow([(name, pair.key) for name in stored(node.target) if isinstance(name, str)], [pair.value])
    for block in tree.find_all(nodes.AssignBlock):
        whole = nodes.FilterBlock(block.body, block.filter) if block.filter is not None else None
        yield Flow(stored(block.target), [whole] if whole else block.body, Manner.WRITTEN)
    for loop in tree.find_all(nodes.For):
        yield Flow(stored(loop.target), [loop.iter], Manner.ELEMENT)
    for scope in tree.find_all(nodes.With):
        for target, value in zip(scope.targets, scope.values, strict=True):
            yield Flow(stored(target), [value])
    for macro in tree.find_all(nodes.Macro):
        yield Flow([("", macro.name)], macro.body, Manner.WRITTEN)
    yield from _calls(tree)


def _calls(tree: nodes.Template) -> Iterator[Flow]:
    macros = {macro.name: macro for macro in tree.find_all(nodes.Macro)}
    handed = [key for block in tree.find_all(nodes.CallBlock) for one in block.args for key in stored(one)]
    for call in tree.find_all(nodes.Call):
        name, given = name_called(call), arguments_of(call)
        if name in macros:
            yield Flow([argument.name for argument in macros[name].args], [*given, *macros[name].defaults])
        elif name == "caller":
            yield Flow(handed, given)
        elif isinstance(call.node, nodes.Getattr) and call.node.attr in _ADDING:
            yield Flow([_root(call.node)], given)


def name_apart(tree: nodes.Template) -> list[Flow]:
    """Give the names within each macro a name of their own; return what they may inherit from those outside."""
    inherited = []
    for macro in tree.find_all(nodes.Macro):
        assigned = {key for part in flows(nodes.Template(macro.body)) for key in part.keys if isinstance(key, str)}
        arguments = {argument.name for argument in macro.args}
        for name in macro.find_all((nodes.Name, nodes.NSRef)):
            if isinstance(name, nodes.Name | nodes.NSRef) and name.name in assigned | arguments:
                name.name = f"{macro.name}.{name.name}"
        inherited += [Flow([f"{macro.name}.{name}"], [nodes.Name(name, "load")]) for name in assigned - arguments]
    return inherited


def small_names(tree: nodes.Template) -> frozenset[str]:
    """Return the names that only ever stand for small numbers, or for no numbers."""
    given: dict[Key, bool] = {}
    for flow in flows(tree):
        small = flow.manner is Manner.VALUE and all(map(is_small, flow.sources))
        given |= {key: small and given.get(key, True) for key in flow.keys}
    return frozenset(key for key, small in given.items() if small and isinstance(key, str))


def fixed_lists(tree: nodes.Template) -> dict[str, nodes.Expr]:
    """Return the names that stand for one list of fixed things."""
    given = [(key, source) for flow in flows(tree) for key in flow.keys for source in flow.sources]
    names = [key for key, _ in given]
    return {
        key: value
        for key, value in given
        if isinstance(key, str) and names.count(key) == 1 and isinstance(value, nodes.List | nodes.Tuple)
        if all(isinstance(item, nodes.Const) for item in value.items)
    }


def picture_counters(tree: nodes.Template) -> frozenset[tuple[str, str]]:
    """Return what counts pictures: it grows only where a part of a message is found to be one."""
    inside = [
        (node.target.name, node.target.attr)
        for branch in tree.find_all(nodes.If)
        if any(text in _PICTURES for text in texts_in(branch.test))
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


def all_nodes(node: nodes.Node) -> Iterator[nodes.Node]:
    """Give every node, but what makes the text of a refusal."""
    for child in node.iter_child_nodes():
        if name_called(child) != "raise_exception":
            yield child
            yield from all_nodes(child)


def stored(target: nodes.Node) -> list[Key]:
    """Return the names that an assignment gives."""
    found: list[Key] = []
    for node in [target, *target.find_all((nodes.Name, nodes.NSRef))]:
        if isinstance(node, nodes.Name):
            found.append(node.name)
        elif isinstance(node, nodes.NSRef):
            found.append((node.name, node.attr))
    return found


def reference(node: nodes.Node) -> tuple[str, str] | None:
    """Return the name in a namespace that an expression may be."""
    if isinstance(node, nodes.NSRef):
        return node.name, node.attr
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return node.node.name, node.attr
    return None


def name_called(node: nodes.Node) -> str | None:
    """Return the name of the function or macro that is called."""
    return node.node.name if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) else None


def arguments_of(node: nodes.Call | nodes.Filter) -> list[nodes.Expr]:
    """Return the arguments of a call or a filter, named ones among them."""
    return [*node.args, *(pair.value for pair in node.kwargs if isinstance(pair, nodes.Keyword))]


def texts_in(*arguments: nodes.Node) -> Iterator[str]:
    """Give the fixed texts in some arguments."""
    for argument in arguments:
        for constant in [argument, *argument.find_all(nodes.Const)]:
            if isinstance(constant, nodes.Const) and isinstance(constant.value, str):
                yield constant.value


def field_of(node: nodes.Node) -> str | None:
    """Return the name of the field that an expression reads, else its own."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return node.arg.value if isinstance(node.arg.value, str) else None
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr == "get":
        return next(texts_in(*node.args[:1]), None)
    return node.name if isinstance(node, nodes.Name) else None


def is_closed(node: nodes.Node) -> bool:
    """Say whether an expression has a closed set of values."""
    while isinstance(node, nodes.Filter) and node.node is not None and node.name in {"upper", "lower"}:
        node = node.node
    name = field_of(node)
    return name is not None and (name in CLOSED_NAMES or re.search(r"(?:^|[._])role$", name) is not None)


def is_number(node: nodes.Node) -> bool:
    """Say whether an expression is a fixed number, or at least no text."""
    bare = node.node if isinstance(node, nodes.Neg) else node
    return isinstance(bare, nodes.Const) and not isinstance(bare.value, str)


def is_small(node: nodes.Node | None) -> bool:
    """Say whether an expression is fixed, and no number by which messages further away would be told apart."""
    bare = node.node if isinstance(node, nodes.Neg) else node
    return isinstance(bare, nodes.Const) and not (isinstance(bare.value, int | float) and abs(bare.value) > NEAREST)


def is_length(node: nodes.Node) -> bool:
    """Say whether an expression asks how long something is."""
    return isinstance(node, nodes.Filter) and node.name in {"length", "count"}


def mentions(node: nodes.Node, key: tuple[str, str]) -> bool:
    """Say whether a name in a namespace is read anywhere in an expression."""
    return any(reference(part) == key for part in [node, *node.find_all(nodes.Getattr)])


def summands(node: nodes.Node) -> list[nodes.Node]:
    """Return what a value is put together of; the value itself where it is not."""
    while isinstance(node, nodes.Filter) and node.node is not None and node.name == "trim" and not node.args:
        node = node.node
    if isinstance(node, nodes.Add):
        return [*summands(node.left), *summands(node.right)]
    return [part for one in node.nodes for part in summands(one)] if isinstance(node, nodes.Concat) else [node]


def _root(node: nodes.Node) -> str:
    """Return the name of what a method is called of."""
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        node = node.node
    return node.name if isinstance(node, nodes.Name) else ""
