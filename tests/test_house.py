"""The walls of the house: who may import whom, and what may stand in the pure half."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import logcount

SRC = Path(logcount.__file__).parent

PURE = (
    "aggregate",
    "bodies",
    "bounded",
    "calibration",
    "counting",
    "envelopes",
    "errors",
    "joins",
    "jsontext",
    "ledger",
    "metrics",
    "model",
    "pipeline",
)
ADAPTERS = ("sources", "stores", "sinks", "templates", "tokenizers", "reports", "health")

ALLOWED = {
    "errors": set(),
    "jsontext": set(),
    "bounded": set(),
    "calibration": set(),
    "model": {"calibration", "jsontext"},
    "ports": {"model"},
    "bodies": {"bounded", "jsontext", "model"},
    "envelopes": {"bodies", "jsontext", "model"},
    "joins": {"model"},
    "counting": {"bodies", "bounded", "calibration", "errors", "jsontext", "model", "ports"},
    "aggregate": {"calibration", "model"},
    "pipeline": {"counting", "envelopes", "joins", "model"},
    "metrics": {"calibration", "model"},
    "workers": {"errors"},
    "replay": {"aggregate", "errors", "model", "pipeline", "workers"},
    "ledger": {"errors", "model", "metrics", "ports"},
    "run": {"errors", "ledger", "model", "ports", "workers"},
    "stores": {"errors", "ports"},
    "sinks": {"errors", "model"},
    "health": {"errors"},
    "sources": {"errors", "model", "ports"},
    "templates": {"bounded", "errors"},
    "tokenizers": {"bounded", "errors", "templates"},
    "reports": {"aggregate", "calibration", "model"},
    "settings": {"envelopes", "errors", "model"},
    "": {"counting", "model", "ports"},  # logcount/__init__.py
}
"""Room → the rooms that it may import. The command line, which puts all together, may import any."""

FOREIGN = {
    "azure": {"sources", "stores", "cli"},
    "aiohttp": {"sinks"},
    "asyncio_throttle": {"sinks"},
    "opencensus": {"sinks"},
    "opentelemetry": {"sinks"},
    "fastavro": {"sources"},
    "transformers": {"templates", "tokenizers"},
    "fastokens": {"tokenizers"},
    "huggingface_hub": {"tokenizers"},
    "xxhash": {"bounded"},
    "jinja2": {"templates"},
    "pydantic": {"settings"},
    "pydantic_settings": {"settings"},
    "rich": {"reports", "cli"},
    "click": {"cli"},
    "msgspec": {
        "jsontext",
        "reports",
        "sources",
        "model",
        "bodies",
        "counting",
        "envelopes",
        *("pipeline", "replay"),
    },
}
"""Foreign package → the rooms that know it."""

PERFORMS = SRC / "ledger" / "driver.py"
"""The one module of a pure room that waits and calls: it performs the ledger's steps on a store that it is given."""

IMPURE = {"asyncio", "os", "pathlib", "socket", "subprocess", "threading", "random", "time", "logging", "io", "shutil"}
"""What the pure half may not reach for: it gets its clock, text and tokenizer handed in."""


def _rooms() -> dict[Path, str]:
    found = {}
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[path] = "" if parts == ("__init__",) else parts[0]
    return found


def _imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


ROOMS = _rooms()


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(SRC)))
def test_every_module_imports_only_what_its_room_may(path: Path) -> None:
    room = ROOMS[path]
    for name in _imports(path):
        top, *rest = name.split(".")
        if top == "logcount" and room in ALLOWED:
            other = rest[0]
            own = other == room or other == "__version__"
            assert own or other in ALLOWED[room], f"{room or 'logcount'} may not import {name}"
        assert room in FOREIGN.get(top, {room}), f"{room or 'logcount'} does not know {top}"
        if room in PURE and path != PERFORMS:
            assert top not in IMPURE, f"{room} is pure and may not import {top}"


def test_every_room_has_a_place_in_the_plan() -> None:
    assert set(ROOMS.values()) == ALLOWED.keys() | {"cli", "__main__"}


def test_no_rooms_import_each_other_in_a_circle() -> None:
    TopologicalSorter(ALLOWED).prepare()


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(SRC)))
def test_every_module_opens_with_prose(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} says nothing of itself"
    assert docstring.split("\n\n")[0].rstrip().endswith((".", ":")), f"{path} opens without a whole sentence"


@pytest.mark.parametrize("room", PURE)
def test_the_pure_half_has_no_coroutines_and_no_clock(room: str) -> None:
    for path in (path for path, its in ROOMS.items() if its == room and path != PERFORMS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{path} is not synchronous"
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"now", "utcnow", "today"}, f"{path} looks at the clock"


LONGEST, DEEPEST, MOST_PARAMETERS = 40, 3, 6

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def _length(function: Function) -> int:
    """Return the lines of a function, its docstring left out."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def _nesting(node: ast.AST) -> int:
    """Return how many blocks stand in each other; an `elif` stands in the `if` before it, as in the tree."""
    inner = [
        child for child in ast.iter_child_nodes(node) if not isinstance(child, Function | ast.ClassDef | ast.Lambda)
    ]
    return max((_nesting(child) + isinstance(child, BLOCKS) for child in inner), default=0)


def _parameters(function: Function) -> int:
    given = function.args
    listed = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return sum(one.arg not in {"self", "cls"} for one in listed)


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(SRC)))
def test_functions_fit_one_glance(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, Function):
            continue
        assert _length(node) <= LONGEST, f"{path}: {node.name} has {_length(node)} lines"
        assert _nesting(node) <= DEEPEST, f"{path}: {node.name} is nested {_nesting(node)} levels deep"
        assert _parameters(node) <= MOST_PARAMETERS, f"{path}: {node.name} takes {_parameters(node)} parameters"


def test_nesting_is_counted_as_it_stands_in_the_tree() -> None:
    ladder = "for x in y:\n if a: pass\n elif b: pass\n elif c:\n  def f():\n   if d: pass"
    assert _nesting(ast.parse(ladder)) == 4


LIGHT = {
    "the command line": ("import logcount.cli", ("azure", "transformers", "pydantic", "rich", "msgspec", "fastavro")),
    "the pure half": ("import logcount.counting, logcount.envelopes", ("azure", "transformers", "pydantic", "asyncio")),
    "the tokenizers": (
        "import logcount.tokenizers",
        ("transformers", "fastokens", "huggingface_hub", "jinja2", "azure"),
    ),
    "the sources": ("import logcount.sources.archive", ("azure", "transformers")),
    "the stores": ("import logcount.stores", ("azure", "aiohttp")),
    "the live count": ("import logcount.run.service", ("azure", "aiohttp", "transformers", "opencensus")),
    "what counts a part": (
        "import logcount.workers.process, logcount.cli.workers, logcount.cli.wiring, logcount.replay.parts",
        ("azure", "aiohttp", "pydantic", "transformers", "rich"),
    ),
    "what counts": (
        "import logcount.workers.process, logcount.run.counting, logcount.metrics.tallies, logcount.pipeline",
        ("azure", "aiohttp", "pydantic"),
    ),
}


@pytest.mark.parametrize("what", LIGHT)
def test_importing_brings_in_nothing_heavy(what: str) -> None:
    statement, heavy = LIGHT[what]
    probe = f"{statement}\nimport sys\nprint(*(name for name in {heavy!r} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
