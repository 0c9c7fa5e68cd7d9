"""A conversation of which a template leaves out a part is not said to be counted whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from made_up.templates import FORGETFUL, OPENED, QUOTING, TRIMMING, TRUSTING
from tiny_tokenizer import CHATML

from logcount import count_exchange
from logcount.counting.shown import shows_messages, shows_tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.tokenizers import TransformersTokenizer

    Speaking = Callable[[str | None], TransformersTokenizer]

HI = {"role": "user", "content": "Hi"}
BRIEF = {"role": "system", "content": "Be brief."}
SAID = {"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}
LEFT_OUT = "the chat template leaves out a message"
QUOTED = 'Gr\xfc\xdfe: "\n"'


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _assistant(text: str, *names: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text, "tool_calls": [{"function": {"name": name}} for name in names]}


def _tool(text: str) -> dict[str, Any]:
    return {"role": "tool", "content": text}


@pytest.mark.parametrize(
    ("shown", "messages", "whole"),
    [
        pytest.param("[Be brief.][Hi]", [BRIEF, HI], True, id="all"),
        pytest.param("[Hi]", [BRIEF, HI], False, id="no system"),
        pytest.param("[Hi]", [HI, {"role": "User", "content": "Ho"}], False, id="a role of one's own"),
        pytest.param("[Hi]", [HI, {"role": "function", "content": "Ho"}], False, id="a role of 2023"),
        pytest.param("[Hi]", [HI, _tool("Ho")], False, id="no tool result"),
        pytest.param("[Hi]", [HI, _assistant("Ho")], False, id="no reply"),
        pytest.param("[Hi]", [HI, HI], False, id="one for two"),
        pytest.param("[Hi][Ho][Hi]", [HI, _user("Ho"), HI], True, id="one twice"),
        pytest.param("[Hi][Ho]", [HI, _user("Ho"), HI], False, id="once and not again"),
        pytest.param("[Hi Be brief.][Ho][Hi]", [BRIEF, HI, _user("Ho"), HI], True, id="a system text moved"),
        pytest.param("[Hi][Ho][Be brief. Hi]", [BRIEF, HI, _user("Ho"), HI], True, id="moved to the last of two"),
        pytest.param("[Ho][Be brief.][Hi]", [BRIEF, _user("Ho"), HI], True, id="a system text moved to the end"),
        pytest.param("[Be brief.][Ho][Be brief.][Hi]", [BRIEF, _user("Ho"), HI], True, id="a system text repeated"),
        pytest.param("[Hi]", [_user(" Hi\n")], True, id="trimmed"),
        pytest.param("[Hi]", [HI, _user("")], True, id="nothing"),
        pytest.param("[Hi]", [_user("Hi"), {"role": "user", "content": {"a": 1}}], True, id="no text"),
        pytest.param(json.dumps(QUOTED), [_tool(QUOTED)], True, id="ascii"),
        pytest.param(json.dumps(QUOTED, ensure_ascii=False), [_tool(QUOTED)], True, id="json"),
        pytest.param(json.dumps(QUOTED), [_tool(QUOTED), _tool(QUOTED)], False, id="one in JSON for two"),
        pytest.param(json.dumps([QUOTED] * 2), [_tool(QUOTED), _tool(QUOTED)], True, id="two in JSON"),
        pytest.param("[Ho]", [_assistant("<think>Hm.</think>\n\nHo")], True, id="a thought forgotten"),
        pytest.param("[<think>Hm.</think>Ho]", [_assistant("<think>Hm.</think>Ho")], True, id="a thought kept"),
        pytest.param("[]", [_assistant("<think>Hm.</think>Ho")], False, id="a thought and its reply forgotten"),
        pytest.param("[Ho]", [_user("<think>Hm.</think>Ho")], False, id="a user's thought forgotten"),
        pytest.param("[Ho f()g()]", [_assistant("Ho", "f", "g")], True, id="calls"),
        pytest.param("[Ho f()]", [_assistant("Ho", "f", "g")], False, id="a call left out"),
        pytest.param("[Ho f()]", [_assistant("Ho", "f", "f")], False, id="a call of two"),
        pytest.param("[f()Ho]", [_assistant("Ho", "f")], True, id="a call before the text"),
    ],
)
def test_every_message_is_looked_for(shown: str, messages: list[Any], whole: bool) -> None:
    assert shows_messages(shown, messages, "</think>") is whole


def test_every_tool_is_looked_for() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]
    assert shows_tools('{"name": "f"}, {"name": "g"}', tools)
    assert not shows_tools('{"name": "f"}', tools)


@pytest.mark.parametrize("moved", [0, 1, 20_000], ids=["in order", "system last", "backwards"])
def test_long_conversations_are_looked_through_in_linear_time(moved: int) -> None:
    texts = [f"{number}: {'word ' * 20}" for number in range(20_000)]
    shown = texts[::-1] if moved > 1 else texts[moved:] + texts[:moved]
    assert shows_messages("\n".join(shown), [_user(text) for text in texts], "</think>") is (moved < 2)


FUNCTION = {"name": "weather", "arguments": "{}"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"function": FUNCTION}]}


@pytest.mark.parametrize(
    ("template", "message", "reason"),
    [
        pytest.param(CHATML, CALL, None, id="a call"),
        pytest.param(TRIMMING, CALL, LEFT_OUT, id="a call that is left out"),
        pytest.param(CHATML, {"role": "assistant", "content": None, "function_call": FUNCTION}, None, id="2023"),
        pytest.param(TRUSTING, {"role": "User", "content": "x"}, LEFT_OUT, id="a role that is left out"),
        pytest.param(TRUSTING, {"role": "tool", "content": "x"}, LEFT_OUT, id="a result that is left out"),
        pytest.param(QUOTING, {"role": "tool", "content": QUOTED}, None, id="a result in quotes"),
        pytest.param(FORGETFUL, {"role": "assistant", "content": "x"}, LEFT_OUT, id="a reply that is left out"),
        pytest.param(OPENED, {"role": "assistant", "content": "Hm.</think>\n\nx"}, None, id="a thought"),
    ],
)
def test_what_a_template_leaves_out_makes_a_lower_bound(
    speaking: Speaking, template: str, message: dict[str, Any], reason: str | None
) -> None:
    asked = {"model": "m", "messages": [HI, message, _user("Well?")]}
    outcome = count_exchange(asked, SAID | {"usage": None}, tokenizer=speaking(template))
    assert outcome.count is not None
    assert outcome.count.prompt
    assert (LEFT_OUT in (outcome.reason or "")) is (reason is not None)
