"""Mutations of the short ways to read bodies."""

from __future__ import annotations

from mutate.mutation import Mutation

_DECODER, _FAST, _CHUNKS = "bodies/message_decoder.py", "bodies/usage_fast_path.py", "bodies/chunks.py"
_CACHE = "test_bounded_cache.py::{}".format
_ENDS = ("bodies/test_usage_of_streams.py",)
_IN_PART = ("bodies/test_chunks_and_usage_fast_path.py",)
_PLAIN = ("bodies/test_plain_chat.py",)

OF_BODIES = {
    "a message is known by its beginning": Mutation(
        _DECODER,
        "key = digest(view)",
        "key = digest(view[:64])",
        "a long message counts as another that begins alike",
        (_CACHE("test_parts_that_begin_alike_are_told_apart"),),
    ),
    "a message is known by its length": Mutation(
        _DECODER,
        "key = digest(view)",
        'key = b"%d" % len(view)',
        "a message counts as another of its length",
        (_CACHE("test_parts_that_begin_alike_are_told_apart"),),
    ),
    "wide texts take as much room as narrow ones": Mutation(
        _DECODER,
        "len(data) if data.isascii() else 4 * len(data)",
        "len(data)",
        "a caller with an emoji in each message takes four times the memory",
        (_CACHE("test_decoded_messages_that_never_come_again_stay_within_the_room"),),
    ),
    "objects take no room": Mutation(
        _DECODER,
        '_OBJECT_BYTES * data.count(b"{")',
        '0 * data.count(b"{")',
        "nested messages fill the memory",
        (_CACHE("test_decoded_messages_that_never_come_again_stay_within_the_room"),),
    ),
    "tools are the same for every API": Mutation(
        "bodies/__init__.py",
        "known = self._tools.get((id(given), api))",
        "known = next((one for one in [*self._tools.young.values()] if one[0] is given), None)",
        "one list of tools that two APIs answer is handed on in the other's form",
        (_CACHE("test_the_tools_of_one_api_are_not_taken_for_those_of_another"),),
    ),
    "lists of tools have no bound": Mutation(
        "bodies/__init__.py",
        "_TOOLS_ROOM, lambda _key, entry: entry[2]",
        "_TOOLS_ROOM, lambda _key, entry: 0",
        "a caller with new tools each time fills the memory",
        (_CACHE("test_lists_of_tools_that_never_come_again_stay_within_the_rooms"),),
    ),
    "the first chunks have the last word on usage": Mutation(
        "bodies/__init__.py",
        "Framed([*ends.opening, *ends.closing], streamed=True)",
        "Framed([*ends.closing, *ends.opening], streamed=True)",
        "a stream with a running usage counts its first",
        _ENDS,
    ),
    "the last but one chunk has the last word on usage": Mutation(
        _FAST,
        "closing = [_chunk(piece) for piece in data.rsplit(_BETWEEN, _DECODED)[-_DECODED:]]",
        "closing = [_chunk(piece) for piece in data.rsplit(_BETWEEN, _DECODED)[:0:-1]]",
        "a stream with a running usage counts its last but one",
        _ENDS,
    ),
    "half a usage at the end is enough": Mutation(
        "bodies/__init__.py",
        "    if not _is_whole(_usage(api, ends.closing)):\n        return None\n",
        "",
        "a running count in the middle is passed over",
        _ENDS,
    ),
    "an error in the middle is passed over": Mutation(
        _FAST, "or _ERROR in data or", "or", "a stream that failed is counted as one that did not", _ENDS
    ),
    "an escape hides an error": Mutation(
        _FAST, " or _HIDING.search(data):", ":", "as before, where a letter of `error` is escaped", _ENDS
    ),
    "a chunk that is no object is passed over": Mutation(
        _FAST, 'between == data.count(b"data: ") - 1', "True", "a flag of a broken stream is lost", _ENDS
    ),
    "an error beside its usage is an answer": Mutation(
        _FAST,
        "or not answer.model or answer.error:",
        "or not answer.model:",
        "an answer that was filtered is taken for a whole one",
        _IN_PART,
    ),
    "an answer of no model is an answer": Mutation(
        _FAST,
        "or not answer.model or answer.error:",
        "or answer.error:",
        "the model that the request names is passed over",
        _IN_PART,
    ),
    "DeepSeek's word for cached tokens goes first": Mutation(
        _FAST,
        "told.prompt_cache_hit_tokens if cached is None else cached",
        "told.prompt_cache_hit_tokens or cached",
        "a cache in two words is read otherwise than in full",
        _IN_PART,
    ),
    "any number is a number of tokens": Mutation(
        _FAST, "msgspec.Meta(ge=0, le=MOST_TOKENS)", "msgspec.Meta(ge=0)", "10^30 tokens are billed", _IN_PART
    ),
    "a running usage is plain": Mutation(
        _CHUNKS,
        "    usage: None = None\n\n\nclass PlainChunk",
        "    usage: Any = None\n\n\nclass PlainChunk",
        "usage that was reported is not read",
        _IN_PART + _PLAIN,
    ),
    "a message may hold more than is known": Mutation(
        _CHUNKS,
        "class _Said(msgspec.Struct, forbid_unknown_fields=True):",
        "class _Said(msgspec.Struct):",
        "what a new kind of model says is neither counted nor a doubt",
        _PLAIN,
    ),
    "a call is plain": Mutation(
        _CHUNKS,
        "    tool_calls: None = None\n",
        "    tool_calls: Any = None\n",
        "a call of a tool is not counted",
        _PLAIN,
    ),
    "the last model of a stream is its model": Mutation(
        _CHUNKS,
        "model = model or chunk.model",
        "model = chunk.model or model",
        "a stream of two names is counted with the other's tokenizer",
        _PLAIN,
    ),
    "the first finish of a choice is its finish": Mutation(
        _CHUNKS,
        "finishes[index] = found",
        "finishes.setdefault(index, found)",
        "a stop token is counted that was none",
        _PLAIN,
    ),
    "all pieces are of one choice": Mutation(
        _CHUNKS,
        "            index = choice.index\n",
        "            index = 0\n",
        "two choices are counted as one, with one stop token",
        _PLAIN,
    ),
    "a stop string is not told from a stop": Mutation(
        _CHUNKS,
        "return Finish.STOP_STRING if isinstance(self.stop_reason, str) else Finish.STOP",
        "return Finish.STOP",
        "a reply of which a part was cut away is said to be whole",
        _PLAIN,
    ),
    "two choices of one number are plain": Mutation(
        _CHUNKS,
        "    if len({choice.index for choice in answer.choices}) < len(answer.choices):\n        return None\n",
        "",
        "a piece of an answer is read otherwise than in full",
        _PLAIN,
    ),
    "a plain stream is never cut": Mutation(
        _CHUNKS,
        "replies=tuple(replies), cut=cut)",
        "replies=tuple(replies), cut=False)",
        "a stream that broke off is not flagged",
        _PLAIN,
    ),
    "a built chunk is built again": Mutation(
        _CHUNKS,
        "document = self._built[at] = _read(self._pieces[at])",
        "document = _read(self._pieces[at])",
        "an answer of many chunks is read many times over",
        _IN_PART,
    ),
    "short parts are looked up": Mutation(
        _DECODER,
        "_WORTH_KNOWING = 24",
        "_WORTH_KNOWING = 0",
        "equal but for time: what is remembered of a part is what decoding it gives",
    ),
}
