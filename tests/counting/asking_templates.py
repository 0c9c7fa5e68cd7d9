"""Templates that ask the sandbox for everything that a renderer could answer otherwise: each is to be written alike."""

from __future__ import annotations


def _each(does: str, first: str = "") -> str:
    return f"{first}{{% for message in messages %}}{does}\n{{% endfor %}}"


ASKING = {
    "a length of more than one": _each("{% if message.reasoning_content|length > 1 %}long{% endif %}"),
    "a length of one": _each("{% if message.content|length == 1 %}one{% endif %}{{ message.content }}"),
    "the length of a name": _each("{% if message.name|length > 1 %}named{% endif %}"),
    "the first character": _each("{{ message.content[0] }}{{ message.content[-1:] }}"),
    "every character": _each(
        "{% for c in message.content %}{% if c == 'a' %}A{% else %}{{ c }}{% endif %}{% endfor %}"
    ),
    "order": _each("{% if message.content > 'm' %}late{% endif %}{% if message['content'] <= 'H' %}early{% endif %}"),
    "state between messages": _each(
        "{% set ns.last = ns.last + message.role|length %}{{ ns.last }}{% set ns.m = message %}{{ ns.m.content }}",
        "{% set ns = namespace(last=0, m={}) %}",
    ),
    "a name that a namespace lacks": _each("{{ ns.missing }}{{ ns.missing is defined }}", "{% set ns = namespace() %}"),
    "counts of words": _each("{{ message.content.split()|length }}{{ message.content.count('a') }}"),
    "methods of texts": _each(
        "{{ message.content.strip().upper().replace('A', 'b').startswith(('B', 'H')) }}"
        "{{ message.content.partition('a')[2].rstrip('\\n').title() }}{{ message.content.find('i') }}"
    ),
    "format": _each("{{ '{} {0}'.format }}{{ '{0}-{1}'.format(message.role, loop.index) }}"),
    "format with an attribute": _each("{{ '{0.role} {0[role]}'.format(message) }}"),
    "format_map": _each("{{ '{role}'.format_map(message) }}"),
    "format kept aside": _each("{% set f = '{0.__class__}'.format %}{{ f(message) }}"),
    "unsafe attributes": _each("{{ message.__class__ }}{{ message.content.__len__ }}"),
    "an unsafe attribute of an attribute": _each("{{ message.__class__.__mro__ }}"),
    "an unsafe item": _each("{{ message['__class__'] }}{{ message['__init__'] is defined }}"),
    "a change of a message": _each("{{ message.update({'role': 'x'}) }}"),
    "a change of the messages": _each("{{ messages.append(1) }}"),
    "a change that is not called": _each("{{ message.pop is defined }}{{ messages.append is defined }}"),
    "keys named like methods": _each("{{ message.items is callable }}{{ message['items'] }}{{ message.get('items') }}"),
    "items of a message": _each("{% for k, v in message.items() %}{{ k }}={{ v }};{% endfor %}"),
    "keys and values": _each("{{ message.keys()|list }}{{ message.values()|list|length }}{{ message|items|list }}"),
    "sorted items": _each("{{ message|dictsort }}{{ message|tojson(sort_keys=true) }}{{ message|tojson(indent=2) }}"),
    "a copy": _each("{{ message.copy() }}"),
    "missing attributes": _each("{{ message.missing }}{{ message['missing'] is defined }}{{ message.missing.more }}"),
    "an attribute of a text": _each("{{ message.content.missing is defined }}{{ message.content['x'] is defined }}"),
    "an index of a mapping": _each("{{ message[0] is defined }}{{ message[none] is defined }}"),
    "slices": _each("{{ message.content[::-1] }}{{ message.content[1:3] }}", "{{ messages[1:][0].role }}"),
    "backwards": "{% for message in messages[::-1] %}{{ message.role }}{% endfor %}",
    "the loop": _each(
        "{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}"
        "{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}"
    ),
    "neighbours": _each(
        "{{ loop.previtem.role if loop.previtem }}{{ loop.nextitem.role if loop.nextitem is defined }}"
    ),
    "cycles and changes": _each("{{ loop.cycle('a', 'b') }}{{ loop.changed(message.role) }}"),
    "a loop kept aside": _each(
        "{% set outer = loop %}{% for x in 'ab' %}{{ outer.index }}{{ loop.index }}{% endfor %}"
    ),
    "a loop that calls itself": (
        "{% for value in messages recursive %}{{ value.role }}{% if value.tool_calls %}{{ loop(value.tool_calls) }}"
        "{% endif %}{% endfor %}"
    ),
    "macros": _each(
        "{{ say(message, upper=true) }}",
        "{% macro say(m, upper=false) %}{{ m.content.upper() if upper else m.content }}{% endmacro %}",
    ),
    "a call with a block": _each(
        "{% call wrap() %}{{ message.content }}{% endcall %}", "{% macro wrap() %}[{{ caller() }}]{% endmacro %}"
    ),
    "blocks": _each("{% block said scoped %}{{ message.content.strip() }}{% endblock %}"),
    "selected": (
        "{{ messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|list }}"
        "{{ messages|rejectattr('tool_calls', 'defined')|list|length }}{{ messages|map('length')|list }}"
    ),
    "grouped": "{% for role, said in messages|groupby('role') %}{{ role }}{{ said|length }}{% endfor %}",
    "unique and sorted": "{{ messages|map(attribute='role')|unique|list }}{{ messages|map(attribute='role')|sort }}",
    "sums and joins": "{{ messages|map(attribute='content')|map('length')|sum }}{{ messages|join(',', 'role') }}",
    "kinds": _each(
        "{{ message.content is string }}{{ message is mapping }}{{ 'a' is iterable }}{{ message.x is none }}"
    ),
    "arithmetic": _each("{{ loop.index * 2 // 3 ** 1 % 5 - 1.5 }}{{ message.content * 2 }}{{ message.role ~ 1 }}"),
    "a mapping of its own": _each(
        "{% set m = {'a': message, 'items': 1} %}{{ m.a.role }}{{ m.items }}{{ m['items'] }}"
    ),
    "dict": _each("{{ dict(message, x=1).x }}{{ dict(a=message.role)|tojson }}"),
    "a list that grows": _each("{% set ns.l = ns.l + [message.role] %}{{ ns.l }}", "{% set ns = namespace(l=[]) %}"),
    "a list that is changed": "{% set l = [] %}{% for m in messages %}{% set _ = l.append(m) %}{% endfor %}{{ l }}",
    "a generation": _each("{% generation %}{{ message.content }}{% endgeneration %}"),
    "loop controls": _each("{% if loop.index == 2 %}{% continue %}{% endif %}{{ message.content }}{% break %}"),
    "json of texts": _each("{{ message.content|tojson }}{{ message.role|tojson(ensure_ascii=true) }}"),
    "json of what is no json": _each("{{ loop|tojson }}"),
    "json of tools": "{% for tool in tools or [] %}{{ tool|tojson }}{{ tool.function|tojson(indent=4) }}{% endfor %}",
    "the date": "{{ strftime_now('%Y-%m-%d') }}{{ strftime_now('%d %b %Y') }}",
    "a refusal": _each(
        "{% if message.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}{{ message.content }}"
    ),
    "an error": _each("{{ message.content + 1 }}"),
    "options": "{{ enable_thinking is defined and enable_thinking }}{{ bos_token }}{{ tools|length }}",
    "a builtin": _each("{{ range(3)|list }}{{ lipsum is defined }}{{ cycler('a', 'b').next() }}{{ joiner(',')() }}"),
    "escapes": _each("{{ message.content|e }}{{ message.content|safe }}{{ (message.content|e).format() }}"),
    "a filter of a method": _each("{{ message.content|trim|replace('a', 'b')|indent(2)|wordwrap(9)|truncate(20) }}"),
    "a formatting filter": _each("{{ '%s-%s'|format(message.role, loop.index) }}"),
    "a namespace of a message": _each("{% set ns.items = message %}{{ ns.items.role }}", "{% set ns = namespace() %}"),
    "a method in a namespace": _each(
        "{% set ns.f = message.content.format %}{{ ns.f(1) }}", "{% set ns = namespace(f=none) %}{{ ns.f }}"
    ),
    "a method that a value lacks": _each(
        "{{ message.content.strip is defined }}{{ (message.weight or 1).title is defined }}"
        "{{ (message.tool_calls or []).strip is defined }}"
    ),
    "an item named like a method": _each("{{ message['items'] is defined }}{{ message['values'] is callable }}"),
    "a private name in a namespace": _each("{{ ns._Namespace__attrs }}", "{% set ns = namespace(x=1) %}"),
    "an indent that is no number": _each("{{ message|tojson(indent=2) }}{{ message|tojson(indent=2.0) }}"),
    "a method in the next item": "{% for f in ['{0.__class__}'.format, 1] %}{{ loop.previtem|string }}{% endfor %}",
}
