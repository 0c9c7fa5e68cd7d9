"""Small chat templates, each with one habit of a real model's."""

from __future__ import annotations

THINKING = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' %}
        {{- '<think>\\n' + (message.reasoning_content or '') + '\\n</think>\\n\\n' }}
    {%- endif %}
    {{- message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""
"""As Qwen3's: it writes the thinking of every reply, even where there is none."""

CHANNELS = """\
{%- for message in messages %}
    {{- '<|start|>' + message.role }}
    {{- '<|channel|>final' if message.role == 'assistant' else '' }}
    {{- '<|message|>' + message.content + ('<|return|>' if loop.last else '<|end|>') }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start|>assistant' }}{%- endif %}
"""
"""As gpt-oss's: the model opens a channel before it speaks."""

TRIMMING = """\
{{- '<|endoftext|>' }}
{%- for message in messages %}
    {{- '[' + message.role + ']\\n\\n' + message.content | trim + '<|im_end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]\\n\\n' }}{%- endif %}
"""
"""As Llama's: it begins with a token of its own and trims every message."""

STRICT = """\
{%- for message in messages %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {{- '[' + message.role + ']' + message.content + '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As Gemma's: it refuses roles that do not take turns."""

DEAF = """\
{%- for message in messages if message.role != 'system' %}
    {{- '[' + message.role + ']' + message.content + '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As some older ones: it leaves out what the operator says."""

PARTS = """\
{%- for message in messages %}
    {{- '[' + message.role + ']' }}
    {%- if message.content is string %}
        {{- message.content }}
    {%- else %}
        {%- for part in message.content %}{{- '(' + part.text + ')' }}{%- endfor %}
    {%- endif %}
    {{- '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As those of models that see: it reads content in parts."""

DATED = """\
{{- 'Today is ' + strftime_now('%d %b %Y') + '.' }}
{%- for message in messages %}{{- '[' + message.role + ']' + message.content + '[end]' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As Llama 3.2's: it asks for the date."""

OPENED = """\
{%- for message in messages %}
    {{- '[' + message.role + ']' + message.content.split('</think>')[-1] + '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]<think>\\n' }}{%- endif %}
"""
"""As DeepSeek-R1's: it opens the thinking for the model, and forgets it afterwards."""

TRUSTING = """\
{%- for message in messages %}
    {%- if message.role in ('system', 'user', 'assistant') %}
        {{- '[' + message.role + ']' + message.content + '[end]' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As Zephyr's: it passes over roles that it does not know."""

QUOTING = """\
{%- for message in messages %}
    {{- '[' + message.role + ']' }}
    {{- message.content | tojson if message.role == 'tool' else message.content }}
    {{- '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As Llama 3.1's: it writes what tools say as JSON."""

FORGETFUL = """\
{%- for message in messages if message.role != 'assistant' %}
    {{- '[' + message.role + ']' + message.content + '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As those for a single turn: it leaves out earlier replies."""

BEGUN = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' and (loop.last or message.reasoning_content) %}
        {{- '<think>\\n' + (message.reasoning_content or '') + '\\n</think>\\n\\n' }}
    {%- endif %}
    {{- message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}
"""
"""As Qwen3-Thinking's: it opens the thinking for the model, and writes it down afterwards."""


DATING = """\
{%- for message in messages %}
    {{- '[' + message.role + ']' }}
    {{- 'in a leap year: ' if strftime_now('%Y') == '2024' else '' }}
    {%- if message.reasoning_content %}{{- '<think>' + message.reasoning_content + '</think>' }}{%- endif %}
    {{- message.content + '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
"""As no model's that is known: the turns depend on the date."""

_CALLS = (
    "{%- for call in message.tool_calls or [] %}"
    "{{- call.function.name + (call.function.arguments | tojson) }}{%- endfor %}"
)

THINKING_BEFORE_CALLS = THINKING.replace(
    "{{- message.content + '<|im_end|>\\n' }}", "{{- message.content }}" + _CALLS + "{{- '<|im_end|>\\n' }}"
)
"""As Qwen3's: it writes the thinking of every reply, and its calls."""

CALLS_ENDED_OTHERWISE = (
    """\
{%- for message in messages %}
    {{- '[' + message.role + ']' + message.content }}
    """
    + _CALLS
    + """
    {{- '[call]' if message.tool_calls else '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}
"""
)
"""As Llama 3.1's: another token ends a turn that calls."""
