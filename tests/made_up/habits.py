"""Small chat templates, each with one habit that makes a message's tokens depend on the messages around it."""

from __future__ import annotations

from tiny_tokenizer import CHATML

from made_up.templates import (
    BEGUN,
    CHANNELS,
    DATED,
    DEAF,
    FORGETFUL,
    OPENED,
    PARTS,
    QUOTING,
    STRICT,
    THINKING,
    TRIMMING,
)

_OPEN = "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
TEXT = "{{- message.content }}"


def each(does: str, *, first: str = "", text: str = TEXT) -> str:
    """Return a template that does something for each message, and something before them all."""
    return (
        f"{first}{{%- for message in messages %}}{{{{- '<|im_start|>' + message.role + '\n' }}}}{does}{text}"
        f"{{{{- '<|im_end|>\n' }}}}{{%- endfor %}}{_OPEN}"
    )


STATEFUL = each(
    "{%- if message.role == 'tool' %}{%- set ns.told = true %}{%- endif %}"
    "{%- if ns.told and message.role == 'user' %}{{- '[told] ' }}{%- endif %}",
    first="{%- set ns = namespace(told=false) %}",
)
LOOKING_BACK = each("{%- if loop.previtem and loop.previtem.role == message.role %}{{- '[again] ' }}{%- endif %}")
LOOKING_AHEAD = each("{%- if loop.nextitem and loop.nextitem.role == 'tool' %}{{- '[soon] ' }}{%- endif %}")
BACKWARDS = each(
    "{%- if loop.index0 > ns.last %}{{- '[now] ' }}{%- endif %}",
    first=(
        "{%- set ns = namespace(last=-1) %}{%- for m in messages[::-1] %}"
        "{%- if ns.last == -1 and m.role == 'user' %}{%- set ns.last = messages|length - 1 - loop.index0 %}{%- endif %}"
        "{%- endfor %}"
    ),
)
"""As Qwen3's: it finds the last question first, and treats what follows it in another way."""
TOOLS_IN_QUESTION = each(
    "{%- if tools and message.role == 'user' and not ns.shown %}{%- set ns.shown = true %}"
    "{%- for tool in tools %}{{- (tool|tojson) + '\n' }}{%- endfor %}{%- endif %}",
    first="{%- set ns = namespace(shown=false) %}",
)
"""As Llama 3.1's: the tools stand in the first question."""
NAMING = each(
    "{%- if message.tool_calls %}{%- set ns.name = message.tool_calls[0].function.name %}"
    "{%- for call in message.tool_calls %}{{- call.function.name + ' ' + (call.function.arguments|tojson) }}"
    "{%- endfor %}{%- endif %}{%- if message.role == 'tool' %}{{- 'functions.' + ns.name + ' to=assistant ' }}"
    "{%- endif %}",
    first="{%- set ns = namespace(name='') %}",
)
"""As gpt-oss's: a tool's result is under the name of the call before it."""
ESCAPING = each("", text="{{- message.content|tojson }}")
ONE_BY_ONE = each(
    "{%- for call in message.tool_calls or [] %}{%- for name, value in call.function.arguments.items() %}"
    "{{- '<' + name + '>' + (value if value is string else value|tojson) }}{%- endfor %}{%- endfor %}"
)
"""As GLM's: it writes the arguments of a call one by one."""
WITHOUT_LINES = each("", text="{{- message.content.strip('\n') }}")
STRIPPED_BEFORE = each("", text="{{- message.content.lstrip() }}")
FORGETTING_CALLS = each("{%- if message.tool_calls and loop.last %}{{- 'calls' }}{%- endif %}")
SYSTEM_LAST = (
    "{%- set ns = namespace(system='') %}{%- for message in messages %}"
    "{%- if message.role == 'system' %}{%- set ns.system = message.content %}"
    "{%- else %}{{- '<|im_start|>' + message.role + '\n' }}"
    "{%- if loop.last %}{{- ns.system + '\n' }}{%- endif %}{{- message.content + '<|im_end|>\n' }}{%- endif %}"
    "{%- endfor %}" + _OPEN
)
"""As some of Mistral's: what the operator says stands in the last message."""
PUT_TOGETHER = (
    "{%- macro written(content) %}{%- if content is string %}{{- content }}{%- else %}"
    "{%- for part in content %}{{- part.text }}{%- endfor %}{%- endif %}{%- endmacro %}"
    + each(
        "{%- set said = written(message.content) %}{%- if '</think>' in said %}{{- '[thought] ' }}{%- endif %}",
        text="{{- said.split('</think>')[-1] }}",
    )
)
"""As Qwen 3.5's: what it searches is put together of parts."""
NAMED = each("{%- if message.name %}{{- message.name + ': ' }}{%- endif %}")

HABITS = {
    "ChatML": CHATML,
    "thinking": THINKING,
    "channels": CHANNELS,
    "trimmed": TRIMMING,
    "roles that take turns": STRICT,
    "the operator left out": DEAF,
    "content in parts": PARTS,
    "dated": DATED,
    "thinking opened": OPENED,
    "results in JSON": QUOTING,
    "replies left out": FORGETFUL,
    "the last reply's thinking": BEGUN,
    "a state": STATEFUL,
    "a look back": LOOKING_BACK,
    "a look ahead": LOOKING_AHEAD,
    "a look from the end": BACKWARDS,
    "tools in the first question": TOOLS_IN_QUESTION,
    "results under a call's name": NAMING,
    "JSON": ESCAPING,
    "arguments one by one": ONE_BY_ONE,
    "line feeds stripped": WITHOUT_LINES,
    "stripped before": STRIPPED_BEFORE,
    "the last calls alone": FORGETTING_CALLS,
    "the operator last": SYSTEM_LAST,
    "parts put together": PUT_TOGETHER,
    "names": NAMED,
}
