"""Builds the sample archive: a day of mixed traffic behind one gateway, made up, seeded, the same every time.

    python samples/build.py [FOLDER]

Some answers report usage and some do not; some records are broken on purpose. The usage of the Qwen3 exchanges is what
its tokenizer says, which is why this needs the tokenizers that `make run` fetches.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import shutil
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
from dialogues import DIALOGUES, TOOL_DIALOGUES, TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
DAY = datetime(2026, 11, 21, tzinfo=UTC)
Json = dict[str, Any]

CAPTURE = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "SystemProperties", "type": {"type": "map", "values": ["long", "double", "string", "bytes"]}},
        {"name": "Properties", "type": {"type": "map", "values": ["long", "double", "string", "bytes"]}},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
"""The schema of Event Hubs Capture."""

TEAMS = {"search": "sub-search", "support": "sub-support", "labs": "sub-labs"}


class Day:
    """Hands out times, ids and dialogues in a fixed pseudo-random order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.time = DAY + timedelta(hours=7)

    def next_time(self) -> datetime:
        self.time += timedelta(seconds=self.random.expovariate(1 / 400))
        return self.time

    def next_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def dialogue(self) -> tuple[list[Json], str]:
        system, turns = self.random.choice(DIALOGUES)
        asked = self.random.randrange(len(turns))
        messages: list[Json] = [{"role": "system", "content": system}] if system else []
        for question, answer in turns[:asked]:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        question, answer = turns[asked]
        return [*messages, {"role": "user", "content": question}], answer


def iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def native(day: Day, request: Json, response: str, **fields: Any) -> Json:
    team = day.random.choice(list(TEAMS))
    event = {
        "v": 1,
        "requestId": day.next_id(),
        "time": iso(day.next_time()),
        "apiId": "llm",
        "operationId": "chat-completions",
        "productId": "models",
        "subscriptionId": TEAMS[team],
        "location": "West Europe",
        "gatewayId": "managed",
        "method": "POST",
        "url": "https://contoso.azure-api.net/llm/v1/chat/completions",
        "status": 200,
        "contentType": "application/json",
        "dimensions": {"Team": team},
    }
    return event | fields | {"responseBody": response, "requestBody": json.dumps(request, ensure_ascii=False)}


def chat(model: str, answer: str, *, usage: Json | None = None, calls: list[Json] | None = None) -> str:
    message: Json = {"role": "assistant", "content": answer} | ({"tool_calls": calls} if calls else {})
    finish = "tool_calls" if calls else "stop"
    body: Json = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1795250000, "model": model}
    body["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    return json.dumps(body | ({"usage": usage} if usage else {}), ensure_ascii=False)


def stream(model: str, answer: str, *, usage: Json | None = None, ends: bool = True) -> str:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1795250000, "model": model}
    pieces = answer.split(" ")
    words = [pieces[0], *(f" {piece}" for piece in pieces[1:])]
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    chunks = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if ends:
        chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        chunks.append(head | {"choices": [], "usage": usage})
    text = "".join(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks)
    return text + ("data: [DONE]\n\n" if ends else "")


def usage(prompt: int, completion: int, **details: Any) -> Json:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **details}


def qwen(day: Day, counter: Any) -> Json:
    """A self-hosted Qwen3: one answer in four reports usage, the others are counted by tokenizer."""
    messages, answer = day.dialogue()
    request: Json = {"model": "Qwen/Qwen3-8B", "messages": messages, "chat_template_kwargs": {"enable_thinking": False}}
    kind = day.random.randrange(8)
    if kind in {0, 1}:
        told = usage(*counter(request, answer))
        if kind == 0:
            return native(day, request, chat(request["model"], answer, usage=told))
        streamed = request | {"stream": True, "stream_options": {"include_usage": True}}
        body = stream(request["model"], answer, usage=told)
        return native(day, streamed, body, contentType="text/event-stream")
    if kind == 2:
        question, calls = day.random.choice(TOOL_DIALOGUES)
        asked = request | {"messages": [{"role": "user", "content": question}], "tools": TOOLS}
        return native(day, asked, chat(request["model"], "", calls=calls))
    if kind == 3:
        return native(day, request, chat(request["model"], answer))
    broken = day.random.random() < 0.1
    body = stream(request["model"], answer, ends=not broken)
    return native(day, request | {"stream": True}, body, contentType="text/event-stream")


def deepseek(day: Day) -> Json:
    messages, answer = day.dialogue()
    request = {"model": "deepseek-v3", "messages": messages}
    url = "https://contoso.azure-api.net/deepseek/chat/completions"
    return native(day, request, chat("deepseek-v3", answer), apiId="deepseek", url=url, location="Sweden Central")


def azure_openai(day: Day) -> Json:
    messages, answer = day.dialogue()
    url = "https://contoso.azure-api.net/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    fields = {"apiId": "azure-openai", "url": url}
    model = "gpt-4o-2024-11-20"
    if day.random.random() < 0.15:  # a stream whose caller did not ask for usage
        opening = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": []}
        body = f"data: {json.dumps(opening)}\n\n" + stream(model, answer)
        return native(day, {"messages": messages, "stream": True}, body, contentType="text/event-stream", **fields)
    told = usage(
        len(json.dumps(messages)) // 5,
        len(answer) // 4,
        prompt_tokens_details={"cached_tokens": 0},
        completion_tokens_details={"reasoning_tokens": 0},
    )
    return native(day, {"messages": messages}, chat(model, answer, usage=told), **fields)


def claude(day: Day) -> Json:
    messages, answer = day.dialogue()
    system = messages.pop(0)["content"] if messages[0]["role"] == "system" else None
    request = {"model": "claude-sonnet-4-5", "max_tokens": 1024, "messages": messages, "stream": True}
    opening = {"input_tokens": 25, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 1800}
    opening["output_tokens"] = 1
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": []}
    events: list[Json] = [
        {"type": "message_start", "message": message | {"usage": opening}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": answer}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": len(answer) // 4}},
        {"type": "message_stop"},
    ]
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    url = "https://contoso.azure-api.net/anthropic/v1/messages"
    asked = request | ({"system": system} if system else {})
    return native(day, asked, body, contentType="text/event-stream", apiId="anthropic", url=url)


def embeddings(day: Day) -> Json:
    messages, _ = day.dialogue()
    request = {"model": "text-embedding-3-small", "input": messages[-1]["content"]}
    vector = [round(day.random.uniform(-1, 1), 4) for _ in range(8)]
    told = {"prompt_tokens": len(request["input"]) // 4, "total_tokens": len(request["input"]) // 4}
    body = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": vector}], "usage": told}
    url = "https://contoso.azure-api.net/openai/deployments/embed/embeddings?api-version=2024-10-21"
    fields = {"apiId": "azure-openai", "operationId": "embeddings", "url": url}
    return native(day, request, json.dumps(body | {"model": "text-embedding-3-small"}), **fields)


def throttled(day: Day) -> Json:
    messages, _ = day.dialogue()
    body = json.dumps({"error": {"code": "429", "message": "Rate limit is exceeded. Try again in 7 seconds."}})
    return native(day, {"model": "Qwen/Qwen3-8B", "messages": messages}, body, status=429)


def image(day: Day) -> Json:
    """A picture in the prompt: its text is counted, the picture is not."""
    picture = base64.b64encode(day.random.randbytes(600)).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
    content = [{"type": "text", "text": "What is on this picture?"}, part]
    request = {"model": "Qwen/Qwen3-VL-8B-Instruct", "messages": [{"role": "user", "content": content}]}
    return native(day, request, chat("Qwen/Qwen3-VL-8B-Instruct", "A lighthouse on a cliff, at dusk."))


def mixed(day: Day, counter: Any, number: int) -> Iterator[Json]:
    makers = [qwen] * 5 + [azure_openai] * 3 + [claude, deepseek, embeddings, throttled]
    for _ in range(number):
        maker = day.random.choice(makers)
        yield maker(day, counter) if maker is qwen else maker(day)


def as_line(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def capture(path: Path, events: list[bytes | None], *, codec: str, first: int, time: datetime) -> None:
    """Write a Capture file: `Body` may be null, and a window without events is a file without records."""
    rows = [
        {
            "SequenceNumber": first + order,
            "Offset": str((first + order) * 4096),
            "EnqueuedTimeUtc": (time + timedelta(seconds=7 * order)).strftime("%m/%d/%Y %I:%M:%S %p").lstrip("0"),
            "SystemProperties": {},
            "Properties": {},
            "Body": body,
        }
        for order, body in enumerate(events)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream_:
        fastavro.writer(stream_, CAPTURE, rows, codec=codec, sync_marker=b"logcount-samples")


def seed_events(day: Day) -> Iterator[bytes]:
    """Events of the example that logcount grew from: two bodies and nothing else."""
    for _ in range(6):
        messages, answer = day.dialogue()
        request = {"model": "meta-llama/Llama-3.2-3B-Instruct", "messages": messages}
        told = usage(len(json.dumps(messages)) // 5, len(answer) // 4) if day.random.random() < 0.5 else None
        body = chat(request["model"], answer, usage=told)
        yield as_line({"RequestId": day.next_id(), "RequestBody": json.dumps(request), "ResponseBody": body})


def diagnostic_lines(day: Day) -> Iterator[bytes]:
    """Rows of GatewayLogs and GatewayLlmLogs, as the diagnostic setting archives them."""
    for _ in range(8):
        time, correlation = iso(day.next_time()), day.next_id()
        head = {"time": time, "correlationId": correlation, "location": "West Europe"}
        resource = "/SUBSCRIPTIONS/0/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.APIMANAGEMENT/SERVICE/CONTOSO"
        gateway = {"method": "POST", "responseCode": 200, "apiId": "azure-openai", "apimSubscriptionId": "sub-labs"}
        yield as_line(head | {"resourceId": resource, "category": "GatewayLogs", "properties": gateway})
        prompt, completion = day.random.randrange(20, 900), day.random.randrange(5, 300)
        tokens = {"promptTokens": prompt, "completionTokens": completion, "totalTokens": prompt + completion}
        llm = {"sequenceNumber": 0, "modelName": "gpt-4o-mini-2024-07-18", "isStreamCompletion": True} | tokens
        yield as_line(head | {"resourceId": resource, "category": "GatewayLlmLogs", "properties": llm})


def accelerator_records(day: Day) -> Json:
    """Records of an accelerator that logs counts and no bodies, as an array in one document."""
    records = []
    for _ in range(5):
        time = day.next_time().strftime("%m/%d/%Y %I:%M:%S %p")
        prompt, completion = day.random.randrange(20, 400), day.random.randrange(5, 200)
        record: Json = {"id": day.next_id(), "timestamp": time, "appId": "NA", "subscriptionId": "sub-retail"}
        record |= {"productName": "AI-Retail", "model": "gpt-4o", "gatewayRegion": "East US", "backendId": "openai-0"}
        counts = {"promptTokens": prompt, "responseTokens": completion, "totalTokens": prompt + completion}
        records.append(record | {name: str(number) for name, number in counts.items()})
    return {"records": records}


def broken_lines(day: Day, whole: Json) -> Iterator[bytes]:
    """What goes wrong in real archives."""
    line = as_line(whole | {"requestId": day.next_id()})
    yield line[: len(line) // 2]  # cut in the response
    yield line[:-15]  # cut in the request: the response is whole
    yield line[:200]  # cut before both
    yield b"request:6f0f9a51-0d9d-4a1a-9a0a-7a5b0f6d3f52"  # half of an application/http pair, torn
    yield b'{"level":"info","message":"gateway restarted"}'
    yield b"\xff\xfe\x00\x01 not a log line"
    yield as_line({"kind": "response-body", "correlationId": day.next_id(), "chunkIndex": 0, "payload": "data: {"})


def token_counter() -> Any:
    """Return a function that gives the true prompt and completion tokens of a Qwen3 exchange."""
    from logcount.cli.wiring import make_registry
    from logcount.counting.template import ChatCounter
    from logcount.model.content import Chat
    from logcount.settings import load_settings

    tokenizer = make_registry(load_settings(HERE / "logcount.toml"))("Qwen/Qwen3-8B")
    assert tokenizer is not None
    chats = ChatCounter(tokenizer)

    def count(request: Json, answer: str) -> tuple[int, int]:
        prompt = chats.prompt(Chat(request["messages"], options=request["chat_template_kwargs"]), DAY)
        assert prompt.tokens is not None
        return prompt.tokens, tokenizer.count(answer) + 1

    return count


def build(folder: Path) -> None:
    """Write the archive, in the layouts that Azure uses."""
    shutil.rmtree(folder, ignore_errors=True)
    counter = token_counter()
    hub = folder / "capture" / "contoso-ns" / "llm-logs"
    for partition, codec in ((0, "null"), (1, "deflate")):
        day = Day(partition)
        events: list[bytes | None] = [as_line(event) for event in mixed(day, counter, 30)]
        path = hub / str(partition) / "2026" / "11" / "21"
        capture(path / "09" / "00" / "00.avro", events[:15], codec=codec, first=1000, time=DAY + timedelta(hours=9))
        capture(path / "10" / "00" / "00.avro", [], codec=codec, first=1015, time=DAY)
        capture(path / "11" / "00" / "00.avro", [*events[15:], None], codec=codec, first=1015, time=day.time)
    day = Day(2)
    lines = [*mixed(day, counter, 40), image(day)]
    with (folder / "native.jsonl.gz").open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.writelines(as_line(event) + b"\n" for event in lines)
    (folder / "seed.jsonl").write_bytes(b"\n".join(seed_events(day)) + b"\n")
    hour = folder / "insights-logs-gatewayllmlogs" / "resourceId=" / "y=2026" / "m=11" / "d=21" / "h=15" / "m=00"
    hour.mkdir(parents=True)
    torn = b'{"time":"2026-11-21T15:59:58Z","category":"GatewayLlmLogs","correl'
    (hour / "PT1H.json").write_bytes(b"\n".join([*diagnostic_lines(day), torn]))
    (folder / "accelerator.json").write_text(json.dumps(accelerator_records(day), indent=2), encoding="utf-8")
    asked = {"model": "Qwen/Qwen3-8B", "messages": [{"role": "user", "content": "Say yes, at length."}]}
    whole = native(day, asked, chat("Qwen/Qwen3-8B", "Of course. " * 40))
    (folder / "broken.log").write_bytes(b"\n".join(broken_lines(day, whole)))


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "archive")
