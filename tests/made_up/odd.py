"""Templates that make a message's tokens depend on what no real template looks at: each is to be counted right."""

from __future__ import annotations

from made_up.habits import each

_HI = "{{- '[hi] ' }}"


def _if(condition: str, *, first: str = "", before: str = "") -> str:
    return each(f"{before}{{%- if {condition} %}}{_HI}{{%- endif %}}", first=first)


def _called(condition: str, before: str = "", after: str = "") -> str:
    test = f"{before}{{%- if {condition} %}}{_HI}{{%- endif %}}{after}"
    return each(
        f"{{%- for call in message.tool_calls or [] %}}{test}{{{{- call.function.arguments|tojson }}}}{{%- endfor %}}"
    )


_STATES = "{" + ", ".join(f"'{chr(97 + at)}': '{chr(98 + at)}'" for at in range(25)) + ", 'z': 'z'}"
_SEEN = "{%- set ns = namespace(said='') %}"
_MACRO = "{%- macro say(m) %}{%- if m.content == 'Hi' %}{{- '[hi] ' }}{%- endif %}{%- endmacro %}"
_REST = (
    "{%%- macro say() %%}{%%- set m = %s %%}{%%- if m.content == 'Hi' %%}{{- '[hi] ' }}{%%- endif %%}{%%- endmacro %%}"
)

BY_PLACE = {
    "a place by its number": _if("loop.index0 == 20"),
    "a place from the end": _if("loop.revindex == 9"),
    "every so many": _if("loop.index % 7 == 3"),
    "divisible": _if("loop.index is divisibleby 5"),
    "a limit in a name": _if("loop.index0 > limit", first="{%- set limit = 12 %}"),
    "a number of messages": _if("messages|length > 5"),
    "a number of messages in a name": _if("messages|length == many", first="{%- set many = 11 %}"),
    "an even number of messages": _if("messages|length % 2 == 0"),
    "a written number": each("{{- loop.index }}"),
    "the loop's length": _if("loop.length > 12"),
    "a range": each("", first="{%- for i in range(12) %}{%- if messages[i] is defined %}x{%- endif %}{%- endfor %}"),
    "every third message": each("").replace("in messages", "in messages[::3]"),
}
BY_STATE = {
    "a counter": _if("ns.n == 9", before="{%- set ns.n = ns.n + 1 %}", first="{%- set ns = namespace(n=0) %}"),
    "a hidden counter": _if(
        "ns.n == 9", before="{%- set ns.n = ns.n + (1 if true else 0) %}", first="{%- set ns = namespace(n=0) %}"
    ),
    "a growing text": _if(
        "ns.s == 'xxxxxxxxxxx'", before="{%- set ns.s = ns.s ~ 'x' %}", first="{%- set ns = namespace(s='') %}"
    ),
    "a growing list": _if(
        "ns.s|length == 11", before="{%- set ns.s = ns.s + [1] %}", first="{%- set ns = namespace(s=[]) %}"
    ),
    "roles put together": _if(
        "ns.s == 'uauauauauau'",
        before="{%- set ns.s = ns.s + message.role[0] %}",
        first="{%- set ns = namespace(s='') %}",
    ),
    "doubling": _if("ns.n > 3000", before="{%- set ns.n = ns.n * 2 %}", first="{%- set ns = namespace(n=1) %}"),
    "taking turns": _if("ns.b", before="{%- set ns.b = not ns.b %}", first="{%- set ns = namespace(b=false) %}"),
    "one state after the other": _if(
        "ns.b == 'k'",
        before="{%- set ns.b = next[ns.b] %}",
        first=f"{{%- set ns = namespace(b='a') %}}{{%- set next = {_STATES} %}}",
    ),
    "the third question from the end": _if(
        "loop.index0 == ns.a",
        first=(
            "{%- set ns = namespace(a=-1, b=-1, c=-1) %}{%- for m in messages %}{%- if m.role == 'user' %}"
            "{%- set ns.a = ns.b %}{%- set ns.b = ns.c %}{%- set ns.c = loop.index0 %}{%- endif %}{%- endfor %}"
        ),
    ),
}
BY_TEXT = {
    "the same as the first": _if("message.content == messages[0].content"),
    "the same by a test": _if("message.content is eq(messages[0].content)"),
    "the order of two texts": _if("message.content < messages[0].content"),
    "a part of another": _if("message.content in messages[0].content"),
    "the beginning of another": _if("messages[0].content.startswith(message.content)"),
    "all the same": _if("messages|map(attribute='content')|unique|list|length == 1"),
    "a message selected": _if("messages|selectattr('content', 'equalto', 'Hi')|list"),
    "a text selected": _if("[message.content]|select('in', ['Hi', 'Ho'])|list"),
    "a list of one": each("{%- for text in [message.content] %}{%- if 'Hi' in text %}x{%- endif %}{%- endfor %}"),
    "texts of all": each(
        "", first="{%- for t in messages|map(attribute='content') %}{{- '[hi]' if 'Hi' in t }}{%- endfor %}"
    ),
    "a length": _if("message.content|length > 1"),
    "a written length": each("{{- message.content|length }}"),
    "two lengths": _if("message.content|length > messages[0].content|length"),
    "an even length": _if("message.content|length % 2 == 0"),
    "a first character": _if("message.content[0] == 'H'"),
    "a first character among some": _if("message.content[:1] in 'HIJK'"),
    "the rest": _if("message.content[1:] in ['i', 'o']"),
    "a slice written": each("", text="{{- message.content[1:] }}"),
    "a number in a text": _if("message.content|int"),
    "lower case": _if("message.content|lower == 'hi'"),
    "lower case within": _if("'hi' in message.content.lower()"),
    "upper case at the start": _if("message.content.upper().startswith('HI')"),
    "put together and compared": _if("message.role ~ message.content == 'userHi'"),
    "a search over several": _if(
        "'HiHo' in ns.said", before="{%- set ns.said = ns.said + message.content %}", first=_SEEN
    ),
    "the last text again": _if("ns.said == message.content", first=_SEEN, before="{{- '' }}").replace(
        "<|im_end|>\n' }}", "<|im_end|>\n' }}{%- set ns.said = message.content %}"
    ),
    "a look-up": each("{{- {'Hi': 'hello there'}.get(message.content, '') }}"),
    "a look-up in a name": each("{{- d[message.content] }}", first="{%- set d = {'Hi': 'hello there'} %}"),
    "a key": _if("message.content in d", first="{%- set d = {'Hi': 1} %}"),
    "a part of a fixed text": _if("message.content in d", first="{%- set d = 'Hi there' %}"),
    "tabs stripped": each("", text="{{- message.content.strip('\t') }}"),
    "letters stripped": each("", text="{{- message.content.strip('iH') }}"),
    "a macro": each("{{- say(message) }}", first=_MACRO),
    "a macro's further arguments": each("{{- say(message) }}", first=_REST % "varargs[0]"),
    "a macro's further named arguments": each("{{- say(m=message) }}", first=_REST % "kwargs.m"),
    "a name for a while": each("{%- with c = message.content %}{{- '[hi]' if c == 'Hi' }}{%- endwith %}"),
    "the message before": _if("loop.previtem and loop.previtem.content == 'Hi'"),
    "the message after": _if("loop.nextitem and loop.nextitem.content == 'Hi'"),
    "the first message": _if("'think' in messages[0].content"),
    "characters": each("{%- for c in message.content %}{{- '*' if c == 'H' }}{%- endfor %}"),
}
BY_CALL = {
    "an argument": _called("call.function.arguments.city == 'Wien'"),
    "an argument of a closed name": _called("call.function.arguments.type == 'Hi'"),
    "an argument by a name": _called("given.city == 'Wien'", "{%- set given = call.function.arguments %}"),
    "an argument got": _called("call.function.get('arguments').get('city') == 'Wien'"),
    "arguments one by one": _called(
        "false",
        after="{%- for k, v in call.function.arguments.items() %}{{- '[hi]' if v == 'Wien' }}{%- endfor %}",
    ),
    "whatever is in a call": _called(
        "false",
        after="{%- for k in call.function %}{{- '[hi]' if call.function[k].city == 'Wien' }}{%- endfor %}",
    ),
    "a call selected": _called("message.tool_calls|selectattr('function.arguments.city', 'equalto', 'Wien')|list"),
    "a number of arguments": _called("call.function.arguments|length > 1"),
    "arguments in JSON": _called("'Wien' in call.function.arguments|tojson"),
    "an id": each(
        "{%- for other in messages %}{%- for call in other.tool_calls or [] %}"
        "{{- call.function.name if call.id == message.tool_call_id }}{%- endfor %}{%- endfor %}"
    ),
    "an id by another name": each(
        "{%- for other in messages %}{%- for call in other.tool_calls or [] %}"
        "{{- call.function.name if call['i' ~ 'd'] == message['tool_call' ~ '_id'] }}{%- endfor %}{%- endfor %}"
    ),
}
ODD = BY_PLACE | BY_STATE | BY_TEXT | BY_CALL
