"""Nothing is asked of the system that Windows lacks: every name of the standard library that it has not is guarded.

Which names those are is read out of the types of the standard library that mypy brings along.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "carepolicy"
GUARD = re.compile(r"\bsys\.platform\b|\bos\.name\b|\bhasattr\(|\bgetattr\(")
"""What is asked by a condition that guards."""

ELSEWHERE = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty", "crypt", "nis", "spwd"}


def defined(body: list[ast.stmt], platform: str) -> Iterator[str]:
    """The names that a module of types defines on a platform."""
    for each in body:
        if isinstance(each, ast.If):
            yield from defined(each.body if holds(each.test, platform) else each.orelse, platform)
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield each.name
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id
        elif isinstance(each, ast.Assign):
            yield from (target.id for target in each.targets if isinstance(target, ast.Name))
        elif isinstance(each, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name) for alias in each.names)


def holds(test: ast.expr, platform: str) -> bool:
    """Whether a condition on the platform or the version holds."""
    code = ast.unparse(test)
    return bool(eval(code, {"sys": type("sys", (), {"platform": platform, "version_info": sys.version_info[:2]})}))


@cache
def lacking(module: str) -> frozenset[str]:
    """The names that a module has on Linux and not on Windows."""
    mypy = pytest.importorskip("mypy", reason="the Python package mypy is not installed")
    types = Path(mypy.__file__).parent / "typeshed" / "stdlib"
    path = next((each for each in (types / f"{module}.pyi", types / module / "__init__.pyi") if each.is_file()), None)
    if path is None:
        return frozenset()
    body = ast.parse(path.read_text()).body
    return frozenset(defined(body, "linux")) - frozenset(defined(body, "win32"))


def unguarded(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of what Windows lacks, where nothing asks for it first."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update({alias.asname or alias.name: alias.name for alias in node.names})
    yield from _within(tree, modules, False)


def _within(node: ast.AST, modules: dict[str, str], guarded: bool) -> Iterator[tuple[int, str]]:
    if isinstance(node, (ast.If, ast.IfExp, ast.BoolOp)):
        test = node.values[0] if isinstance(node, ast.BoolOp) else node.test
        guarded = guarded or GUARD.search(ast.unparse(test)) is not None
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):  # one that returns first where a guard says so
        guarded = guarded or any(
            isinstance(each, ast.If) and GUARD.search(ast.unparse(each.test)) for each in node.body
        )
    elif isinstance(node, ast.Import) and not guarded:
        yield from ((node.lineno, alias.name) for alias in node.names if alias.name in ELSEWHERE)
    elif isinstance(node, ast.ImportFrom) and not guarded and node.module is not None:
        names = lacking(node.module)
        yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names if alias.name in names)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and not guarded:
        module = modules.get(node.value.id)
        if module is not None and node.attr in lacking(module):
            yield node.lineno, f"{module}.{node.attr}"
    for child in ast.iter_child_nodes(node):
        yield from _within(child, modules, guarded)


def test_no_name_that_windows_lacks_is_used_without_asking_for_it() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {name}"
        for path in sorted(SOURCE.rglob("*.py"))
        for line, name in unguarded(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import os\nos.fork()", ["os.fork"]),
        ("import os\nos.replace(a, b)", []),
        ("import os as system\nsystem.getuid()", ["os.getuid"]),
        ("from os import fchown", ["os.fchown"]),
        ("import fcntl", ["fcntl"]),
        ("import os\nif hasattr(os, 'getuid'):\n    os.getuid()", []),
        ("import os, sys\nif sys.platform != 'win32':\n    os.getuid()", []),
        ("import signal\nsignal.signal(signal.SIGHUP, f)", ["signal.SIGHUP"]),
    ],
)
def test_the_look_finds_what_windows_lacks(code: str, names: list[str]) -> None:
    assert [name for _, name in unguarded(ast.parse(code))] == names
