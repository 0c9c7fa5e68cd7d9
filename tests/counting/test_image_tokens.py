"""Pictures cost what providers publish; the sizes and tokens are the examples of their own pages."""

from __future__ import annotations

import base64
import struct
from math import floor
from typing import TYPE_CHECKING, Any

import pytest

from logcount import count_exchange
from logcount.counting.images import picture_cost
from logcount.model.content import Picture

if TYPE_CHECKING:
    from logcount.tokenizers import TransformersTokenizer


@pytest.mark.parametrize(
    ("model", "picture", "tokens"),
    [
        ("gpt-4o", Picture(1024, 1024, "high"), 765),
        ("gpt-4o-2024-08-06", Picture(2048, 4096, "high"), 1105),
        ("gpt-4o", Picture(4096, 8192, "low"), 85),
        ("claude-sonnet-4-5-20250929", Picture(200, 200), 54),
        ("claude-3-5-haiku-latest", Picture(1000, 1000), 1334),
        ("anthropic/claude-opus-4-1", Picture(1092, 1092), 1590),
        ("gemini-2.5-flash", Picture(384, 384), 258),
        ("google/gemini-2.0-flash", Picture(960, 540), 1548),  # crops of 360: three across, two down
    ],
)
def test_a_picture_costs_what_its_provider_publishes(model: str, picture: Picture, tokens: int) -> None:
    assert picture_cost(model, [picture]) == (tokens, True)


@pytest.mark.parametrize(
    ("model", "pictures", "tokens"),
    [
        pytest.param("gpt-4o", [Picture(1024, 1024)], 85, id="the model decides how closely it looks"),
        pytest.param("gpt-4o", [Picture(500, 500, "high")], 255, id="a small picture may be made larger"),
        pytest.param("gpt-4.1-mini", [Picture(1024, 1024)], floor(1024 * 1.62), id="1024 patches, and a factor"),
        pytest.param("o4-mini", [Picture(1800, 2400)], floor(1452 * 1.72), id="1452 patches, and a factor"),
        pytest.param("claude-sonnet-4-5", [Picture(3000, 2000)], 0, id="a large picture is made smaller"),
        pytest.param("gpt-4o", [Picture(64, 64, "low"), None], 85, id="one of unknown size"),
        pytest.param("llama-3.2-11b-vision", [Picture(64, 64)], 0, id="a model without a formula"),
        pytest.param(None, [Picture(64, 64)], 0, id="no model"),
    ],
)
def test_what_is_not_published_to_the_last_token_is_a_lower_bound(
    model: str | None, pictures: list[Picture | None], tokens: int
) -> None:
    assert picture_cost(model, pictures) == (tokens, False)


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1024, 1024)


def _asked(model: str, url: str) -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
    return {
        "model": model,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}],
    }


@pytest.mark.parametrize(
    ("model", "url", "tokens", "reason"),
    [
        ("gpt-4o", f"data:image/png;base64,{base64.b64encode(PNG).decode()}", 765, None),
        ("gpt-4o", "https://example.org/a.png", 0, "image in the prompt is not counted"),
        (
            "qwen3-vl",
            f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
            0,
            "image in the prompt is not counted",
        ),
    ],
)
def test_a_picture_that_is_counted_is_no_doubt(
    tiny: TransformersTokenizer, model: str, url: str, tokens: int, reason: str | None
) -> None:
    said = {"choices": [{"message": {"content": "A dot."}, "finish_reason": "stop"}]}
    outcome = count_exchange(_asked(model, url), said, tokenizer=tiny)
    assert outcome.count is not None
    text = tiny.count("<|im_start|>user\nWhat is this?<|im_end|>\n<|im_start|>assistant\n")
    assert (outcome.count.prompt, outcome.reason) == (text + tokens, reason)
