"""What is read of a chat template's program: what it asks of texts, and what is not understood of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from logcount.tokenizers.inspection import inspect_template
from logcount.traits import Traits

ENVIRONMENT = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
)
MACRO = "{% macro f(c) %}{{ c.a }}{{ c.b }}{% endmacro %}"


def inspected(source: str) -> Traits:
    return inspect_template(source, ENVIRONMENT)


def each(does: str) -> str:
    return "{% for m in messages %}" + does + "{% endfor %}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (each("{{ m.role + m.content }}"), {}),
        (each("{{ m.content | trim }}{{ m.content.strip('\n') }}{{ m['content'].rstrip() }}"), {}),
        (each("{% if loop.first or loop.index0 == 1 or loop.last %}x{% endif %}"), {}),
        (each("{% if m.role == 'user' and m.type in ['x'] %}x{% endif %}"), {}),
        (each("{% if m.content == 'Hi' %}x{% endif %}"), {"equal": {"Hi"}}),
        (each("{% set c = m.content %}{% if c in ['Hi', 'Ho'] %}x{% endif %}"), {"equal": {"Hi", "Ho"}}),
        (each("{% if m.content | trim == 'Hi' %}x{% endif %}"), {"held": {"Hi"}}),
        (each("{% if '</think>' in m.content %}x{% endif %}"), {"held": {"</think>"}}),
        (each("{{ m.content.split('</think>')[-1] }}"), {"held": {"</think>"}}),
        (each("{{ m.content | replace('ab', '') }}{{ m.content.strip('cd') }}"), {"held": {"ab", "c", "d"}}),
        (each("{% for p in m.content %}{% if 'image' in p %}x{% endif %}{% endfor %}"), {}),
        (MACRO + each("{% if 'Hi' in f(m) %}x{% endif %}"), {"held": {"Hi"}, "joined": {"Hi"}}),
        (each("{% set c %}{{ m.a }}{% endset %}{% if c == 'Hi' %}x{% endif %}"), {"held": {"Hi"}, "joined": {"Hi"}}),
        (each("{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}x{% endif %}"), {"parity": True}),
        (each("{{ m.tool_call_id }}"), {"linked": True}),
        (each("{{ m | attr('id') }}"), {"linked": True}),
        ("{{ strftime_now('%d %b') }}", {"dates": ("%d %b",)}),
        (each("{% if m.content in topic %}x{% endif %}"), {"options": {"topic"}}),
        (each("{% for c in m.tool_calls %}{{ c.function.arguments | tojson }}{% endfor %}"), {}),
        (each("{% for k in m.arguments %}{{ k }}{% endfor %}"), {"takes_arguments_apart": True}),
        (each("{% set a = m.arguments %}{{ a.city }}"), {"takes_arguments_apart": True}),
        ("{% for t in tools %}{{ t.name | upper }}{{ t.x[7] if t.n > 9 }}{% endfor %}", {"opaque": "a large number"}),
        (each("{% if loop.index0 == 7 %}x{% endif %}"), {"opaque": "a large number"}),
        (each("{% if m.content == messages[0].content %}x{% endif %}"), {"opaque": "a comparison of two texts"}),
        (each("{% if m.content < m.name %}x{% endif %}"), {"opaque": "an order of texts"}),
        (
            each("{% if m.content | lower == 'hi' %}x{% endif %}"),
            {"opaque": "a comparison with a text that was changed"},
        ),
        (each("{% if 'hi' in m.content | lower %}x{% endif %}"), {"opaque": "a search in a text that was changed"}),
        (each("{{ {'a': 'b'}[m.content] }}"), {"opaque": "a look-up by a text"}),
        (each("{{ m.content | wordwrap }}"), {"opaque": "the filter wordwrap"}),
        (each("{{ m.content.zfill(1) }}"), {"opaque": "the method zfill"}),
        (each("{{ lipsum() }}"), {"opaque": "the function lipsum"}),
        (each("{% if m.content is upper %}x{% endif %}"), {"opaque": "the test upper"}),
        (each("{{ m.content.strip(' ') }}"), {"opaque": "stripping of some white space"}),
        ("{{ strftime_now(form) }}", {"opaque": "a date in a form of its own"}),
        ("{% include 'x' %}", {"opaque": "another template"}),
        (
            "{% set ns = namespace(n=0) %}" + each("{% set ns.n = ns.n + 1 %}{{ ns.n }}"),
            {"opaque": "something that grows by itself"},
        ),
    ],
)
def test_a_template_is_read_for_what_it_asks_of_texts(source: str, found: dict[str, Any]) -> None:
    given: dict[str, Any] = {key: frozenset(its) if isinstance(its, set) else its for key, its in found.items()}
    expected = Traits(template=source, tools_apart=True, **given)
    traits = inspected(source)
    assert traits.opaque == expected.opaque
    if traits.opaque is None:
        assert asdict(traits) == asdict(expected)


@pytest.mark.parametrize(
    ("traits", "text", "plain"),
    [
        (Traits(), "Hi", True),
        (Traits(), " \n", False),
        (Traits(equal=frozenset({"Hi"})), " Hi\n", False),
        (Traits(equal=frozenset({"Hi"})), "Hi there", True),
        (Traits(held=frozenset({"<a>"})), "x<a>", False),
        (Traits(held=frozenset({"<a>"})), "x<a", True),
        (Traits(held=frozenset({"<a>"}), joined=frozenset({"<a>"})), "x<a ", False),
        (Traits(held=frozenset({"<a>"}), joined=frozenset({"<a>"})), "> x", False),
        (Traits(held=frozenset({"<a>"}), joined=frozenset({"<a>"})), "a", False),
        (Traits(held=frozenset({"<a>"}), joined=frozenset({"<a>"})), "x<y>z", True),
    ],
)
def test_a_text_is_plain_where_nothing_that_is_asked_for_can_be_in_it(
    traits: Traits, text: str, *, plain: bool
) -> None:
    assert traits.is_plain(text) is plain


@pytest.mark.parametrize(
    ("source", "apart"),
    [
        (each("{{ m.content }}"), True),
        ("{% if tools %}{% for t in tools %}{{ t | tojson }}{% endfor %}{% endif %}" + each("{{ m.content }}"), True),
        (each("{% if tools is not none %}!{% endif %}{{ m.content }}"), True),
        ("{% macro w(t) %}{{ t | tojson }}{% endmacro %}{{ w(tools) }}" + each("{{ m.content }}"), True),
        (each("{% if tools | length > 1 %}!{% endif %}{{ m.content }}"), False),
        (each("{% for t in tools %}{{ t.name }}{% endfor %}{{ m.content }}"), False),
        ("{% set n = tools | length %}" + each("{% if n > 1 %}!{% endif %}{{ m.content }}"), False),
        ("{% set ns = namespace(a=0) %}{% for t in tools %}{% set ns.a = 1 %}{% endfor %}" + each("{{ ns.a }}"), False),
    ],
)
def test_tools_are_written_apart_or_not(source: str, apart: bool) -> None:
    assert inspected(source).tools_apart is apart
