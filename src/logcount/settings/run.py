"""The settings of the live count: the hub, the ledger, the sinks, and when events are recorded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from logcount.settings.dimensions import fit_azure

Name = Annotated[str, Field(min_length=1, max_length=256)]


class Section(BaseModel):
    """A table of the settings file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EventHubSettings(Section):
    """One hub, by a connection string, else by its namespace and an identity."""

    connection_string: SecretStr | None = None
    namespace: str | None = None
    """The host, as contoso.servicebus.windows.net; a name without dots is one of that domain."""
    name: str | None = None
    consumer_group: str = "$Default"
    prefetch: Annotated[int, Field(ge=1, le=50_000)] = 300
    batch: Annotated[int, Field(ge=1, le=50_000)] = 300
    balance_seconds: Annotated[float, Field(ge=1, le=300)] = 10.0
    idle_seconds: Annotated[float, Field(ge=10, le=600)] = 60.0
    look_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    websockets: bool = False


class AppInsightsSettings(Section):
    """Where metrics go; Azure's own variable APPLICATIONINSIGHTS_CONNECTION_STRING is honoured."""

    connection_string: SecretStr | None = None
    identity: bool = False
    """Whether requests carry a token of the identity, which a resource without local authentication asks for."""
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = 10
    role: Name = "logcount"


class OtlpSettings(Section):
    """An OpenTelemetry endpoint, as http://collector:4318; needs the extra `otlp`."""

    endpoint: str | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = 10


class MetricSetSettings(Section):
    """A further set of metrics, as a second `llm-emit-token-metric` of the policy would be."""

    namespace: Name
    dimensions: tuple[Name, ...]

    @field_validator("dimensions")
    @classmethod
    def _fit_azure(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return fit_azure(value)


class RunSettings(Section):
    """How a live count runs."""

    deployment: Name = "default"
    """Whose ledger it is: a run of another deployment does not append to it."""
    sinks: tuple[str, ...] = ()
    """Where points go, `none` being the ledger alone; none named: wherever a connection is set."""
    settle_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 30.0
    settle_events: Annotated[int, Field(ge=1, le=100_000)] = 5000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that count."""
    calibrate: Annotated[float, Field(ge=0, le=1)] = 0.01
    """The share of events that are counted by tokenizer too where usage is reported, for the metrics of calibration."""
    room_mb: Annotated[int, Field(ge=1, le=4096)] = 64
    """Megabytes of events that are being counted at one time."""
    health_host: str = "0.0.0.0"  # noqa: S104 - the probes of a container come from outside it
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    logs: Literal["plain", "json"] = "plain"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _be_one_thing(self) -> RunSettings:
        if "none" in self.sinks and len(self.sinks) > 1:
            raise ValueError("run.sinks: `none` stands alone")
        return self
