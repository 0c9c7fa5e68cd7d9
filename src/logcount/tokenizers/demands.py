"""What a chat template's program asks of texts: what it compares them with, and what it searches them for.

Law: texts without any of it are treated alike. Whatever may tell two such texts apart is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import nodes

from logcount.tokenizers.kinds import Kind
from logcount.tokenizers.syntax import (
    LINKS,
    field_of,
    fixed_lists,
    is_closed,
    is_number,
    is_small,
    small_names,
    texts_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logcount.tokenizers.dataflow import Dataflow

_SAME_IN_QUOTES = re.compile(r"[^\\'\"\s]*")
"""Texts that are the same in a list that is written out."""


class Demands:
    """Collects what a template asks of texts, given the kinds of its expressions."""

    def __init__(self, tree: nodes.Template, flow: Dataflow) -> None:
        self._flow = flow
        self._small = small_names(tree)
        self._lists = fixed_lists(tree)
        self.held: set[str] = set()
        self.joined: set[str] = set()
        self.equal: set[str] = set()
        self.options: set[str] = set()
        self.linked = False
        self.opaque: str | None = None

    def refuse(self, what: str) -> None:
        """Say what is not understood; the first such thing stays."""
        self.opaque = self.opaque or what

    def link(self, *fields: str | None) -> None:
        """Take note of fields that are read."""
        self.linked = self.linked or any(field in LINKS for field in fields)

    def number(self, *values: nodes.Node | None) -> None:
        """Refuse numbers by which messages further away than others would be told apart."""
        if any(value is not None and is_number(value) and not is_small(value) for value in values):
            self.refuse("a large number")

    def are_places(self, *sides: nodes.Node) -> bool:
        """Say whether all are numbers of messages, verdicts, or fixed and small."""
        return all(self._flow.kind(side) is Kind.PLACE or self._is_small(side) for side in sides)

    def strip(self, kind: Kind, arguments: Iterable[nodes.Expr]) -> None:
        """Look at what a text is stripped of: white space, line feeds, or what it must not hold then."""
        for argument in arguments if kind else ():
            texts = list(texts_in(argument))
            if not isinstance(argument, nodes.Const) or any(text.isspace() and text != "\n" for text in texts):
                self.refuse("stripping of some white space")
            self.hold(kind, [nodes.Const(one) for text in texts if text != "\n" for one in text])

    def hold(self, kind: Kind, arguments: Iterable[nodes.Expr]) -> None:
        """Remember what a text is searched for."""
        for argument in arguments:
            texts = set(texts_in(argument))
            if not isinstance(argument, nodes.Const | nodes.Tuple) or not texts:
                self.refuse("a search for no fixed text")
            if kind is Kind.CHANGED or (kind is Kind.JOINED and not all(map(_SAME_IN_QUOTES.fullmatch, texts))):
                self.refuse("a search in a text that was changed")
            (self.joined if kind is Kind.JOINED else self.held).update(texts)

    def contain(self, needle: nodes.Expr, hay: nodes.Expr) -> None:
        """Look at a search for one thing in another."""
        hay = self._lists.get(hay.name, hay) if isinstance(hay, nodes.Name) else hay
        kind = self._flow.kind(hay)
        if isinstance(hay, nodes.List | nodes.Tuple):
            for item in hay.items:
                self.equate(needle, item)
        elif not kind:
            if isinstance(hay, nodes.Name) and hay.name not in self._flow.assigned:
                self.options.add(hay.name)
            elif not is_closed(needle):
                self.refuse("a search in a fixed text")
        elif not (isinstance(needle, nodes.Const) and isinstance(needle.value, str)):
            self.refuse("a search for no fixed text")
        elif not (self._flow.is_within_given(hay) and len(needle.value) > 1):
            self.hold(kind, [needle])

    def order(self, left: nodes.Expr, right: nodes.Expr) -> None:
        """Look at a comparison by size."""
        if not self.are_places(left, right) and not any(map(is_number, (left, right))):
            self.refuse("an order of texts")

    def equate(self, left: nodes.Expr, right: nodes.Expr) -> None:
        """Look at a comparison of two things."""
        sides = [left, right]
        kinds = [self._flow.kind(side) for side in sides]
        if all(kind <= Kind.PLACE or is_closed(side) for kind, side in zip(kinds, sides, strict=True)):
            if not any(map(is_closed, sides)) and not self.are_places(left, right):
                self.refuse("a comparison with what is not seen")
        elif all(field_of(side) in LINKS for side in sides):
            self.linked = True
        elif Kind.FIXED not in kinds:
            self.refuse("a comparison of two texts")
        else:
            told = kinds.index(max(kinds))
            self.equal_to(kinds[told], sides[1 - told], one_by_one=self._flow.is_within_given(sides[told]))

    def equal_to(self, kind: Kind, fixed: nodes.Expr, *, one_by_one: bool = False) -> None:
        """Remember what something is compared with as a whole; `one_by_one`, it is no text, or one character."""
        if not isinstance(fixed, nodes.Const | nodes.Neg):
            self.refuse("a comparison of two texts")
        elif kind is Kind.CHANGED and not is_number(fixed):
            self.refuse("a comparison with a text that was changed")
        elif kind is Kind.JOINED:
            self.hold(kind, [fixed] if any(texts_in(fixed)) else [])
        else:
            partly = kind is Kind.PART and not one_by_one
            for text in texts_in(fixed):
                (self.held if partly or len(text) == 1 else self.equal).add(text)

    def look_up(self, base: nodes.Expr, key: nodes.Expr) -> None:
        """Look at a key that is not fixed: one that a conversation gives must not choose among fixed things."""
        of_all, by = self._flow.kind(base), self._flow.kind(key)
        if by > Kind.PLACE:
            if not (self._flow.is_within_given(key) if of_all else is_closed(key)):
                self.refuse("a look-up by a text")
        elif of_all and not self.are_places(key):
            self.refuse("a look-up by a key that is not seen")

    def _is_small(self, node: nodes.Node) -> bool:
        return is_small(node) or (isinstance(node, nodes.Name) and node.name in self._small)
