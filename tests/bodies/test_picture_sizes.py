"""The size of a picture is read from its first bytes, and from nothing else."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from logcount.bodies import read_request
from logcount.bodies.pictures import size_of
from logcount.model.content import Chat, Picture
from logcount.model.exchanges import Body

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x02\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 300, 200) + b"\0\0\0"
SEGMENT = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
FRAME = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 1080, 1920) + b"\3\1\x22\0\2\x11\1\3\x11\1"
JPEG = b"\xff\xd8" + SEGMENT + FRAME
LOSSY = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 550, 368)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 399 | 300 << 14)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" + (1023).to_bytes(3, "little") + (767).to_bytes(3, "little")
TURNED = b"\xff\xd8\xff\xe1\0\x0aExif\0\0MM" + FRAME


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        pytest.param(PNG, (640, 480), id="PNG"),
        pytest.param(GIF, (300, 200), id="GIF"),
        pytest.param(JPEG, (1920, 1080), id="JPEG, progressive"),
        pytest.param(b"\xff\xd8" + b"\xff\xff" + SEGMENT + FRAME, (1920, 1080), id="JPEG with fill bytes"),
        pytest.param(LOSSY, (550, 368), id="WebP"),
        pytest.param(LOSSLESS, (400, 301), id="WebP, lossless"),
        pytest.param(EXTENDED, (1024, 768), id="WebP, extended"),
        pytest.param(PNG + bytes(10_000_000), (640, 480), id="of which only the beginning is looked at"),
    ],
)
def test_each_kind_of_picture_tells_its_size(data: bytes, size: tuple[int, int]) -> None:
    assert size_of(_text(data)) == size


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        PNG[:20],
        GIF[:7],
        b"\xff\xd8",
        JPEG[:-12],
        TURNED,
        LOSSY[:27],
        b"RIFF\0\0\0\0WAVEfmt ",
        PNG[:16] + bytes(13),
    ],
)
def test_what_does_not_tell_is_not_guessed(data: bytes) -> None:
    assert size_of(_text(data)) is None


@pytest.mark.parametrize("text", ["é", "=", "A", "!!!!", "data:image/png"])
def test_what_is_no_base64_is_no_picture(text: str) -> None:
    assert size_of(text) is None


URL = f"data:image/png;base64,{_text(PNG)}"


@pytest.mark.parametrize(
    ("api", "body", "pictures"),
    [
        (
            "chat",
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": URL, "detail": "low"}}]}
                ]
            },
            (Picture(640, 480, "low"),),
        ),
        (
            "chat",
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}
                ]
            },
            (None,),
        ),
        (
            "chat",
            {"messages": [{"role": "user", "images": ["x"], "content": [{"type": "image_url", "image_url": URL}]}]},
            (),
        ),
        (
            "responses",
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": URL, "detail": "high"}]}]},
            (Picture(640, 480, "high"),),
        ),
        (
            "responses",
            {"input": [{"type": "function_call_output", "output": [{"type": "input_image", "image_url": URL}]}]},
            (Picture(640, 480),),
        ),
        (
            "anthropic",
            {
                "max_tokens": 9,
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "content": [
                                    {
                                        "type": "image",
                                        "source": {"type": "base64", "media_type": "image/png", "data": _text(PNG)},
                                    }
                                ],
                            }
                        ],
                    }
                ],
            },
            (Picture(640, 480),),
        ),
    ],
    ids=["chat", "elsewhere", "beside the text", "responses", "of a tool", "anthropic"],
)
def test_pictures_are_found_where_each_api_puts_them(api: str, body: Any, pictures: Any) -> None:
    request, _ = read_request(Body(body), api)
    assert isinstance(request.prompt, Chat)
    assert "image" in request.prompt.missing
    assert request.prompt.pictures == pictures
