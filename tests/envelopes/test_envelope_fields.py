"""Single fields of envelopes, whatever somebody's expression returned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from logcount.envelopes import fields

AT = datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T10:03:17Z",
        "2026-11-22T10:03:17+00:00",
        "2026-11-22T12:03:17+02:00",
        "2026-11-22 10:03:17",
        "2026-11-22T10:03:17",
        "20261122T100317Z",
        " 2026-11-22T10:03:17Z ",
        "11/22/2026 10:03:17 AM",
        "11/22/2026 10:03:17\u202fAM",
        "11/22/2026 10:03:17",
        "22/11/2026 10:03:17",
        "22.11.2026 10:03:17",
        1795341797,
        1795341797.0,
        1795341797000,
    ],
)
def test_a_time_is_read_in_every_form(value: Any) -> None:
    assert fields.time(value) == AT


@pytest.mark.parametrize(
    ("value", "hour"),
    [("5/6/2024 4:51:09 AM", 4), ("5/6/2024 4:51:09 PM", 16), ("10/9/2023 8:01:02 AM", 8), ("5/6/2024 12:00:00 AM", 0)],
)
def test_a_time_in_the_gateways_culture_is_utc(value: str, hour: int) -> None:
    read = fields.time(value)
    assert read is not None
    assert (read.hour, read.tzinfo) == (hour, UTC)


def test_a_fraction_of_seven_digits_is_read() -> None:
    assert fields.time("2026-11-22T10:03:17.1234567Z") == AT.replace(microsecond=123456)


@pytest.mark.parametrize(
    "value",
    [None, "", "now", "2020-10-14T17:xx:xx.xx", "2026-13-01T00:00:00Z", True, [], {}, 10**400, -(10**400), 1e300,
     float("inf"), float("nan"), "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 5000],
)  # fmt: skip
def test_what_is_no_time_is_unknown(value: Any) -> None:
    assert fields.time(value) is None


@pytest.mark.parametrize(("value", "status"), [(200, 200), ("429", 429), (200.0, 200), ("500.0", 500), (" 404 ", 404)])
def test_a_status_is_a_number_or_text(value: Any, status: int) -> None:
    assert fields.status(value) == status


@pytest.mark.parametrize("value", [None, "", "OK", 0, 99, 600, 2000, -200, True, [], {}, 10**400, float("nan")])
def test_what_is_no_status_is_unknown(value: Any) -> None:
    assert fields.status(value) is None


@pytest.mark.parametrize("value", ["NA", "n/a", "null", "None", "undefined", "UNKNOWN", "", " ", None, [], {}, True])
def test_a_placeholder_names_nothing(value: Any) -> None:
    assert fields.name(value) is None


@pytest.mark.parametrize(("value", "name"), [("gold", "gold"), (" gold ", "gold"), (7, "7"), ("Nathan", "Nathan")])
def test_a_name_is_text_or_a_number(value: Any, name: str) -> None:
    assert fields.name(value) == name


@pytest.mark.parametrize("cut", range(1, 12))
def test_base64_that_breaks_off_is_decoded_as_far_as_it_goes(cut: int) -> None:
    whole = b"the quick brown fox"
    packed = "dGhlIHF1aWNrIGJyb3duIGZveA=="
    assert whole.startswith(fields.unbase64(packed[:-cut], cut=True))
