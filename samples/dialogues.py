"""What people say in the sample archive: short dialogues, made up for it."""

from __future__ import annotations

from typing import Any

Turns = list[tuple[str, str]]

DIALOGUES: list[tuple[str | None, Turns]] = [
    (
        "You answer questions about the Contoso intranet. Be brief.",
        [
            (
                "How do I book a meeting room for tomorrow afternoon?",
                "Open the calendar, choose New meeting, then Rooms. Tomorrow from 13:00 the rooms Alder and Birch are free; "
                "both seat eight people. Pick one and send the invitation: the room is booked when it accepts.",
            ),
            (
                "Does Birch have a projector?",
                "Yes. Birch has a 4K projector and a camera. The cables are in the drawer under the screen.",
            ),
            ("And Alder?", "Alder has a whiteboard and a television, but no camera."),
        ],
    ),
    (
        None,
        [
            (
                "Write a Python function that returns the n-th Fibonacci number without recursion.",
                "```python\ndef fibonacci(n: int) -> int:\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n"
                "    return a\n```\n\nIt runs in linear time and keeps only two numbers.",
            ),
            (
                "Can you make it raise for negative n?",
                '```python\ndef fibonacci(n: int) -> int:\n    if n < 0:\n        raise ValueError("n must not be negative")\n'
                "    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n```",
            ),
        ],
    ),
    (
        "Du bist eine freundliche Assistentin der Stadtbibliothek.",
        [
            (
                "Wann haben Sie am Samstag geöffnet, und darf ich meinen Hund mitbringen?",
                "Am Samstag sind wir von 10 bis 16 Uhr für Sie da. Hunde müssen leider draußen bleiben; "
                "vor dem Eingang gibt es aber Haken und eine Schüssel mit frischem Wasser.",
            ),
            (
                "Schade. Kann ich Bücher auch per Post zurückgeben?",
                "Ja, gern. Legen Sie bitte Ihren Ausweis als Kopie bei.",
            ),
        ],
    ),
    (
        None,
        [
            (
                "請用一句話解釋什麼是事件中樞。",
                "事件中樞是一種雲端服務，可以每秒接收數百萬個事件，並把它們依序保存起來，供多個應用程式讀取。",
            ),
        ],
    ),
    (
        "You are a careful translator. Translate into French and say nothing else.",
        [
            (
                "The gateway logs every request, but it never waits for the log.",
                "La passerelle journalise chaque requête, mais elle n'attend jamais le journal.",
            ),
            (
                "A count that nobody can check is a rumour.",
                "Un décompte que personne ne peut vérifier est une rumeur.",
            ),
        ],
    ),
    (
        None,
        [
            (
                "Summarise: our nightly job failed at 02:14 because the disk was full; we moved the archive to blob storage at "
                "02:40, ran the job again at 02:45, and it ended at 03:10 without loss.",
                "The nightly job failed at 02:14 on a full disk. After the archive was moved to blob storage, it was run again "
                "and ended at 03:10; nothing was lost.",
            ),
            (
                "Shorter, please.",
                "A full disk stopped the nightly job; it was run again from blob storage without loss. ✅",
            ),
        ],
    ),
    (
        "Réponds en une phrase.",
        [
            (
                "Pourquoi le ciel est-il bleu ?",
                "Parce que l'air diffuse bien plus la lumière bleue, de courte longueur d'onde, que la lumière rouge.",
            ),
        ],
    ),
    (
        None,
        [
            (
                "Give me three names for a cat that likes water. 🐈",
                "1. Neptune 🌊\n2. Otter\n3. Puddle",
            ),
            (
                "Which is best for a shy one?",
                "Puddle: it is soft, short, and sounds like something small that keeps still.",
            ),
        ],
    ),
]
"""A system text or none, and the turns: question and answer."""

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather of a city now.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "Name of the city"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "find_ticket",
            "description": "Find a support ticket by its number.",
            "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
        },
    },
]

TOOL_DIALOGUES: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "What is the weather in Gothenburg?",
        [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "Gothenburg"}'},
            }
        ],
    ),
    (
        "Is ticket 4711 still open?",
        [{"id": "call_2", "type": "function", "function": {"name": "find_ticket", "arguments": '{"number": 4711}'}}],
    ),
]
