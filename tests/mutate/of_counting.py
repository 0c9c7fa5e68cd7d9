"""Mutations of what counts an exchange: prompts, replies, their doubts, and on whose word it stands."""

from __future__ import annotations

from mutate.mutation import Mutation

_TEMPLATE, _PROMPTS, _SIDES = "counting/template.py", "counting/prompts.py", "counting/sides.py"
_CHATS = ("counting/test_chat_counts.py",)
_HARD = ("counting/test_hard_conversations.py",)
_TOOLS = ("counting/test_tool_and_media_counts.py",)
_SHOWN = ("counting/test_shown_messages.py",)
_DECISIONS = ("counting/test_decisions.py",)
_HARMONY = ("counting/test_harmony_turns.py",)

OF_COUNTING = {
    "options are no part of the key of a turn": Mutation(
        _TEMPLATE,
        "json.dumps(options, sort_keys=True, default=str)",
        "json.dumps(sorted(options), sort_keys=True, default=str)",
        "with thinking off, a reply counts as with thinking on",
        _CHATS,
    ),
    "documents are a part of the key of a turn": Mutation(
        _TEMPLATE,
        '_OF_THE_PROMPT = frozenset({"documents"})',
        "_OF_THE_PROMPT = frozenset({''})",
        "every call probes the template anew, and megabytes are hashed",
        _HARD,
    ),
    "turns have no bound": Mutation(
        _TEMPLATE,
        "    return 400 + (4 * len(turn.closing + turn.opening + turn.after_thinking) if turn else 0)\n",
        "    return 0\n",
        "a caller with a new option in each call fills the memory",
        _HARD,
    ),
    "a counter does not forget": Mutation(
        _SIDES, "    counter.forget()\n", "", "a conversation stays in memory after it was counted", _HARD
    ),
    "a counter forgets the prompt and keeps the chat": Mutation(
        _TEMPLATE,
        "        self._look = None\n        self._prompts",
        "        self._prompts",
        "a conversation stays in memory after it was counted",
        _HARD,
    ),
    "what was written adds up over exchanges": Mutation(
        _PROMPTS,
        "        self._latest = None\n        self._written = 0\n\n    def attempt",
        "        self._latest = None\n\n    def attempt",
        "after some hours every reply with a thought is a lower bound",
        _HARD,
    ),
    "only the first level of options is looked at": Mutation(
        _TEMPLATE,
        "            pending.extend(inner)\n",
        "            pass\n",
        "a caller's options take minutes",
        _HARD,
    ),
    "messages cost nothing towards the bound": Mutation(
        _PROMPTS,
        "_VALUE_COST * (len(messages) + len(chat.options))",
        "_VALUE_COST * len(chat.options)",
        "many choices after many short messages take minutes",
        _HARD,
    ),
    "a plain reply has no stop token": Mutation(
        _TEMPLATE,
        "self.tokenizer.count(reply.text) + stop_tokens(reply.finish)",
        "self.tokenizer.count(reply.text)",
        "every reply counts one token too few",
        _CHATS,
    ),
    "a written reply has no stop token": Mutation(
        _TEMPLATE,
        "Side(self.tokenizer.count(written) + stop_tokens(reply.finish), doubts)",
        "Side(self.tokenizer.count(written), doubts)",
        "every tool call counts one token too few",
        _TOOLS,
    ),
    "a bare reply has no stop token": Mutation(
        _TEMPLATE,
        "Side(tokens + stop_tokens(reply.finish), frozenset({doubt}))",
        "Side(tokens, frozenset({doubt}))",
        "a lower bound is lower than need be",
        _TOOLS,
    ),
    "a stop string is no stop": Mutation(
        "counting/side.py",
        "_STOPPED = frozenset({Finish.STOP, Finish.STOP_EITHER, Finish.STOP_STRING})",
        "_STOPPED = frozenset({Finish.STOP, Finish.STOP_EITHER})",
        "a reply that met a stop string counts one token too few",
        _CHATS,
    ),
    "hidden reasoning before a call is no doubt": Mutation(
        _TEMPLATE,
        "frozenset() if reply.reasoning or not turn.opening else uncounted_parts",
        "frozenset() if True else uncounted_parts",
        "a call after a hidden thought is said to be counted whole",
        _TOOLS,
    ),
    "a thought that nobody saw is counted": Mutation(
        _TEMPLATE,
        "            written = written.removeprefix(turn.opening)\n",
        "            pass\n",
        "a lower bound holds the tokens of a thought that perhaps was none",
        _TOOLS,
    ),
    "a turn that ends in its own way is whole": Mutation(
        _TEMPLATE,
        'doubts | {"the chat template ends such a reply in its own way"}',
        "doubts",
        "the end of a tool call is said to be known",
        _TOOLS,
    ),
    "calls that the template leaves out are no doubt": Mutation(
        _TEMPLATE,
        "if not (said and shows_tools(written, reply.tool_calls)):",
        "if not said:",
        "a reply whose calls are not counted is said to be counted whole",
        _TOOLS,
    ),
    "either the text or the thought is enough": Mutation(
        _TEMPLATE,
        "reply.text.strip() in written and reply",
        "reply.text.strip() in written or reply",
        "a thought that is not counted is no doubt",
        _CHATS,
    ),
    "a call that is cut is counted as written": Mutation(
        _TEMPLATE,
        "if reply.tool_calls and reply.finish is Finish.LENGTH:",
        "if False:",
        "a half call is counted with an end that was never written",
        _HARD,
    ),
    "a call in the server's own form is counted as written": Mutation(
        _TEMPLATE,
        "if chat.forced and reply.tool_calls:",
        "if False:",
        "calls that were forced are said to be counted whole",
        _TOOLS,
    ),
    "a message that the template hides is no doubt": Mutation(
        _TEMPLATE, "if counted.hides_message:", "if False:", "a prompt without a message is said to be whole", _CHATS
    ),
    "tools that the template hides are no doubt": Mutation(
        _TEMPLATE, "if counted.hides_tools:", "if False:", "a prompt without its tools is said to be whole", _TOOLS
    ),
    "parts that cannot be counted are no doubt": Mutation(
        _TEMPLATE,
        'doubts = uncounted_parts(chat.missing, "prompt")',
        "doubts: frozenset[str] = frozenset()",
        "a prompt with an image is said to be whole",
        _TOOLS,
    ),
    "a prompt is not given its date": Mutation(
        _SIDES,
        "counter.prompt(prompt, exchange.time)",
        "counter.prompt(prompt, None)",
        "a dated template counts every prompt as of one day",
        _CHATS,
    ),
    "a reply is not given its date": Mutation(
        _TEMPLATE,
        "said, date or UNDATED)",
        "said, UNDATED)",
        "a template that dates its turns writes another reply",
        _CHATS,
    ),
    "a prompt's turn is always opened": Mutation(
        _PROMPTS,
        "open_reply=chat.open_reply)\n        hides",
        "open_reply=True)\n        hides",
        "a reply that is continued counts the opening of another",
        _HARD,
    ),
    "a developer is left to the template": Mutation(
        _PROMPTS,
        'type(content) is str and role != "developer" and',
        "type(content) is str and",
        "what the developer says is refused or left out",
        _CHATS,
    ),
    "empty arguments are no object": Mutation(
        _PROMPTS,
        'json.loads(function["arguments"] or "{}")',
        'json.loads(function["arguments"])',
        "a call without arguments is written with nothing in place of {}",
        _TOOLS,
    ),
    "parts are handed on under their own type": Mutation(
        _PROMPTS,
        '[{**part, "type": "text"} for part in texts]',
        "texts",
        "a template that reads text parts leaves out those of other APIs",
        _CHATS,
    ),
    "the operator is looked for among the others": Mutation(
        "counting/shown.py",
        'reader = operator if role in ("system", "developer") else others',
        "reader = others",
        "a system text that the template moves is a doubt",
        _SHOWN,
    ),
    "a text may stand for two": Mutation(
        "counting/shown.py",
        "self._position = self._ends[text] = found + len(text)",
        "self._position = found",
        "a message that is left out is no doubt if another says the same",
        _SHOWN,
    ),
    "a text in another wording may stand for two": Mutation(
        "counting/shown.py",
        "self._ends[wordings[0]] = found",
        "self._ends[wording] = found",
        "a tool's result that is left out is no doubt if another says the same",
        _SHOWN,
    ),
    "anybody's thoughts may go": Mutation(
        "counting/shown.py",
        'thought_end if role == "assistant" else None',
        "thought_end",
        "what a user wrote before </think> is not missed",
        _SHOWN,
    ),
    "bare texts are counted without special tokens": Mutation(
        _SIDES,
        "count(text, special=prompt.special)",
        "count(text)",
        "each embedding counts some tokens too few",
        _DECISIONS,
    ),
    "ids count nothing": Mutation(
        _SIDES, "tokens + prompt.token_ids", "tokens", "a prompt of ids counts nothing", _DECISIONS
    ),
    "an echo that is not found is no doubt": Mutation(
        _SIDES,
        "if prompt is None else set()",
        "if False else set()",
        "a reply that may hold the prompt is said to be whole",
        _DECISIONS,
    ),
    "parts of a reply that cannot be counted are no doubt": Mutation(
        _SIDES,
        'doubts = set(uncounted_parts(reply.missing, "reply"))',
        "doubts: set[str] = set()",
        "a spoken reply is said to be whole",
        _TOOLS,
    ),
    "a stop string that is not shown is no doubt": Mutation(
        _SIDES,
        "if met or reply.finish is Finish.STOP_STRING:",
        "if False:",
        "a reply of which a part was cut away is said to be whole",
        _CHATS,
    ),
    "a response that is cut is no doubt": Mutation(
        _SIDES,
        "    if response.cut:\n",
        "    if False:\n",
        "a stream that lost chunks is said to be counted whole",
        _DECISIONS,
    ),
    "a request that is cut is no doubt": Mutation(
        _SIDES,
        "cut = frozenset({jsontext.CUT}) if request.cut else frozenset()",
        "cut: frozenset[str] = frozenset()",
        "half a prompt is said to be whole",
        _DECISIONS,
    ),
    "a tokenizer is known by its name": Mutation(
        "counting/decision.py",
        "        counter = self._counters.get(id(tokenizer))\n        if counter is None:\n"
        "            counter = self._counters[id(tokenizer)] = ChatCounter(tokenizer)\n",
        "        named: dict[Any, Any] = self._counters\n"
        "        counter = named.setdefault(tokenizer.name, ChatCounter(tokenizer))\n",
        "two models with one tokenizer and two templates are counted with one of them",
        _DECISIONS,
    ),
    "the envelope's usage goes before the body's": Mutation(
        "counting/parsed_bodies.py",
        "and not is_whole(told, response) and is_whole(stated, response)",
        "and is_whole(stated, response)",
        "a gateway's estimate is counted where the model said it",
        _DECISIONS,
    ),
    "half a usage in the envelope goes before half of one in the body": Mutation(
        "counting/parsed_bodies.py",
        "and not is_whole(told, response) and is_whole(stated, response)",
        "and not is_whole(told, response)",
        "what the model said of its prompt is lost",
        _DECISIONS,
    ),
    "an envelope that disagrees is not told": Mutation(
        "counting/parsed_bodies.py",
        '        flags |= {"envelope-disagrees"}\n',
        "        pass\n",
        "nobody hears of two numbers for one call",
        _DECISIONS,
    ),
    "an envelope disagrees by its total alone": Mutation(
        "counting/parsed_bodies.py",
        "(body.prompt, body.completion, body.total) != (envelope.prompt, envelope.completion, envelope.total)",
        "body.total != envelope.total",
        "two sides that are swapped go unnoticed",
        _DECISIONS,
    ),
    "a running count is believed": Mutation(
        "counting/decision.py",
        "stated = reported if reported and not reported.interim else None",
        "stated = reported",
        "a stream that broke off counts what it had said by then",
        _DECISIONS,
    ),
    "one whole side is enough": Mutation(
        "counting/decision.py",
        "if prompt.whole and completion.whole else",
        "if prompt.whole or completion.whole else",
        "half a count is said to be whole",
        _DECISIONS,
    ),
    "cached tokens are lost beside a counted side": Mutation(
        "counting/decision.py",
        "cached=reported.cached if reported else None",
        "cached=None",
        "what was cheaper is billed in full",
        _DECISIONS,
    ),
    "a lower bound of nothing is a number": Mutation(
        "counting/decision.py",
        "return counted if counted.whole or counted.tokens else",
        "return counted if True else",
        "a reply of which nothing is known counts 0",
        _DECISIONS,
    ),
    "a status of 400 is a call": Mutation(
        "counting/decision.py",
        "exchange.status >= 400",
        "exchange.status > 400",
        "a request that was refused is billed",
        ("counting/test_decisions.py", "bodies/test_error_answers.py"),
    ),
    "a call of harmony counts as long as it can be": Mutation(
        "counting/harmony.py",
        "Side(min(tokenizer",
        "Side(max(tokenizer",
        "what is called a lower bound may be too high",
        _HARMONY,
    ),
    "a turn of harmony that is cut has an end": Mutation(
        "counting/harmony.py",
        'OPENING.join([*whole, last[: last.rindex("<|")]])',
        "OPENING.join([*whole, last])",
        "a reply at its limit counts one token too many",
        _HARMONY,
    ),
    "whoever opens as harmony speaks it": Mutation(
        "counting/harmony.py",
        " and all(tokenizer.count(token) == 1 for token in _TOKENS)",
        "",
        "a model that shares a template is counted with headers in letters",
        _CHATS,
    ),
    "the options of an equal chat are looked at once": Mutation(
        _TEMPLATE,
        "self._look.chat is not chat",
        "self._look.chat != chat",
        "equal: the look at one exchange is forgotten before the next, and an exchange has one chat",
    ),
    "a prompt of another date is taken": Mutation(
        _PROMPTS,
        "latest[0] is chat and latest[1] == date:",
        "latest[0] is chat:",
        "equal: all of an exchange has its one date, and the prompt is forgotten after it",
    ),
}
