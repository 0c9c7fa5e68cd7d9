"""The settings of the live count: the hub, the ledger, the sinks, and when events are recorded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from logcount.settings.dimensions import fit_azure

Name = Annotated[str, Field(min_length=1, max_length=256)]


class Section(BaseModel):
    """A table of the settings file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EventHubSettings(Section):
    """One hub: by a connection string, else by its namespace and an identity."""

    connection_string: SecretStr | None = None
    namespace: str | None = None
    """The host, as contoso.servicebus.windows.net; a name without dots gets this domain."""
    name: str | None = None
    consumer_group: str = "$Default"
    prefetch: Annotated[int, Field(ge=1, le=50_000)] = 300
    batch: Annotated[int, Field(ge=1, le=50_000)] = 300
    balance_seconds: Annotated[float, Field(ge=1, le=300)] = 10.0
    idle_seconds: Annotated[float, Field(ge=10, le=600)] = 60.0
    look_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    websockets: bool = False


class AppInsightsSettings(Section):
    """The Application Insights resource; Azure's variable APPLICATIONINSIGHTS_CONNECTION_STRING is used too."""

    connection_string: SecretStr | None = None
    identity: bool = False
    """Whether requests carry a token of the identity; a resource without local authentication requires it."""
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = 10
    role: Name = "logcount"


class OtlpSettings(Section):
    """An OpenTelemetry endpoint, as http://collector:4318; needs the extra `otlp`."""

    endpoint: str | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = 10


class MetricSetSettings(Section):
    """A further metric set, like a second `llm-emit-token-metric` in the policy."""

    namespace: Name
    dimensions: tuple[Name, ...]

    @field_validator("dimensions")
    @classmethod
    def _fit_azure(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return fit_azure(value)


class RunSettings(Section):
    """How a live count runs."""

    deployment: Name = "default"
    """The owner of the ledger: a run of another deployment does not append to it."""
    sinks: tuple[str, ...] = ()
    """The sinks; `none` is the ledger alone; if empty, every sink with a connection in the settings."""
    settle_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 30.0
    settle_events: Annotated[int, Field(ge=1, le=100_000)] = 5000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that count."""
    calibrate: Annotated[float, Field(ge=0, le=1)] = 0.01
    """The share of events with reported usage that are counted by tokenizer too, for the calibration metrics."""
    room_mb: Annotated[int, Field(ge=1, le=4096)] = 64
    """The most megabytes of events that are being counted at the same time."""
    health_host: str = "0.0.0.0"  # noqa: S104 - the probes of a container come from outside
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    logs: Literal["plain", "json"] = "plain"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _be_one_thing(self) -> RunSettings:
        if "none" in self.sinks and len(self.sinks) > 1:
            raise ValueError("run.sinks: `none` stands alone")
        return self
