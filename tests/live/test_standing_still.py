"""Ledgers, hubs and checkpoints that do not fit together: a partition stands still, says why, and is decided upon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hub_scenes import Replica, Scene, play, secrets_in
from live_stack import GUARD_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_scenes import Claim
    from live_stack import Stack

pytest_plugins = ["shared_stack"]

BOTH = "01"
NAMES = (
    "same-numbers",
    "new-numbers",
    "no-ledger",
    "no-ledger-either",
    "cursor-alone",
    "made-again",
    "expired",
    "strange",
)
CREATED = datetime.now(UTC) - timedelta(hours=1)
FAILED_OVER = ("same-numbers", "new-numbers")
"""Hubs that come back as others, created before the ledger's last event."""


class Affair:
    """Hubs that are counted, come to harm while nobody counts, are counted again, and are decided upon."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.hubs = {name: Scene(stack, name) for name in NAMES}
        for hub in self.hubs.values():
            hub.create(2, created_at=CREATED)
            for partition in BOTH:
                hub.publish(partition, 30)
        first = Replica(stack, hubs=NAMES)
        for hub in self.hubs.values():
            _wait(hub.counted())
            _wait(hub.emitted())
        _end(first)
        self.before = {name: self.checkpoint(name) for name in NAMES}
        self._harm()
        self.undecided = Replica(stack, hubs=NAMES)

    def checkpoint(self, name: str, partition: str = "0") -> int | None:
        """Return a hub's checkpoint."""
        with self.stack.container_client() as client:
            for blob in client.list_blobs(name_starts_with="127.0.0.1", include=["metadata"]):
                if blob.name.endswith(f"/{name}/logcount/checkpoint/{partition}"):
                    return int(blob.metadata["sequencenumber"])
        return None

    def _harm(self) -> None:
        for name in FAILED_OVER:
            hub = self.hubs[name]
            self.stack.peer.recreate_hub(name, created_at=datetime.now(UTC) - timedelta(days=1))
            hub.made_again()
            for partition in BOTH:
                hub.publish(partition, 50)
        self.hubs["no-ledger"].lose_records()
        self.hubs["no-ledger-either"].lose_records()
        self.hubs["cursor-alone"].lose_records(keep=".cursor")
        hub = self.hubs["made-again"]
        self.stack.peer.recreate_hub("made-again")
        hub.made_again()
        hub.publish("0", 90)
        hub.publish("1", 5)
        hub = self.hubs["strange"]
        self.stack.peer.recreate_hub("strange", created_at=CREATED)
        hub.made_again()
        for partition in BOTH:
            hub.publish(partition, 50)
        hub = self.hubs["expired"]
        for partition in BOTH:
            hub.publish(partition, 30)
        self.stack.peer.expire("expired", "0", 40)
        hub.forget("0", range(30, 40))
        for name in ("no-ledger", "no-ledger-either", "cursor-alone"):
            for partition in BOTH:
                self.hubs[name].publish(partition, 10)


def _wait(claim: Claim) -> None:
    wait_until(claim[1], what=claim[0])


def _end(replica: Replica) -> None:
    outcome = play({"stop": replica.stop()})["stop"]
    if outcome is not None:
        raise outcome


@pytest.fixture(scope="module")
def affair(stack: Stack) -> Affair:
    """Count hubs, let them come to harm, and count them again without a decision."""
    return Affair(stack)


HALTS = {
    "same-numbers": ("01", "--other-hub go-on"),
    "new-numbers": ("01", "--other-hub anew"),
    "no-ledger": ("0", "--begin-at checkpoint"),
    "no-ledger-either": ("0", "--begin-at ledger"),
    "cursor-alone": ("0", "--begin-at"),
    "strange": ("01", "--other-hub go-on"),
}


@pytest.mark.parametrize("name", HALTS)
def test_what_does_not_fit_stands_still_and_says_how_to_decide(affair: Affair, name: str) -> None:
    partitions, advice = HALTS[name]
    replica = affair.undecided

    def halted() -> dict[str, str]:
        told: dict[str, str] = replica.report(name)["halted"]
        return told

    wait_until(lambda: set(halted()) == set(partitions), what=f"{name} stands still")
    assert all(advice in why for why in halted().values()), halted()
    assert not replica.ready()
    assert replica.report(name)["status"] == "halted"
    assert affair.checkpoint(name) == affair.before[name]


@pytest.mark.parametrize("name", ["no-ledger", "no-ledger-either", "cursor-alone"])
def test_the_other_partitions_go_on(affair: Affair, name: str) -> None:
    _wait(affair.hubs[name].counted("1"))


def test_a_hub_made_again_with_more_events_between_two_runs_is_counted_from_its_first_event(affair: Affair) -> None:
    hub = affair.hubs["made-again"]
    _wait(hub.counted())
    assert [len({record["hub"] for record in hub.records(partition)}) for partition in BOTH] == [2, 2]
    assert [hub.records(partition)[-1]["to"] for partition in BOTH] == [89, 4]
    assert hub.holes("0") == hub.holes("1") == []


def test_what_expired_between_two_runs_is_a_stated_hole(affair: Affair) -> None:
    hub = affair.hubs["expired"]
    _wait(hub.counted())
    assert (hub.holes("0"), hub.holes("1")) == ([(30, 39, "expired")], [])


@pytest.fixture(scope="module")
def decided(affair: Affair) -> Iterator[Affair]:
    """Let operators decide, one of whom takes over another deployment's ledger."""
    _end(affair.undecided)
    assert {name: affair.checkpoint(name) for name in HALTS} == {name: affair.before[name] for name in HALTS}
    for name in FAILED_OVER:
        assert affair.hubs[name].events() == 30
    options = ("--other-hub", "go-on", "--begin-at", "ledger", "--take-over")
    hubs = ["same-numbers", "no-ledger-either", "cursor-alone", "strange"]
    one = Replica(affair.stack, *options, hubs=hubs, run__deployment="second")
    other = Replica(affair.stack, "--other-hub", "anew", "--begin-at", "checkpoint", hubs=["new-numbers", "no-ledger"])
    yield affair
    assert one.ready()
    assert other.ready()
    _end(one)
    _end(other)


def test_another_deployment_does_not_append_unless_it_takes_over(affair: Affair) -> None:
    third = Replica(affair.stack, hubs=["expired"], run__deployment="third")
    assert third.process.wait(GUARD_SECONDS) == 2
    assert "'third'" in third.log
    assert "logcount run --take-over" in third.log


def test_a_failover_is_gone_on_with_by_the_numbers(decided: Affair) -> None:
    hub = decided.hubs["same-numbers"]
    for partition in BOTH:
        hub.forget(partition, range(30))
    _wait(hub.counted())
    assert hub.holes("0") == hub.holes("1") == []
    assert [record["from"] for record in hub.records()][1] == 30


def test_a_failover_that_kept_its_date_is_gone_on_with_by_the_numbers(decided: Affair) -> None:
    hub = decided.hubs["strange"]
    for partition in BOTH:
        hub.forget(partition, range(30))
    _wait(hub.counted())


def test_a_failover_is_begun_anew_at_the_first_event(decided: Affair) -> None:
    hub = decided.hubs["new-numbers"]
    _wait(hub.counted())
    assert [hub.records(partition)[-1]["to"] for partition in BOTH] == [49, 49]


@pytest.mark.parametrize("name", ["no-ledger-either", "cursor-alone"])
def test_a_ledger_is_begun_anew_where_it_ends(decided: Affair, name: str) -> None:
    hub = decided.hubs[name]
    _wait(hub.counted())
    assert hub.holes() == []
    wait_until(lambda: decided.checkpoint(name) == 39, what="the checkpoint")


def test_a_ledger_is_begun_after_the_checkpoint_and_what_came_before_is_a_hole(decided: Affair) -> None:
    hub = decided.hubs["no-ledger"]
    hub.forget("0", range(30))
    _wait(hub.counted())
    assert hub.holes() == [(0, 29, "before")]
    wait_until(lambda: decided.checkpoint("no-ledger") == 39, what="the checkpoint")


def test_no_log_of_the_affair_holds_a_key_or_a_body(decided: Affair) -> None:
    log = decided.stack.logs()
    assert "halted: " in log
    assert not secrets_in(log)
