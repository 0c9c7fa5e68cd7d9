"""`logcount check` and what `logcount run` says before it starts: what is missing, and how to mend it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from commands import Ran, logcount
from ingestion import Fault, IngestionServer
from live_stack import HUB, Stack, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETS = ("SharedAccessKey=", "AccountKey=", "InstrumentationKey=", "bG9vcGJhY2s")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with run_stack(tmp_path_factory.mktemp("check")) as running:
        yield running


@pytest.fixture(autouse=True)
def _healed(stack: Stack) -> Iterator[None]:
    yield
    stack.peer.heal()
    stack.ingestion.recover()


def check(stack: Stack, tmp_path: Path, **settings: Any) -> Ran:
    ran = ran_with("check", tmp_path, only_settings(stack.environment(**settings)))
    assert not any(secret in ran.out + ran.err for secret in SECRETS)
    return ran


def ran_with(command: str, folder: Path, environment: dict[str, str]) -> Ran:
    return logcount(command, cwd=folder, stdin=b"", **environment)


def only_settings(environment: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key.startswith(("LOGCOUNT_", "APPLICATIONINSIGHTS_"))}


def test_all_is_well(stack: Stack, tmp_path: Path) -> None:
    ran = check(stack, tmp_path)

    assert ran.status == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["✓"] * 5
    assert "2 partitions, may be read" in ran.out
    assert stack.ingestion.totals()["Check"]["count"] == 1


def test_everything_is_wrong_at_once_and_each_thing_is_told(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where a folder should be")
    stack.ingestion.fail(Fault(status=439), times=None)
    named = '{"*qwen3*": "Qwen/Qwen3-8B"}'
    ran = check(stack, tmp_path, eventhub__name="elsewhere", storage__ledger="ledger", tokenizers=named)

    assert ran.status == 1
    tokenizers, hub, checkpoints, ledger, sink = ran.out.splitlines()
    assert tokenizers.startswith("  ✗ tokenizers:")
    assert "logcount tokenizers fetch" in tokenizers
    assert hub.startswith("  ✗ event hub elsewhere: the hub cannot be asked")
    assert "are the namespace, the hub and the consumer group spelt right" in hub
    assert checkpoints.startswith("  ✓ checkpoints:")
    assert ledger.startswith("  ✗ ledger:")
    assert sink.startswith("  ✗ appinsights: 439")
    assert ran.err == "logcount: 4 checks failed\n"


def test_a_key_that_is_not_accepted_and_a_ledger_in_another_account(stack: Stack, tmp_path: Path) -> None:
    stack.peer.fail_cbs(401)
    ran = check(stack, tmp_path, storage__ledger="https://elsewhere.blob.core.windows.net/ledger")

    assert ran.status == 1
    assert f"✗ event hub {HUB}" in ran.out
    assert "the role Azure Event Hubs Data Receiver" in ran.out
    assert "✗ ledger: container 'ledger': the connection string is another account's" in ran.out


def test_nothing_is_set(tmp_path: Path) -> None:
    ran = logcount("check", cwd=tmp_path)

    assert ran.status == 1
    assert "✗ event hub: eventhub: connection_string, or namespace and name, are missing" in ran.out
    assert "✗ checkpoints: storage: connection_string or account_url is missing" in ran.out
    assert "✗ sink: no sink is set" in ran.out


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "no sink is set"),
        ({"LOGCOUNT_RUN__SINKS": '["otlp"]'}, "otlp.endpoint is missing"),
        ({"LOGCOUNT_RUN__SINKS": '["none", "otlp"]'}, "stands alone"),
        ({"LOGCOUNT_RUN__SINKS": '["graphite"]'}, "run.sinks: 'graphite' is no sink; expected appinsights, otlp, none"),
        ({"LOGCOUNT_RUN__SETTLE_SECONDS": "0"}, "run.settle_seconds"),
        ({"LOGCOUNT_METRICS__MAX_SERIES": "60000"}, "metrics.max_series"),
        ({"LOGCOUNT_EVENTHUB__CONNECTION_STRING": "nonsense", "LOGCOUNT_RUN__SINKS": '["none"]'}, "expected Endpoint"),
        ({"LOGCOUNT_EVENTHUB__NAMESPACE": "contoso", "LOGCOUNT_RUN__SINKS": '["none"]'}, "namespace and name"),
    ],
)
def test_a_run_with_wrong_settings_names_them_and_does_not_start(
    settings: dict[str, str], told: str, tmp_path: Path
) -> None:
    ran = ran_with("run", tmp_path, settings | {"LOGCOUNT_RUN__HEALTH_PORT": "0"})

    assert ran.status == 2
    assert told in ran.err


def test_two_hubs_of_one_name_are_refused(tmp_path: Path) -> None:
    hubs = json.dumps([{"name": "a"}, {"name": "A"}])
    common = {"LOGCOUNT_EVENTHUB__NAMESPACE": "contoso", "LOGCOUNT_RUN__SINKS": '["none"]'}
    ran = ran_with("run", tmp_path, common | {"LOGCOUNT_EVENTHUBS": hubs, "LOGCOUNT_RUN__HEALTH_PORT": "0"})

    assert ran.status == 2
    assert "a hub is named twice" in ran.err


async def test_a_managed_identity_signs_in_to_application_insights(stack: Stack, tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    async def give(request: web.Request) -> web.Response:
        asked.append((request.query["resource"], request.query.get("client_id")))
        token = {"access_token": "granted", "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
        return web.json_response(token | {"resource": request.query["resource"]})

    app = web.Application()
    app.router.add_get("/token", give)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with IngestionServer(tokens={"granted"}) as server:
        environment = only_settings(stack.environment(appinsights__identity="true"))
        environment["APPLICATIONINSIGHTS_CONNECTION_STRING"] = server.connection_string
        identity = {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{port}/token",
            "IDENTITY_HEADER": "h",
            "AZURE_CLIENT_ID": "me",
        }
        ran = await asyncio.to_thread(ran_with, "check", tmp_path, environment | identity)
    await runner.cleanup()

    assert ran.status == 0, ran.out
    assert asked == [("https://monitor.azure.com/", "me")]
    assert "granted" not in ran.out + ran.err
