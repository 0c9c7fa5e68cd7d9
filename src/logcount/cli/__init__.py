"""The command line: the only room that reads the settings and chooses implementations."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from pathlib import Path

import click

from logcount import __version__
from logcount.errors import LogcountError, Misconfigured

_COMMANDS = {
    "replay": ("logcount.cli.replay", "replay", "Count archived logs."),
    "run": ("logcount.cli.run", "run", "Count live, from Event Hubs."),
    "check": ("logcount.cli.check", "check", "Test settings, permissions, connections and tokenizers."),
    "explain": ("logcount.cli.explain", "explain", "Show how one event is read and counted, and why."),
    "tokenizers": ("logcount.cli.tokenizers", "tokenizers", "List, fetch and verify tokenizers."),
}
"""Name → module, object and the line in `--help`; a command is imported only when it is run."""


class _LazyGroup(click.Group):
    """Imports a command only when it is named, so that `--help` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings file.  [default: logcount.toml, if any]"
)
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Count LLM tokens behind Azure API Management: exact, offline, off the hot path."""
    ctx.obj = config


def main() -> None:
    """Run the command line; exit status: 0 done, 1 not finished, 2 wrong use or settings, 130 interrupted."""
    _speak_utf8()
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2 if isinstance(error, click.UsageError) else error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except LogcountError as error:
        _complain(str(error))
        sys.exit(2 if isinstance(error, Misconfigured) else 1)
    except BrokenPipeError:  # the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        _complain(f"the output cannot be written: {error.strerror}")
        os._exit(1)  # writing the rest of the buffer would fail again


def _complain(text: str) -> None:
    """Write an error to stderr, without control characters, which file names may contain."""
    from logcount.reports.documents import printable

    click.echo("logcount: " + "\n".join(map(printable, text.split("\n"))), err=True)


def _speak_utf8() -> None:
    """Write UTF-8 to pipes and files in any locale, and never fail on characters that a terminal cannot show."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - stays open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
