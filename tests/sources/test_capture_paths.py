"""Hub, partition and time from a Capture path, in any order that tells them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from logcount.sources.archive.capture_paths import read_capture_path

TIME = datetime(2026, 11, 22, 10, 5, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "hub", "partition", "time"),
    [
        ("ns/hub/0/2026/11/22/10/05/17.avro", ("ns", "hub"), "0", TIME),
        ("/data/x/NS/Hub/31/2026/11/22/10/05/17.avro", ("ns", "hub"), "31", TIME),
        ("container/7/ns/hub/0/2026/11/22/10/05/17.avro", ("ns", "hub"), "0", TIME),
        ("c/2025/ns/hub/0/2026/11/22/10/05/17.avro", ("ns", "hub"), "0", TIME),
        ("ns/hub/2026/11/22/10/05/17/3.avro", ("ns", "hub"), "3", TIME),
        ("2026/11/22/10/05/17/ns/hub/0.avro", ("ns", "hub"), "0", TIME),
        ("2026/11/22/ns/hub/4/10/05/17.avro", ("ns", "hub"), "4", TIME),
        ("2026/ns/11/hub/22/4/10/05/17.avro", ("ns", "hub"), "4", TIME),
        ("ns/hub/0/2026-11-22/10-05-17.avro", ("ns", "hub"), "0", TIME),
        ("ns/hub/0/2026_11_22_10_05_17.avro", ("ns", "hub"), "0", TIME),
        ("ns/hub/0_2026_11_22_10_05_17.avro.gz", ("ns", "hub"), "0", TIME),
        ("ns/hub.name/0/2026/11/22/10/05/17", ("ns", "hub.name"), "0", TIME),
        ("0/2026/11/22/10/05/17/ns/hub.json", ("ns", "hub"), "0", TIME),
        ("ns/hub/100/2026/11/22/10/05/17.avro", ("ns", "hub"), "100", TIME),
        ("2026/11/22/10/05/17/ns/hub/12.avro", ("ns", "hub"), "12", TIME),
        ("ns/2026/11/22/10/05/17/hub/12.avro", ("ns", "hub"), "12", TIME),
        ("12/ns/hub/2026/11/22/10/05/17.avro", ("ns", "hub"), "12", TIME),
        # the partition is certain, the time is not
        ("ns/hub/0/22/11/2026/10/05/17.avro", ("ns", "hub"), "0", None),
        ("ns/hub/0/2026/13/22/10/05/17.avro", ("ns", "hub"), "0", None),
    ],
)
def test_a_capture_path_tells_hub_partition_and_time(
    path: str, hub: tuple[str, ...], partition: str, time: datetime | None
) -> None:
    found = read_capture_path(path.split("/"))

    assert found is not None
    assert (found.hub, found.partition, found.time) == (hub, partition, time)


@pytest.mark.parametrize(
    "path",
    [
        "17.avro",
        "hub/0/2026/11/22/10/05/17.avro",
        "ns/12/0/2026/11/22/10/05/17.avro",  # which one is the hub?
        "ns/hub/12/22/11/2026/10/05/17.avro",  # which one is the partition?
        "ns/hub/2026/11/22/12/10/05/17.avro",
        "ns/hub/2026/11/22/10/05/17/12.avro",
        "ns/hub/00/2026/11/22/10/05/17.avro",
        "ns/hub_0/2026/11/22/10/05/17.avro",
        "ns/hub/12345/2026/11/22/10/05/17.avro",
        "ns/hub/0/1926/11/22/10/05/17.avro",
        "resourceId=/SUBSCRIPTIONS/X/y=2026/m=11/d=22/h=10/m=00/PT1H.json",
    ],
)
def test_a_path_that_leaves_a_doubt_tells_nothing(path: str) -> None:
    assert read_capture_path(path.split("/")) is None


def test_every_order_of_the_name_format_tells_a_partition_of_one_digit() -> None:
    parameters = ("ns", "hub", "4", "2026", "11", "22", "10", "05", "17")
    for order in list(permutations(parameters))[::997]:
        found = read_capture_path(["container", *order[:-1], order[-1] + ".avro"])

        assert found is not None
        assert (sorted(found.hub), found.partition) == (["hub", "ns"], "4")
