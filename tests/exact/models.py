"""The tokenizers that are compared: those of the accuracy table, with official templates."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exact.comparison import Comparison
from exact.rendering import Pair, Rendered
from logcount.cli.wiring import make_specs
from logcount.settings import load_settings
from logcount.tokenizers import TokenizerStore, load_tokenizer

if TYPE_CHECKING:
    from exact.comparison import Result

SETTINGS = Path(__file__).parents[2] / "benchmarks" / "accuracy.toml"
MODELS = {
    "Gemma 3": "gemma-3",  # the first takes longest to load
    "gpt-oss": "gpt-oss",
    "Llama 3.1": "llama-3.1",
    "Qwen3": "qwen3",
    "DeepSeek V3": "deepseek",
}
MORE = {"Llama 3.2": "llama-3.2", "Llama 3": "llama3", "Llama 2": "llama2"}
"""Name → a model that the settings have a tokenizer for; those of the second table are compared in a full run only."""


def compare(model: str, *, size: str) -> Result:
    """Load the tokenizer of a model twice, as logcount does and as anybody would, and compare the two."""
    folder = _folder(model)
    tokenizer = load_tokenizer(folder, name=model)
    return Comparison(tokenizer, _plain(folder).backend_tokenizer).run(size)


def compare_templates(model: str, templates: dict[str, str] | None, *, number: int) -> dict[str, Rendered]:
    """Compare renderings under each template by the tokenizer of a model; under its own where none are given."""
    folder = _folder(model)
    load_tokenizer(folder, name=model)  # silences transformers' advice, and says what is wrong with a folder
    loaded, apart = _plain(folder), _plain(folder)
    if templates is None:
        return {f"npm: {model}": Pair(loaded, apart, None).compare(number, model)}
    return {name: Pair(loaded, apart, source).compare(number, name) for name, source in templates.items()}


def _folder(model: str) -> Path:
    settings = load_settings(SETTINGS)
    spec = next(spec for spec in make_specs(settings) if fnmatchcase(model, spec.pattern))
    return TokenizerStore(settings.tokenizer_store).folder(spec)


def _plain(folder: Path) -> Any:
    from transformers import AutoTokenizer  # noqa: PLC0415  (heavy)

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
