"""Counts that are composed of messages: what is composed is what the whole conversation, rendered, is counted as."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from habits import HABITS, each
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_templates import ODD
from talks import TEXTS, TOOLS, random_talk, talks
from templates import DATED
from tiny_tokenizer import CHATML

from logcount.content import Chat
from logcount.counting import Counter
from logcount.counting.composition import Cell, Entry
from logcount.counting.prompts import Prompts
from logcount.counting.shown import shows_tools
from logcount.errors import Uncountable
from logcount.exchanges import Body, Exchange
from logcount.jsontext import Escaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.tokenizers import TransformersTokenizer

    Speaking = Callable[[str | None], TransformersTokenizer]
    Message = dict[str, Any]

DAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
THOUGHT_END = "</think>"


@pytest.fixture(scope="module")
def prompts(speaking: Speaking) -> Callable[[str], tuple[Prompts, TransformersTokenizer]]:
    """Return a function that gives what counts with a template; what it has learned it keeps for all tests."""
    known: dict[str, tuple[Prompts, TransformersTokenizer]] = {}

    def load(template: str) -> tuple[Prompts, TransformersTokenizer]:
        if template not in known:
            known[template] = fresh(speaking(template)), speaking(template)
        return known[template]

    return load


def fresh(tokenizer: TransformersTokenizer) -> Prompts:
    """Return what has learned nothing yet."""
    return Prompts(tokenizer, dict, lambda _: THOUGHT_END)


def rendered(tokenizer: TransformersTokenizer, chat: Chat, date: datetime = DAY) -> str:
    """Return the whole conversation."""
    return tokenizer.render(
        chat.messages, tools=chat.tools, open_reply=chat.open_reply, options=chat.options, date=date
    )


def check(prompts: Prompts, tokenizer: TransformersTokenizer, chat: Chat, date: datetime = DAY) -> None:
    """See that a conversation is counted as what the template writes, or refused as the template refuses it."""
    try:
        shown = rendered(tokenizer, chat, date)
    except Uncountable:
        with pytest.raises(Uncountable):
            prompts.count(chat, date)
        return
    counted = prompts.count(chat, date)
    assert counted.tokens == tokenizer.count(shown), chat.messages
    assert counted.hides_tools or shows_tools(shown, chat.tools)


def composers(prompts: Prompts) -> list[Any]:
    """Return what composes, with one template or several."""
    return list(prompts._composers.values())


@pytest.mark.parametrize("habit", HABITS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_composed_is_what_is_rendered(
    prompts: Callable[[str], tuple[Prompts, TransformersTokenizer]], habit: str, data: st.DataObject
) -> None:
    counting, tokenizer = prompts(HABITS[habit])
    talk = data.draw(talks(parts="parts" in habit))
    tools = data.draw(st.sampled_from(TOOLS))
    for size in {len(talk), data.draw(st.integers(1, len(talk)))}:
        chat = Chat(talk[:size], tools=tools, open_reply=data.draw(st.booleans()))
        for _ in range(3):  # as a whole, as a lesson, and as what was learned
            check(counting, tokenizer, chat)


@pytest.mark.parametrize("habit", HABITS)
def test_conversations_that_grow_are_composed_and_right(speaking: Speaking, habit: str) -> None:
    tokenizer, chance = speaking(HABITS[habit]), Random(habit)
    counting = fresh(tokenizer)
    for _ in range(6):
        talk, tools = random_talk(chance, 6), chance.choice(TOOLS)
        for size in range(1, len(talk) + 1, 2):
            check(counting, tokenizer, Chat(talk[:size], tools=tools))


@pytest.mark.parametrize(
    "habit", ["ChatML", "thinking", "trimmed", "a look from the end", "tools in the first question"]
)
def test_templates_as_those_of_real_models_are_composed(speaking: Speaking, habit: str) -> None:
    tokenizer, chance = speaking(HABITS[habit]), Random(habit)
    counting = fresh(tokenizer)
    for _ in range(20):
        check(counting, tokenizer, Chat(random_talk(chance, 6), tools=chance.choice(TOOLS[:2])))
    assert all(composer.trusted and composer._composed for composer in composers(counting))


@pytest.mark.parametrize(("habit", "role"), [("the operator left out", "system"), ("replies left out", "assistant")])
def test_a_message_that_is_left_out_is_said_to_be(speaking: Speaking, habit: str, role: str) -> None:
    counting = fresh(speaking(HABITS[habit]))
    talk = [{"role": "user", "content": "Hello"}, {"role": "user", "content": "Good-bye"}]
    for number in range(4):
        assert not counting.count(Chat([*talk, {"role": "user", "content": str(number)}]), DAY).hidden
        assert counting.count(Chat([*talk, {"role": role, "content": f"Number {number}"}]), DAY).hidden


def _tool(name: str, description: str) -> Message:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": None}}


TOOLS_FIRST = "{%- for tool in tools or [] %}{{- '<|im_start|>' + (tool|tojson) + '<|im_end|>' }}{%- endfor %}"


@pytest.mark.parametrize(
    ("template", "tools"),
    [
        pytest.param(CHATML, ["x", "</think>"], id="a tool that holds an added token"),
        pytest.param(
            each("{%- if tools and tools|length > 1 %}{{- '[many]' }}{%- endif %}", first=TOOLS_FIRST),
            ["x", "y"],
            id="a number of tools",
        ),
        pytest.param(
            each(
                "{%- for tool in tools or [] %}{{- 'V' if tool.function.description == 'v' }}{%- endfor %}",
                first=TOOLS_FIRST,
            ),
            ["v"],
            id="a word in a tool",
        ),
    ],
)
def test_what_a_template_does_by_the_tools_is_learned_for_each_list_of_them(
    speaking: Speaking, template: str, tools: list[str]
) -> None:
    counting, tokenizer = fresh(speaking(template)), speaking(template)
    roles = ("system", "user", "assistant", "user", "assistant", "user")
    chat = [{"role": role, "content": "x"} for role in roles]
    for these in ([_tool("f", "x")], [_tool("g", text) for text in tools]):
        for size in (1, 3, 6, 1, 3, 6):
            check(counting, tokenizer, Chat(chat[:size], tools=these))


@pytest.mark.parametrize("habit", ["ChatML", "thinking", "trimmed", "results under a call's name", "the operator last"])
def test_an_answer_is_what_the_template_writes_after_the_prompt(speaking: Speaking, habit: str) -> None:
    tokenizer, chance = speaking(HABITS[habit]), Random(habit)
    counting = fresh(tokenizer)
    for _ in range(60):
        *talk, said = random_talk(chance, chance.choice((1, 2, 4)))
        opened = rendered(tokenizer, Chat(talk))
        closed = rendered(tokenizer, Chat([*talk, said], open_reply=False))
        right = closed[len(opened) :] if closed.startswith(opened) else None
        assert counting.answer(Chat(talk), said, DAY) == right


def test_a_template_that_writes_the_date_is_counted_by_each_date(speaking: Speaking) -> None:
    counting, tokenizer = fresh(speaking(DATED)), speaking(DATED)
    chat = Chat([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}])
    for month in (1, 5, 9, 1, 5, 9, 12):
        for day in (2, 2, 22):
            check(counting, tokenizer, chat, datetime(2026, month, day, tzinfo=UTC))


def test_options_of_a_request_reach_the_template_and_are_told_apart(speaking: Speaking) -> None:
    counting, tokenizer = fresh(speaking(CHATML)), speaking(CHATML)
    for options in ({}, {"enable_thinking": False}, {"enable_thinking": True}, {"x": [1]}) * 3:
        check(counting, tokenizer, Chat([{"role": "user", "content": "Hello"}], options=options))


@pytest.mark.parametrize("oddity", ODD)
def test_what_no_surroundings_hold_is_never_counted_wrong(speaking: Speaking, oddity: str) -> None:
    tokenizer, chance = speaking(ODD[oddity]), Random(oddity)
    counting = fresh(tokenizer)
    known = [random_talk(chance, turns) for turns in (1, 2, 3, 4, 6, 10)]
    for _ in range(50):
        talk = list(chance.choice(known))
        place = chance.randrange(len(talk))
        talk[place] = talk[place] | {"content": chance.choice(TEXTS)}
        check(counting, tokenizer, Chat(talk[: chance.randint(1, len(talk))]))


def _bodies(chance: Random) -> list[str]:
    bodies = []
    for _ in range(3):
        talk = random_talk(chance, 5)
        for message in talk:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = json.dumps(call["function"]["arguments"])
        tools = chance.choice(({}, {"tools": TOOLS[2]}))
        ends = [at for at, message in enumerate(talk) if message["role"] == "user"]
        bodies += [json.dumps({"model": "m", "messages": talk[: end + 1], **tools}) for end in ends]
    return bodies


@pytest.mark.parametrize("habit", ["ChatML", "trimmed", "a look from the end", "results under a call's name"])
def test_bodies_of_a_conversation_that_grows_are_counted_as_if_each_were_the_first(
    speaking: Speaking, habit: str
) -> None:
    tokenizer = speaking(HABITS[habit])
    answer = {"object": "chat.completion", "choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}
    counter = Counter(lambda _: tokenizer)
    for body in _bodies(Random(habit)):
        escaped = Body(Escaped(msgspec.Raw(json.dumps(body).encode())))
        exchange = Exchange("call", model="m", request=escaped, response=Body(json.dumps(answer)))
        plain = Exchange("call", model="m", request=Body(json.loads(body)), response=Body(answer))
        met, alone = counter.count(exchange), Counter(lambda _: tokenizer).count(plain)
        assert (met.count, met.reason) == (alone.count, alone.reason)
        assert met.count is not None


def _broken(entry: Entry) -> Entry:
    pieces = (*entry.cell.pieces, " and a few more words")
    return Entry(Cell(pieces), entry.hidden, entry.tail)


def test_an_audit_finds_a_count_that_is_wrong_and_ends_composing(tiny: TransformersTokenizer) -> None:
    counting = fresh(tiny)
    chat = Chat([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi there"}] * 3)
    for _ in range(5):
        check(counting, tiny, chat)
    (composer,) = composers(counting)
    assert composer.trusted
    for pattern in composer._patterns.values():
        for entries in (pattern.shared, pattern.entries):
            entries.update({place: _broken(entry) for place, entry in entries.items()})
    for number in range(1000):
        counting.count(Chat([{"role": "user", "content": f"Hello {number}"}, *chat.messages[1:]]), DAY)
    assert not composer.trusted
    check(counting, tiny, chat)


MODES = each(
    "{%- if '/think' in message.content %}{%- set ns.mode = 'a' %}"
    "{%- elif '/no_think' in message.content %}{%- set ns.mode = 'b b' %}{%- endif %}{{- ns.mode }}",
    first="{%- set ns = namespace(mode='') %}",
)
MODES_IN_PARTS = (
    MODES.replace("message.content", "part.text")
    .replace("{%- if '/think'", "{%- for part in message.content %}{%- if '/think'")
    .replace("{{- part.text }}", "{{- part.text }}{%- endfor %}")
)


@pytest.mark.parametrize("template", [MODES, MODES_IN_PARTS], ids=["in a text", "in parts"])
def test_a_switch_that_was_thrown_long_ago_is_remembered(speaking: Speaking, template: str) -> None:
    def talk(switch: str, *roles: str) -> list[Message]:
        texts = [("user", "one"), ("assistant", "two"), ("user", switch), *((role, "well then") for role in roles)]
        if template is MODES:
            return [{"role": role, "content": text} for role, text in texts]
        return [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in texts]

    counting, tokenizer = fresh(speaking(template)), speaking(template)
    off = talk("x /no_think", "assistant", "user", "system", "assistant")
    on = talk("x /think", "assistant", "user", "assistant", "user", "assistant", "system")
    met = talk("x /no_think", "assistant", "user", "assistant", "user", "assistant", "system")
    for messages in (off, off, off, on, on, on, met):
        check(counting, tokenizer, Chat(messages))
