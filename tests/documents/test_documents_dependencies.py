"""What is imported is declared in pyproject.toml, and what is declared there is used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "carepolicy"

BROUGHT_BY = {
    "babel": "Babel",
    "google": "protobuf",
    "jinja2": "Jinja2",
    "psycopg_pool": "psycopg-pool",
    "py4j": "pyspark",
    "re2": "google-re2",
    "recurring_ical_events": "recurring-ical-events",
    "ruamel": "ruamel.yaml",
    "yaml": "pyyaml",
    "z3": "z3-solver",
}
"""The distribution of each package whose name is another than its own."""

USED_OTHERWISE = {
    "tzdata": "zoneinfo reads it where the system has no time zones",
    "graphviz-pure": "its dot is found on the PATH",
    "fontpkg-arimo": "its font is opened as a file",
}

ALONE = {"spark"}
"""Extras that are not among all: half a gigabyte that wants Java, for those who have a cluster."""

HOST = "pytest"
"""Loads our plugin, and is there then."""


def packages(tree: ast.AST) -> Iterator[str]:
    """The packages that a module imports, anywhere in it and by name too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            name = node.args[0]
            if isinstance(name, ast.Constant):
                yield name.value.split(".")[0]


@cache
def imported() -> dict[str, set[str]]:
    """Packages of others by the files that import them."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for name in packages(ast.parse(path.read_text(encoding="utf-8"))):
            if name not in sys.stdlib_module_names and name != "carepolicy":
                found.setdefault(name, set()).add(str(path.relative_to(SOURCE)))
    return found


@cache
def declared() -> dict[str, set[str]]:
    """Distributions by the extras that bring them; "" are those that are always there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, set[str]] = {}
    for extra, lines in {"": project["dependencies"], **project["optional-dependencies"]}.items():
        if extra != "all":
            for line in lines:
                found.setdefault(plain(re.split(r"[\[<>=;~! ]", line)[0]), set()).add(extra)
    return found


def plain(name: str) -> str:
    """The name of a distribution as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_is_of_the_standard_library_or_ours_or_declared() -> None:
    known = {HOST, *declared()}
    assert {name: files for name, files in imported().items() if plain(BROUGHT_BY.get(name, name)) not in known} == {}


def test_what_is_declared_is_imported_or_used_otherwise() -> None:
    used = {plain(BROUGHT_BY.get(name, name)) for name in imported()} | set(USED_OTHERWISE)
    assert set(declared()) - used == set()


def test_all_extras_but_those_that_stand_alone_are_among_all() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (every,) = extras.pop("all")
    assert set(every.removeprefix("carepolicy[").removesuffix("]").split(",")) == set(extras) - ALONE


@pytest.mark.parametrize("text", ["import lark", "def f():\n    from lark.load import x", 'import_module("lark")'])
def test_an_import_is_found_wherever_it_stands(text: str) -> None:
    assert list(packages(ast.parse(text))) == ["lark"]
