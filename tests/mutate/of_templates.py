"""Mutations of what renders conversations, and of the one cache."""

from __future__ import annotations

from mutate.mutation import Mutation

_RENDERER, _SANDBOX = "templates/renderer.py", "templates/sandbox.py"
_IT = ("counting/test_renderer.py",)
_EQUAL = ("counting/test_equal_rendering.py",)
_MADE_UP = ("counting/test_made_up_templates.py",)
_TOKENIZER = ("tokenizers/test_tokenizer_counts.py",)
_CACHE = "test_bounded_cache.py::{}".format

OF_TEMPLATES = {
    "a renderer that differs on its trial is used": Mutation(
        _RENDERER,
        "                if fast.render(*given) != self._reference(*given):\n                    break",
        "                if fast.render(*given) != self._reference(*given):\n                    continue",
        "a version of transformers that renders otherwise goes unnoticed until an audit",
        _IT,
    ),
    "the trial gives no options": Mutation(
        "templates/trial.py",
        "yield plain[-1], None, True, options",
        "yield plain[-1], None, True, {}",
        "a renderer that loses a request's options passes its trial",
        _IT,
    ),
    "the trial has no reasoning": Mutation(
        "templates/trial.py",
        "if chance.random() < 0.3:",
        "if chance.random() < 0.0:",
        "a renderer that loses reasoning passes its trial",
        _IT,
    ),
    "no conversation is audited": Mutation(
        _RENDERER,
        "min(self._rendered, _RARELY) < 1",
        "min(self._rendered, _RARELY) < 0",
        "what the trial does not show is never found",
        _IT,
    ),
    "audits become rarer for ever": Mutation(
        _RENDERER,
        "min(self._rendered, _RARELY) < 1",
        "self._rendered < 1",
        "after a million conversations nearly none is looked at",
        _IT,
    ),
    "what an audit finds to be wrong is counted": Mutation(
        _RENDERER, "        return right\n", "        return text\n", "the one text that is known to be wrong", _IT
    ),
    "a renderer that was found out goes on": Mutation(
        _RENDERER,
        "            self._fast = None\n            _LOGGER",
        "            _LOGGER",
        "wrong counts go on, with a warning now and then",
        _IT,
    ),
    "identity is told of shared messages": Mutation(
        _SANDBOX,
        "    raise IdentityCompared\n",
        "    return _value is _other\n",
        "`sameas` is true of two messages that transformers would have copied",
        _IT,
    ),
    "who asks for identity is refused": Mutation(
        _RENDERER,
        "        except IdentityCompared:\n            raise\n",
        "",
        "a conversation that can be counted is not",
        _IT,
    ),
    "today is the date of a template": Mutation(
        _RENDERER,
        '        own.environment.globals["strftime_now"] = _strftime_now\n',
        "",
        "the count of an old log depends on the day on which it is read",
        _TOKENIZER,
    ),
    "today is the date of the reference": Mutation(
        _RENDERER,
        '            self._compiled(self._source).environment.globals["strftime_now"] = _strftime_now\n',
        "",
        "as before, where apply_chat_template renders",
        _IT,
    ),
    "the date stays after rendering": Mutation(
        _RENDERER,
        "            _date.reset(moment)\n",
        "            pass\n",
        "others in the process get the date of an old log for today",
        _TOKENIZER,
    ),
    "one template serves with and without tools": Mutation(
        _RENDERER,
        "        template = self._templates.get(tools is not None)\n",
        "        template = self._templates.get(False)\n",
        "a model with a template for tools is counted without it",
        _TOKENIZER,
    ),
    "options replace the conversation": Mutation(
        _RENDERER,
        "for name, value in (options or {}).items() if name not in self._reserved}",
        "for name, value in (options or {}).items()}",
        "a request that names an option `messages` is counted as another",
        _TOKENIZER,
    ),
    "an option that only the reference knows is left to the faster way": Mutation(
        _RENDERER,
        "            and _REFERENCE_OPTIONS.isdisjoint(options)\n",
        "",
        "a reply that is continued is counted as if it was not",
        _TOKENIZER,
    ),
    "any depth is plain JSON": Mutation(
        _RENDERER, "_DEEPEST = 64\n", "_DEEPEST = 640\n", "transformers refuses what is counted here", _IT
    ),
    "keys of any kind are plain JSON": Mutation(
        _RENDERER,
        "    if kind is dict and not all(type(key) is str for key in value):\n        return 0\n",
        "",
        "a number as a key is sorted and written otherwise",
        _IT,
    ),
    "nulls of a message are kept": Mutation(
        _RENDERER,
        "    if None in message.values():\n",
        "    if False:\n",
        "`message.name is defined` is true of null",
        _MADE_UP,
    ),
    "another name of reasoning goes first": Mutation(
        _RENDERER,
        '_REASONING = ("reasoning_content", "thinking", "reasoning")',
        '_REASONING = ("thinking", "reasoning_content", "reasoning")',
        "a message with two thoughts is written with the other one",
        _IT,
    ),
    "the looked-at tools have no bound": Mutation(
        _RENDERER,
        "BoundedCache(_KNOWN_ROOM, lambda _key, entry: entry[1])",
        "BoundedCache(_KNOWN_ROOM, lambda _key, entry: 0)",
        "a caller with new tools each time fills the memory",
        _IT,
    ),
    "long texts in tools take no room": Mutation(
        _RENDERER,
        "        return _VALUE_BYTES + 4 * len(value)\n",
        "        return _VALUE_BYTES\n",
        "a caller with long descriptions fills the memory",
        _IT,
    ),
    "remembered JSON has no bound": Mutation(
        _SANDBOX,
        "_VALUE_BYTES + _BYTES_A_CHARACTER * len(entry[1])",
        "0",
        "a caller with new tools each time fills the memory",
        _IT,
    ),
    "JSON is remembered by the number of an object that is gone": Mutation(
        _SANDBOX,
        "        if known is None or known[0] is not x:\n            known = x, write(",
        "        if known is None:\n            known = None, write(",
        "a tool is written as an earlier one that lay at the same place",
        _IT,
    ),
    "JSON in ASCII is remembered as any other": Mutation(
        _SANDBOX,
        "key = (id(x), ensure_ascii, indent, sort_keys)",
        "key = (id(x), True, indent, sort_keys)",
        "a template that writes a tool twice writes it wrong",
        _IT,
    ),
    "sorted JSON is remembered as any other": Mutation(
        _SANDBOX,
        "key = (id(x), ensure_ascii, indent, sort_keys)",
        "key = (id(x), ensure_ascii, indent, False)",
        "a template that writes a tool twice writes it wrong",
        _IT,
    ),
    "indented JSON is remembered as any other": Mutation(
        _SANDBOX,
        "key = (id(x), ensure_ascii, indent, sort_keys)",
        "key = (id(x), ensure_ascii, bool(indent), sort_keys)",
        "an indent of none and one of nothing are two: one has lines",
        _IT,
    ),
    "an indent of any kind is remembered": Mutation(
        _SANDBOX,
        "or not (indent is None or type(indent) is int)",
        "or isinstance(indent, list)",
        "2.0 equals 2 as a key, and is refused as an indent",
        _EQUAL,
    ),
    "a method that changes is safe": Mutation(
        _SANDBOX,
        'frozenset({"items", "keys", "values", "get"})',
        'frozenset({"items", "keys", "values", "get", "pop"})',
        "a template takes a message apart that others share",
        _EQUAL,
    ),
    "a method that formats is safe": Mutation(
        _SANDBOX, '- {"format", "format_map"}', '- {"format_map"}', "a template gets out of its sandbox", _EQUAL
    ),
    "what is safe depends on the name alone": Mutation(
        _SANDBOX,
        "        if kind is str and name in _STR_METHODS:\n",
        "        if name in _STR_METHODS:\n",
        "a number that is asked for `strip` is refused, where it has none",
        _EQUAL,
    ),
    "private names of a namespace are given": Mutation(
        _SANDBOX,
        'if kind is namespace and not name.startswith("_"):',
        "if kind is namespace:",
        "a template reads what the sandbox hides",
        _EQUAL,
    ),
    "an item that is missing is no method": Mutation(
        _SANDBOX,
        "type(key) is str and key not in _DICT_NAMES:",
        "type(key) is str:",
        "`message['items']` is a method to Jinja",
        _EQUAL,
    ),
    "an indented list is shared": Mutation(
        _SANDBOX,
        "indent(list(s) if type(s) is list else s, *args, **kwargs)",
        "indent(s, *args, **kwargs)",
        "one template changes the messages that the next one gets",
        _MADE_UP,
    ),
    "what would fill a generation is kept": Mutation(
        "bounded.py",
        "if size > self._room // 2:",
        "if size > self._room:",
        "one long text drives all others out",
        (_CACHE("test_what_would_fill_half_of_a_generation_is_not_kept"),),
    ),
    "what is asked for again is forgotten": Mutation(
        "bounded.py",
        "        if value is not None:\n            self.put(key, value)\n",
        "",
        "what comes in every request is counted again and again",
        (_CACHE("test_what_is_asked_for_again_stays_and_the_rest_goes"),),
    ),
    "a cache that is cleared keeps the older half": Mutation(
        "bounded.py",
        "self.young, self._old, self._taken = {}, {}, 0\n",
        "self.young, self._taken = {}, 0\n",
        "counts of an engine that was found out stay",
        (_CACHE("test_nothing_is_left_of_a_cache_that_was_cleared"),),
    ),
    "digests have no seed": Mutation(
        "bounded.py",
        "_seed = secrets.randbits(64)",
        "_seed = 0",
        "somebody prepares two prompts of which the second counts as the first",
        (_CACHE("test_no_process_knows_the_digests_of_another"),),
    ),
    "a cache takes twice its room": Mutation(
        "bounded.py",
        "self._room = room // 2",
        "self._room = room",
        "a process takes twice the memory",
        (_CACHE("test_texts_that_never_come_again_stay_within_the_room"),),
    ),
    "a looked-at tool is known by its number alone": Mutation(
        _RENDERER,
        "        if known is not None and known[0] is value:\n",
        "        if known is not None:\n",
        "equal: while an entry is kept it holds its object, so that no other one has that number",
    ),
    "one renderer that asks for identity passes its trial": Mutation(
        _RENDERER,
        "            except IdentityCompared:\n                break\n",
        "            except IdentityCompared:\n                continue\n",
        "equal but for time: each conversation in which it is asked for goes to the reference anyway",
    ),
}
