# ruff: noqa: E501  (a small template is read best in one line)
"""Chat templates that no model has: each asks for what a faster renderer could get wrong, or tries to do harm."""

from __future__ import annotations


def _all(does: str, first: str = "", last: str = "") -> str:
    return f"{first}{{%- for m in messages %}}{does}{{%- endfor %}}{last}"


_SAY = "{{- '[' ~ m.role ~ ']' ~ m.content }}"
_OPEN = "{% if add_generation_prompt %}[assistant]{% endif %}"

OF_TEXTS = {
    "lengths": _all("{{ m.content|length }},{{ m.content|count }};{{ m.role|length > 4 }}"),
    "counts of a character": _all("{{ m.content.count('a') }} {{ m.content|list|length }}"),
    "first and last characters": _all("{{ m.content|first }}{{ m.content|last }}{{ m.content[0] }}{{ m.content[-1] }}"),
    "a character beyond the end": _all("{{ m.content[500] }}|{{ m.content[500] is undefined }}|{{ m.content[-2] }}"),
    "equality": _all("{{ m.content == messages[0].content }}{{ m.content != '' }}{{ m.content is eq('Hi') }}"),
    "order": _all("{{ m.content < messages[-1].content }}{{ m.content is gt('a') }}{{ 'a' <= m.content <= 'z' }}"),
    "loops over characters": _all("{% for c in m.content %}{{ loop.index }}{{ c|upper }}{% else %}none{% endfor %}"),
    "characters backwards": _all("{{ m.content|reverse }}{{ m.content[::-1] }}{{ m.content[::2] }}{{ m.content[-3:] }}"),
    "a search": _all("{{ 'a' in m.content }}{{ m.content.find('Hi') }}{{ m.content.rfind('i') }}{{ m.content.index('') }}"),
    "split": _all("{{ m.content.split() }}{{ m.content.split('a', 1)[-1] }}{{ m.content.splitlines()|length }}"),
    "split by nothing": _all("{{ m.content.split('') }}"),
    "a split thought": _all(
        "{% if '</think>' in m.content %}{{ m.content.split('</think>')[0].split('<think>')[-1].lstrip('\n') }}+"
        "{{ m.content.split('</think>')[-1].lstrip('\n') }}{% else %}{{ m.content }}{% endif %}"
    ),
    "starts and ends": _all("{{ m.content.startswith(('H', ' ')) }}{{ m.content.endswith('\n') }}{{ m.content[1:].startswith('i') }}"),
    "strips": _all("<{{ m.content.strip() }}|{{ m.content|trim }}|{{ m.content.rstrip('\n') }}|{{ m.content.lstrip(' H') }}>"),
    "replacing": _all("{{ m.content.replace('\n', ' ') }}{{ m.content|replace('a', 'b', 1) }}{{ m.content.replace('', '-') }}"),
    "formatting": _all("{{ '{}:{:>3}'.format(m.role, loop.index) }}{{ '%s/%03d'|format(m.role, loop.index) }}{{ '%s' % m.role }}"),
    "formatting what is said": _all("{{ m.content.format(1) }}"),
    "letters of another case": _all("{{ m.content.title() }}{{ m.content|capitalize }}{{ m.content.swapcase() }}{{ m.content.casefold() }}"),
    "kinds of characters": _all("{{ m.content.isdigit() }}{{ m.content.isspace() }}{{ m.content.isalpha() }}{{ m.content|int(7) }}"),
    "repeated and joined": _all("{{ m.content * 2 }}{{ '-'.join([m.role, m.content]) }}{{ m.content ~ loop.index ~ none }}"),
    "bytes": _all("{{ m.content.encode('utf-8')|length }}{{ m.content.encode('utf-8') }}"),
    "what is text": _all("{{ m.content is string }}{{ m.content is iterable }}{{ m.content is sequence }}{{ m.content is mapping }}"),
    "filters of texts": _all(
        "{{ m.content|wordcount }}{{ m.content|center(9) }}{{ m.content|striptags }}"
        "{{ m.content|urlencode }}{{ m.content|escape }}{{ m.content|truncate(5, true, '') }}"
    ),
    "an indent": _all("{{ m.content|indent(2, true) }}"),
    "macros that strip": (
        "{% macro say(x, upto=3) -%}{{ x[:upto] }}{{ caller() if caller }}{%- endmacro %}"
        + _all("{{ say(m.content) }}{{ say(m.content, upto=1) }}{{ say(m.content)|length }}")
    ),
}  # fmt: skip
OF_CONVERSATIONS = {
    "numbers of messages": _all(_SAY, "{{ messages|length }}{% if messages|length % 2 %}odd{% endif %}"),
    "places": _all("{{ loop.index0 }}{{ loop.revindex }}{{ loop.length }}{{ loop.first }}{{ loop.last }}" + _SAY),
    "neighbours": _all(
        "{{ loop.previtem.role }}>{{ m.role }}>{{ loop.nextitem.role if loop.nextitem is defined else 'end' }}"
    ),
    "neighbours' texts": _all(
        "{% if not loop.first and loop.previtem.content == m.content %}again{% endif %}"
        "{% if not loop.last and loop.nextitem.tool_calls is defined %}soon{% endif %}" + _SAY
    ),
    "cycles and changes": _all("{{ loop.cycle('a', 'b', 'c') }}{{ loop.changed(m.role, m.content|length) }}"),
    "state": _all(
        "{% if ns.last == m.role %}{{ raise_exception('twice: ' ~ m.role) }}{% endif %}"
        "{% set ns.last = m.role %}{% set ns.n = ns.n + m.content|length %}{{ ns.n }}",
        "{% set ns = namespace(last='', n=0) %}",
    ),
    "state with a message": _all(
        "{{ ns.held.content }}{% set ns.held = m %}{{ ns.held.role }}{% set ns.items = m.content %}{{ ns.items }}",
        "{% set ns = namespace(held=messages[0]) %}",
    ),
    "state not declared": _all("{% set n = (n or 0) + 1 %}{{ n }}", "{% set n = 5 %}", "{{ n }}"),
    "a namespace of none": _all("{% set ns.x = 1 %}", "{% set ns = {} %}"),
    "slices": _all(_SAY, "{% set messages = messages[1:] %}") + "{{ messages[:2]|length }}{{ messages[-1:][0].role }}",
    "negative places": "{{ messages[-1].content }}{{ messages[-2].role }}{{ messages[-99] is defined }}",
    "every other": "{% for m in messages[::2] %}{{ m.role }}{% endfor %}{% for m in messages|reverse %}{{ m.role }}{% endfor %}",
    "filtered": "{% for m in messages if m.role != 'system' and loop is defined %}{{ loop.index }}{{ m.role }}{% endfor %}",
    "filtered by a test": "{% for m in messages if m.content is string %}{{ m.content }}{% else %}nothing{% endfor %}",
    "loop controls": _all("{% if m.role == 'tool' %}{% continue %}{% endif %}{% if loop.index > 4 %}{% break %}{% endif %}" + _SAY),
    "the last question": (
        "{% set ns = namespace(at=-1) %}{% for m in messages[::-1] %}{% if ns.at < 0 and m.role == 'user' and"
        " not (m.content is string and m.content.startswith('<tool_response>')) %}"
        "{% set ns.at = messages|length - 1 - loop.index0 %}{% endif %}{% endfor %}"
        + _all("{{ '*' if loop.index0 > ns.at }}" + _SAY)
    ),
    "selected": (
        "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}{{ messages|rejectattr('content')|list|length }}"
        "{{ messages|selectattr('tool_calls', 'defined')|map(attribute='tool_calls')|map('length')|list }}"
    ),
    "mapped": "{{ messages|map(attribute='content')|map('string')|map('upper')|join('|') }}{{ messages|map(attribute='name', default='?')|list }}",
    "grouped": "{% for g in messages|groupby('role') %}{{ g.grouper }}:{{ g.list|length }};{% endfor %}",
    "grouped by what may be missing": "{% for k, v in messages|groupby('name', default='-') %}{{ k }}{{ v|length }}{% endfor %}",
    "unique and sorted": "{{ messages|map(attribute='role')|unique|sort|join }}{{ messages|map(attribute='role')|list|sort(reverse=true) }}",
    "sorted by a field": "{% for m in messages|sort(attribute='role') %}{{ m.role }}{{ m.content }}{% endfor %}",
    "batches and sums": (
        "{% for pair in messages|batch(2) %}{{ pair|length }}{% endfor %}{{ messages|map('length')|sum }}"
        "{{ messages|map(attribute='role')|map('length')|max }}{{ range(messages|length)|list }}"
    ),
    "recursive": (
        "{% for v in messages recursive %}{{ loop.depth }}{% if v is mapping %}{{ v.role }}{{ v.name }}"
        "{% if v.tool_calls %}({{ loop(v.tool_calls) }}){% endif %}{% endif %}{% endfor %}"
    ),
    "a macro that calls itself": (
        "{% macro walk(v) %}{% if v is mapping %}{% raw %}{{% endraw %}{% for k, x in v|dictsort %}{{ k }}={{ walk(x) }};"
        "{% endfor %}}{% elif v is string or v is not iterable %}{{ v }}{% else %}[{% for x in v %}{{ walk(x) }},{% endfor %}]"
        "{% endif %}{% endmacro %}" + _all("{{ walk(m) }}") + "{{ walk(tools) }}"
    ),
    "endless": "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(messages) }}",
    "names over messages": "{% set messages = ['a', 'b'] %}{{ messages }}{% set tools = 1 %}{{ tools }}" + _OPEN,
    "scopes": _all("{% set x = m.role %}{% with x = 1 %}{{ x }}{% endwith %}{{ x }}", "{% set x = 0 %}", "{{ x }}"),
    "blocks": "{% block a scoped %}{{ messages|length }}{% endblock %}{{ self.a() }}{% set b %}{{ messages[0].role }}{% endset %}{{ b }}",
    "generation": _all("{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}{% else %}{{ m.role }}{% endif %}") + _OPEN,
    "refusing": _all("{% if m.role not in ['user', 'assistant'] %}{{ raise_exception('no ' + m.role) }}{% endif %}" + _SAY),
    "refusing late": _all(_SAY) + "{{ raise_exception('long') if messages|length > 4 }}" + _OPEN,
    "dates": "{{ strftime_now('%d %b %Y') }}{{ strftime_now('%H:%M %j') }}{{ strftime_now('') }}" + _all(_SAY),
    "a date that may be missing": "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}2024{% endif %}",
    "tokens": "{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ unk_token is defined }}{{ sep_token }}" + _OPEN,
    "a token put together": "{{ bos_token + '[INST]' }}" + _all(_SAY),
    "whitespace": "  {%- for m in messages -%}  {{ m.role }}\n{{ m.content }}  \n{% endfor %}\n\n {# a remark #} {% if true %}\n x\n  {% endif %}\n",
}  # fmt: skip
OF_VALUES = {
    "keys that are methods": _all(
        "{{ m['items'] }}{{ m['keys'] }}{{ m['values'] }}{{ m['get'] }}{{ m['update'] }}{{ m['pop'] }}{{ m['copy'] }}"
    ),
    "attributes that are methods": _all("{{ m.items is defined }}{{ m.pop is defined }}{{ m.items is callable }}{{ m.get is callable }}"),
    "methods although there are keys": _all("{% for k, v in m.items() %}{{ k }}{% endfor %}{{ m.keys()|list }}{{ m.get('role') }}{{ m.values()|list|length }}"),
    "a default": _all("{{ m.get('name', 'nobody') }}{{ m.name|default('none') }}{{ m.content|d('empty', true) }}{{ m.get('get') }}"),
    "pairs": _all("{{ m|items|list }}{{ m|dictsort }}{{ m|dictsort(true, 'key', true)|map('first')|list }}{{ m|xmlattr }}"),
    "JSON": _all("{{ m|tojson }}{{ m.content|tojson }}{{ m.tool_calls|tojson }}"),
    "JSON in lines": _all("{{ m|tojson(indent=2) }}{{ m|tojson(indent=0) }}{{ m|tojson(ensure_ascii=true) }}{{ m|tojson(sort_keys=true) }}"),
    "JSON with marks": _all("{{ m|tojson(separators=(',', ':')) }}{{ m|tojson(false, 1) }}{{ [m, m]|tojson }}{{ {'a': m}|tojson }}"),
    "JSON of tools": "{{ tools|tojson }}{% for t in tools or [] %}{{ t|tojson(indent=4) }}{{ t.function.parameters|tojson }}{{ t.function|tojson }}{% endfor %}" + _OPEN,
    "tools looked into": (
        "{% for t in tools or [] %}{% set f = t.function %}{{ f.name }}{{ f.description }}"
        "{% for k, v in f.parameters.properties.items() %}{{ k }}:{{ v.type }}{{ v.enum }}{{ v.default }}"
        "{{ '?' if k not in f.parameters.required }}{% endfor %}{% endfor %}"
    ),
    "calls": _all(
        "{% for c in m.tool_calls or [] %}{{ c.function.name }}{{ c.id }}{{ c.function.arguments|tojson }}"
        "{{ c.function.arguments if c.function.arguments is string else c.function.arguments|items|list }}{% endfor %}"
    ),
    "arguments one by one": _all(
        "{% for c in m.tool_calls %}{% for k, v in c.function.arguments.items() %}<{{ k }}>{{ v if v is string else v|tojson }}"
        "{% endfor %}{% endfor %}"
    ),
    "the name of a call's result": _all(
        "{% if m.tool_calls %}{% set ns.f = m.tool_calls[0].function.name %}{% endif %}{% if m.role == 'tool' %}{{ ns.f }}{% endif %}",
        "{% set ns = namespace(f='?') %}",
    ),
    "values of all kinds": _all(
        "{% for k, v in m.items() %}{{ k }}{{ v is number }}{{ v is integer }}{{ v is float }}{{ v is boolean }}{{ v is none }}"
        "{{ v is true }}{{ v is mapping }}{{ v is sequence }}{{ v }}{% endfor %}"
    ),
    "numbers": _all("{{ m.n + 1 }}{{ m.n / 2 }}{{ m.n|round(1) }}{{ m.n|abs }}{{ m.n is odd }}{{ '%.2f'|format(m.n) }}", last="x"),
    "numbers, maybe": _all("{% if m.n is number %}{{ m.n * 2 }}{{ m.n // 2 }}{{ m.n ~ '' }}{{ m.n|int }}{{ m.n|float }}{% endif %}"),
    "truth": _all("{{ 1 if m.content else 0 }}{{ not m.name }}{{ m.x and 1 }}{{ m.flag or 'no' }}{{ m.content is none }}"),
    "parts": _all(
        "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.type }}{{ p.text }}"
        "{{ p['text']|length }}{% endfor %}{% endif %}"
    ),
    "reasoning": _all("{{ m.reasoning_content }}{{ m.thinking }}{{ m.reasoning }}{{ m.reasoning_content is string }}") + _OPEN,
    "options": "{{ enable_thinking }}{{ enable_thinking is defined and not enable_thinking }}{{ reasoning_effort|upper }}{{ documents }}{{ xs|tojson }}{{ items }}",
    "undefined": _all("{{ m.missing }}{{ m['missing'] }}{{ missing }}{{ m.missing is undefined }}{{ missing|default(1) }}"),
    "undefined beyond": _all("{{ m.missing.more }}"),
    "undefined called": _all("{{ m.missing() }}"),
    "undefined in a loop": _all("{% for x in m.missing %}x{% endfor %}{{ m.missing|length }}{{ m.missing ~ 'a' }}{{ m.missing == missing }}"),
    "undefined added": _all("{{ m.role + m.missing }}"),
    "added to a number": _all("{{ m.content + 1 }}"),
    "odd places": _all("{{ m[0] }}{{ m[none] }}{{ m[true] }}{{ m[1.5] }}{{ m['content'][0] }}"),
    "a key that cannot be": _all("{{ m[[]] }}{{ m[m] }}"),
    "dictionaries of its own": _all("{% set d = dict(m, role='x', get=1) %}{{ d.role }}{{ d['get'] }}{{ {'items': m.role}.items }}{{ {'a': 1}['a'] }}"),
    "lists of its own": "{% set l = [] %}{% for m in messages %}{% set l = l + [m.role] %}{{ l }}{% endfor %}{{ l }}",
    "the same object": _all("{{ m is sameas messages[0] }}{{ m.role is sameas m.role }}{{ m.x is sameas none }}"),
    "members": _all("{{ 'name' in m }}{{ m in messages }}{{ m.role in ['user'] }}{{ m is in(messages) }}{{ m == messages[0] }}"),
}  # fmt: skip
OF_HARM = {
    "a method that a value lacks": _all(
        "{{ m.content.strip is defined }}{{ (m.weight or 1).title is defined }}{{ (m.tool_calls or []).strip is defined }}"
    ),
    "an item named like a method": _all("{{ m['items'] is defined }}{{ m['values'] is callable }}"),
    "a private name in a namespace": _all("{{ ns._Namespace__attrs }}", "{% set ns = namespace(x=1) %}"),
    "an indent that is no number": _all("{{ m|tojson(indent=2) }}{{ m|tojson(indent=2.0) }}"),
    "appending to the messages": "{{ messages.append({'role': 'x'}) }}{{ messages|length }}",
    "appending to a list of its own": "{% set l = [1] %}{% set _ = l.append(2) %}{{ l }}",
    "updating a message": _all("{{ m.update({'role': 'x'}) }}{{ m.role }}"),
    "popping a key": _all("{{ m.pop('content') }}{{ m.content }}"),
    "clearing": _all("{{ m.clear() }}"),
    "setting a default": _all("{{ m.setdefault('name', 'x') }}"),
    "sorting in place": "{{ messages.sort() }}{{ messages.reverse() }}",
    "changing tools": "{% for t in tools or [] %}{{ t.function.update({'name': 'x'}) }}{% endfor %}{{ tools|tojson }}",
    "changing by a filter": "{{ messages|map('pop', 'role')|list }}",
    "changing by a name": "{% set f = messages[0].update %}{{ f({'role': 'x'}) }}",
    "assigning to a message": _all("{% set m.role = 'x' %}{{ m.role }}"),
    "do": _all("{% do m.update({}) %}"),
    "a class": _all("{{ m.__class__ }}{{ m.content.__class__ }}{{ m['__class__'] }}"),
    "a class's class": _all("{{ m.__class__.__mro__ }}"),
    "a class by a filter": _all(
        "{{ m|attr('__class__') }}{{ m|attr('items') }}{{ m.content|attr('upper') is defined }}"
    ),
    "a class by a map": "{{ messages|map(attribute='__class__')|list }}{{ messages|map(attribute='role.__class__')|list }}",
    "a class by a format": _all("{{ '{0.__class__}'.format(m) }}"),
    "a class by a map of formats": "{{ ['{0.__class__.__mro__}']|map('format', messages)|list }}",
    "globals": "{{ raise_exception.__globals__ }}{{ strftime_now.__globals__ }}{{ namespace.__init__.__globals__ }}",
    "globals of a macro": "{% macro f() %}{% endmacro %}{{ f.__init__.__globals__ }}{{ cycler.__init__.__globals__ }}",
    "code": _all("{{ loop.__init__.__code__ }}{{ self.__dict__ }}"),
    "large numbers": "{{ range(1000000)|length }}",
    "an import": "{% import 'x' as x %}{{ x }}",
    "an include": "{% include 'x' ignore missing %}a{% include 'y' %}",
    "other roots": "{% extends 'x' %}",
    "dunder text": _all("{{ m.content.__len__() }}"),
    "a private name": _all("{{ m._private }}{{ m['_private'] }}{{ loop._length }}{{ m.role._x }}"),
}
OF_WHAT_IS_KEPT = {
    "lengths of what may be missing": _all("{{ m.reasoning_content|length > 1 }}{{ m.name|length }}{{ m.content|length == 1 }}"),
    "a number of tools": _all(_SAY, "{{ tools|length }}"),
    "a name that a namespace lacks": _all("{{ ns.missing }}{{ ns.missing is defined }}", "{% set ns = namespace() %}"),
    "a private name in a namespace": _all("{{ ns._Namespace__attrs }}", "{% set ns = namespace(x=1) %}"),
    "a method that a value lacks": _all(
        "{{ m.content.strip is defined }}{{ (m.n or 1).title is defined }}{{ (m.tool_calls or []).strip is defined }}"
    ),
    "an item named like a method": _all("{{ m['items'] is defined }}{{ m['values'] is callable }}"),
    "an indent that is no number": _all("{{ m|tojson(indent=2) }}{{ m|tojson(indent=2.0) }}"),
    "a list that grows": _all("{% set ns.l = ns.l + [m.role] %}{{ ns.l }}", "{% set ns = namespace(l=[]) %}"),
    "a list that is changed": "{% set l = [] %}{% for m in messages %}{% set _ = l.append(m) %}{% endfor %}{{ l }}",
    "a message in a dictionary": _all("{% set d = {'a': m, 'items': 1} %}{{ d.a.role }}{{ d.items }}{{ d['items'] }}"),
    "a copy": _all("{{ m.copy() }}"),
    "a method that is not called": _all("{{ m.pop is defined }}{{ messages.append is defined }}{{ m['__init__'] is defined }}"),
    "an attribute of a text": _all("{{ m.content.missing is defined }}{{ m.content['x'] is defined }}"),
    "methods one after another": _all(
        "{{ m.content.strip().upper().replace('A', 'b').startswith(('B', 'H')) }}"
        "{{ m.content.partition('a')[2].rstrip('\\n').title() }}"
    ),
    "filters one after another": _all("{{ m.content|trim|replace('a', 'b')|indent(2)|wordwrap(9)|truncate(20) }}"),
    "arithmetic": _all("{{ loop.index * 2 // 3 ** 1 % 5 - 1.5 }}{{ m.role ~ 1 }}{{ -loop.index }}{{ loop.index / 4 }}"),
    "joins": "{{ messages|join(',', 'role') }}{{ messages|map(attribute='content')|map('length')|sum }}",
    "all of the loop": _all("{{ loop.revindex0 }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.index }}{{ loop.last }}"),
    "a loop kept aside": _all("{% set outer = loop %}{% for x in 'ab' %}{{ outer.index }}{{ loop.index }}{% endfor %}"),
    "a loop in JSON": _all("{{ loop|tojson }}"),
    "a call with a block": _all(
        "{% call wrap() %}{{ m.content }}{% endcall %}", "{% macro wrap() %}[{{ caller() }}]{% endmacro %}"
    ),
    "a macro with a named argument": _all(
        "{{ say(m, upper=true) }}",
        "{% macro say(m, upper=false) %}{{ m.content.upper() if upper else m.content }}{% endmacro %}",
    ),
    "what Jinja brings": _all("{{ range(3)|list }}{{ lipsum is defined }}{{ cycler('a', 'b').next() }}{{ joiner(',')() }}"),
    "escapes": _all("{{ m.content|e }}{{ m.content|safe }}{{ (m.content|e).format() }}"),
    "a format that is written": _all("{{ '{} {0}'.format }}{{ '{0}-{1}'.format(m.role, loop.index) }}"),
    "a format with an attribute": _all("{{ '{0.role} {0[role]}'.format(m) }}"),
    "a format of a dictionary": _all("{{ '{role}'.format_map(m) }}"),
    "a format kept aside": _all("{% set f = '{0.__class__}'.format %}{{ f(m) }}"),
    "a format in a namespace": _all(
        "{% set ns.f = m.content.format %}{{ ns.f(1) }}", "{% set ns = namespace(f=none) %}{{ ns.f }}"
    ),
    "a format in the next item": "{% for f in ['{0.__class__}'.format, 1] %}{{ loop.previtem|string }}{% endfor %}",
}  # fmt: skip
ASKING = {**OF_TEXTS, **OF_CONVERSATIONS, **OF_VALUES, **OF_HARM, **OF_WHAT_IS_KEPT}
