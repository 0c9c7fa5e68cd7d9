"""Tells whether a chat template does nothing with its tools but write them out, apart from all messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from logcount.tokenizers.syntax import name_called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOOLS = "tools"
_TRUTHS = frozenset({"defined", "undefined", "none"})


def writes_tools_apart(tree: nodes.Template, is_told: Callable[[nodes.Node], bool]) -> bool:
    """Say whether what is written for messages depends on whether there are tools, and on nothing else of them.

    Tools may be asked for their truth; they may be looped over, or handed to a macro, outside every loop over messages;
    and such a loop or macro must not leave anything behind.
    """
    return _stays_apart(tree, tree, False, is_told)


def _stays_apart(tree: nodes.Template, node: nodes.Node, repeated: bool, is_told: Callable[[nodes.Node], bool]) -> bool:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.If | nodes.CondExpr) and _uses(child.test) and not _is_truth(child.test):
            return False
        allowed: list[nodes.Node] = [child.test] if isinstance(child, nodes.If | nodes.CondExpr) else []
        if isinstance(child, nodes.For) and _uses(child.iter):
            if repeated or not isinstance(child.iter, nodes.Name) or _leaves_behind(child):
                return False
            allowed.append(child.iter)
        if isinstance(child, nodes.Call) and _uses(child):
            macro = next((one for one in tree.find_all(nodes.Macro) if one.name == name_called(child)), None)
            if repeated or macro is None or _leaves_behind(macro):
                return False
            allowed.extend([child, *child.args])
        if _is_use(child) and child not in allowed and node not in allowed:
            return False
        inner = repeated or (isinstance(child, nodes.For) and is_told(child.iter))
        if child not in allowed and not _stays_apart_within(tree, child, allowed, inner, is_told):
            return False
    return True


def _stays_apart_within(
    tree: nodes.Template,
    node: nodes.Node,
    allowed: list[nodes.Node],
    repeated: bool,
    is_told: Callable[[nodes.Node], bool],
) -> bool:
    rest = nodes.Template([child for child in node.iter_child_nodes() if child not in allowed])
    return _stays_apart(tree, rest, repeated, is_told)


def _uses(node: nodes.Node) -> bool:
    return _is_use(node) or any(_is_use(name) for name in node.find_all(nodes.Name))


def _is_use(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == _TOOLS and node.ctx == "load"


def _is_truth(test: nodes.Node) -> bool:
    """Say whether a test asks of tools only whether there are any."""
    if isinstance(test, nodes.And | nodes.Or):
        return _is_truth(test.left) and _is_truth(test.right)
    if isinstance(test, nodes.Not):
        return _is_truth(test.node)
    if isinstance(test, nodes.Test) and _is_use(test.node):
        return test.name in _TRUTHS
    return _is_use(test) or not _uses(test)


def _leaves_behind(node: nodes.Node) -> bool:
    return any(_outer(node))


def _outer(node: nodes.Node) -> Iterator[nodes.Assign]:
    """Give what is assigned to namespaces, which outlive a loop."""
    return (one for one in node.find_all(nodes.Assign) if isinstance(one.target, nodes.NSRef))
