"""The settings: `logcount.toml` and the environment, read once and checked before anything starts.

`LOGCOUNT_SECTION__KEY` in the environment overrides the file; Azure's own variables are used where Azure has one.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from logcount.envelopes.mapped import NATIVE_FIELDS
from logcount.errors import Misconfigured
from logcount.settings.dimensions import DEFAULT_DIMENSIONS, fit_azure
from logcount.settings.run import (
    AppInsightsSettings,
    EventHubSettings,
    MetricSetSettings,
    Name,
    OtlpSettings,
    RunSettings,
    Section,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = Path("logcount.toml")


class MetricsSettings(Section):
    """How counts are grouped and emitted."""

    namespace: Name = "API Management"
    dimensions: tuple[Name, ...] = DEFAULT_DIMENSIONS
    cached: bool = False
    """Whether to emit the metric Cached Tokens."""
    reasoning: bool = False
    """Whether to emit the metric Reasoning Tokens."""
    max_series: Annotated[int, Field(ge=10, le=50_000)] = 5000
    """The most active time series of this process in 12 hours; Azure's limit is 50,000 per subscription and region."""
    sets: tuple[MetricSetSettings, ...] = ()
    """Further sets of the same token metrics, each with its own namespace and dimensions."""

    @field_validator("dimensions")
    @classmethod
    def _fit_azure(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return fit_azure(value)


class StorageSettings(Section):
    """Access to blob storage: by connection string, else by the identity that `azure-identity` finds."""

    connection_string: SecretStr | None = None
    account_url: str | None = None
    """For the checkpoints, as https://ACCOUNT.blob.core.windows.net; needed if there is no connection string."""
    checkpoint_container: str = "checkpoints"
    ledger: str = "ledger"
    """A folder, or the URL of a container: https://ACCOUNT.blob.core.windows.net/CONTAINER."""


class TokenizerSettings(Section):
    """The origin of a tokenizer, and a chat template that replaces its own."""

    origin: str
    chat_template: str | None = None


class EnvelopeSettings(Section):
    """An operator's own envelope: the path that identifies it, and the paths of the native fields."""

    name: str
    match: str
    fields: dict[str, str] = Field(min_length=1)
    constants: dict[str, str] = Field(default_factory=dict)

    @field_validator("fields", "constants")
    @classmethod
    def _name_native_fields(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(value.keys() - NATIVE_FIELDS)
        if unknown:
            raise ValueError(f"{unknown[0]} is none of the fields {', '.join(sorted(NATIVE_FIELDS))}")
        return value


class Settings(BaseSettings):
    """All settings; every one has a default."""

    model_config = SettingsConfigDict(
        env_prefix="LOGCOUNT_", env_nested_delimiter="__", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    base: Path = Path()
    """The folder of the file: relative paths in it start there."""
    tokenizer_store: Path = Path("tokenizers")
    """The folder of fetched tokenizers."""
    tokenizers: dict[str, TokenizerSettings] = Field(default_factory=dict)
    """Model pattern → tokenizer; the first match in the file's order."""
    metrics: MetricsSettings = MetricsSettings()
    storage: StorageSettings = StorageSettings()
    envelopes: tuple[EnvelopeSettings, ...] = ()
    eventhub: EventHubSettings = EventHubSettings()
    eventhubs: tuple[EventHubSettings, ...] = ()
    """Further hubs that the same process counts; settings that they leave out are as in `eventhub`."""
    appinsights: AppInsightsSettings = AppInsightsSettings()
    otlp: OtlpSettings = OtlpSettings()
    run: RunSettings = RunSettings()

    @field_validator("tokenizers", mode="before")
    @classmethod
    def _allow_bare_origins(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: {"origin": item} if isinstance(item, str) else item for key, item in value.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the environment precedence over the file, whose content is passed as arguments."""
        return env_settings, init_settings


def load_settings(config: Path | None = None) -> Settings:
    """Return the settings of `config`, else of a `logcount.toml` in this folder; the environment overrides them.

    Raises:
        Misconfigured: a file or a setting is wrong; the text names it and states what is expected.
    """
    path = config if config is not None else FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if config is not None:
            raise Misconfigured(f"no such file: {config}") from None
        content = {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{path}: {error}") from None
    _refuse_unknown(str(path), content)
    _refuse_unknown("the environment", _from_environment())
    _honour_azure(content)
    try:
        settings = Settings(**content, base=path.parent)
    except ValidationError as error:
        raise Misconfigured(_describe(path, error)) from None
    except SettingsError:  # its text names only a section, and its cause contains the value
        raise Misconfigured("the environment: lists and tables in LOGCOUNT_… variables are written as JSON") from None
    store = settings.base / settings.tokenizer_store.expanduser()
    return settings.model_copy(update={"tokenizer_store": store})


def _honour_azure(content: dict[str, Any]) -> None:
    """Let Azure's own variable override the file; logcount's own variable overrides both."""
    connection = os.environ.get("APPLICATIONINSIGHTS_CONNECTION_STRING")
    section = content.setdefault("appinsights", {})
    if connection and isinstance(section, dict):
        section["connection_string"] = connection


_PREFIX = "LOGCOUNT_"


def _from_environment() -> list[str]:
    """Return the settings and sections that environment variables name."""
    return [key.removeprefix(_PREFIX).split("__")[0].lower() for key in os.environ if key.startswith(_PREFIX)]


def _refuse_unknown(place: str, names: Iterable[str]) -> None:
    unknown = sorted(set(names) - (Settings.model_fields.keys() - {"base"}))
    if unknown:
        raise Misconfigured(f"{place}: no setting or section is called {unknown[0]}")


_EXPECTED = {
    "extra_forbidden": "there is no such setting",
    "missing": "is missing",
    "tuple_type": "a list is expected ([[…]] for a list of tables)",
    "dict_type": "a table is expected",
    "model_type": "a table is expected",
    "model_attributes_type": "a table is expected",
    "string_type": "a text is expected",
}
"""Messages for the most common mistakes, by pydantic's error types."""


def _describe(path: Path, error: ValidationError) -> str:
    """Return every wrong setting and what is expected, without the value, which may be a secret."""
    lines = []
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        place = ".".join(str(part) for part in item["loc"])
        lines.append(f"{place}: {_EXPECTED.get(item['type'], item['msg'].removeprefix('Value error, '))}")
    source = f"{path} or the environment" if _from_environment() else str(path)
    return f"{source}: " + "; ".join(lines)
