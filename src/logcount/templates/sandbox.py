"""A lightened sandbox: what a compiled chat template asks of its environment, answered alike in fewer steps.

Jinja's sandbox looks at every attribute and every call anew. Whether one is safe depends on the type and the name
alone, so for the types that JSON is made of it is known beforehand; everything else goes the sandbox's own way.
Source: `SandboxedEnvironment.getattr`, `getitem` and `call` of jinja2 3.1.6.
"""

from __future__ import annotations

from types import BuiltinMethodType
from typing import TYPE_CHECKING, Any

from logcount.bounded import BoundedCache

if TYPE_CHECKING:
    from collections.abc import Callable

JSON_ROOM = 64 * 2**20
"""Bytes that the remembered JSON of tools and schemas may take, for one template."""

_BYTES_A_CHARACTER = 16
"""Bytes that a value and its JSON take for each character of the JSON: {"a":{"a":{}}} is the worst, at about 14."""

_VALUE_BYTES = 400

_DICT_NAMES = frozenset(dir(dict))
_DICT_METHODS = frozenset({"items", "keys", "values", "get"})
"""Methods that the sandbox gives of a dictionary; those that change it are not among them."""

_STR_METHODS = frozenset(name for name in dir(str) if not name.startswith("_")) - {"format", "format_map"}
"""Methods that the sandbox gives of a text as they are; it wraps the two that format."""

_LOOP_NUMBERS = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"},
)
_PLAIN = frozenset({str, int, float, bool, type(None), list, dict})


class IdentityCompared(Exception):
    """A template asked whether two values are one and the same object, which remembered messages may be."""


def lighten(environment: Any) -> None:
    """Give an environment of transformers' own making the shorter ways, for good."""
    environment.getattr = _attribute_getter(environment)
    environment.getitem = _item_getter(environment)
    environment.call = _caller(environment.call)
    environment.filters["tojson"] = _json_writer(environment.filters["tojson"])
    environment.filters["indent"] = _indenter(environment.filters["indent"])
    environment.tests["sameas"] = _compare_identity


def _attribute_getter(environment: Any) -> Callable[[Any, str], Any]:
    from jinja2.runtime import LoopContext  # noqa: PLC0415  (heavy: for those who render)

    by_the_sandbox = environment.getattr
    namespace = environment.globals["namespace"]

    def get(value: Any, name: str) -> Any:
        kind = type(value)
        if kind is dict:
            if name not in _DICT_NAMES:
                return value[name] if name in value else environment.undefined(obj=value, name=name)
            return getattr(value, name) if name in _DICT_METHODS else by_the_sandbox(value, name)
        if kind is str and name in _STR_METHODS:
            return getattr(value, name)
        if kind is LoopContext and name in _LOOP_NUMBERS:
            return getattr(value, name)
        if kind is namespace and not name.startswith("_"):
            found = getattr(value, name, None)
            if type(found) in _PLAIN and found is not None:
                return found
        return by_the_sandbox(value, name)

    return get


def _item_getter(environment: Any) -> Callable[[Any, Any], Any]:
    by_the_sandbox = environment.getitem

    def get(value: Any, key: Any) -> Any:
        if type(value) is dict and type(key) is str and key not in _DICT_NAMES:
            return value[key] if key in value else environment.undefined(obj=value, name=key)
        return by_the_sandbox(value, key)

    return get


def _caller(by_the_sandbox: Callable[..., Any]) -> Callable[..., Any]:
    # The names of the sandbox's own: a keyword argument of the template's cannot be one of them.
    def call(__context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        if type(__obj) is BuiltinMethodType and type(__obj.__self__) in (str, dict):
            kwargs.pop("_loop_vars", None)  # what the compiler adds within loops and blocks, for callables that ask
            kwargs.pop("_block_vars", None)
            return __obj(*args, **kwargs)
        return by_the_sandbox(__context, __obj, *args, **kwargs)

    return call


def _json_writer(write: Callable[..., str]) -> Callable[..., str]:
    """Return a filter `tojson` that remembers what it wrote of an object, which it knows by being the same one."""
    written: BoundedCache[tuple[int, bool, int | None, bool], tuple[Any, str]] = BoundedCache(
        JSON_ROOM, lambda _key, entry: _VALUE_BYTES + _BYTES_A_CHARACTER * len(entry[1])
    )

    def tojson(
        x: Any, ensure_ascii: Any = False, indent: Any = None, separators: Any = None, sort_keys: Any = False
    ) -> str:
        usual = separators is None and type(ensure_ascii) is bool and type(sort_keys) is bool
        if type(x) is not dict or not usual or not (indent is None or type(indent) is int):
            return write(x, ensure_ascii, indent, separators, sort_keys)
        key = (id(x), ensure_ascii, indent, sort_keys)
        known = written.get(key)
        if known is None or known[0] is not x:
            known = x, write(x, ensure_ascii, indent, separators, sort_keys)
            written.put(key, known)
        return known[1]

    return tojson


def _indenter(indent: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter `indent` for values that others share: Jinja's own adds to a list in its place."""

    def indent_shared(s: Any, *args: Any, **kwargs: Any) -> Any:
        return indent(list(s) if type(s) is list else s, *args, **kwargs)

    return indent_shared


def _compare_identity(_value: Any, _other: Any) -> bool:
    raise IdentityCompared
