"""The rooms of the house: which imports which, that nothing goes round in a circle, and that pages are listed."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
BESIDE_ROOMS = {"_version", "cores", "files", "spool", "translations", "typeset"}
"""Modules beside the rooms that rooms may import; they import nothing of ours."""


def test_a_room_imports_only_from_rooms_on_its_left():
    order = rooms()
    assert set(order) == {each.name for each in (SOURCE / "carepolicy").iterdir() if (each / "__init__.py").exists()}
    wrong = [
        f"{importer} imports {imported}"
        for importer in modules()
        for imported in imports_of(importer)
        if (room := room_of(importer)) in order and not may_import(order, room, room_of(imported))
    ]
    assert wrong == []


def test_what_all_rooms_may_import_imports_nothing_of_ours_itself():
    assert [each for each in sorted(BESIDE_ROOMS) if imports_of(f"carepolicy.{each}")] == []


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: imports_of(module) for module in modules()}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_what_one_module_alone_imports_of_its_room_stays_for_a_reason_that_is_written_down():
    """Such a module merges with its importer; decision 34 names those that do not, and why."""
    importers: dict[str, set[str]] = {}
    for importer in modules():
        for imported in imports_of(importer):
            importers.setdefault(imported, set()).add(importer)
    alone = [
        module.removeprefix("carepolicy.").replace(".", "/")
        for module, found in importers.items()
        if [room_of(each) for each in found] == [room_of(module)] and modules()[module].name != "__init__.py"
    ]
    said = (ROOT / "docs" / "decisions" / "0034-where-the-house-differs.md").read_text(encoding="utf-8")
    reasons = said.partition("and these stay")[2].partition("\n## ")[0]
    assert len(alone) > 10
    assert [each for each in sorted(alone) if not re.search(rf"\b{each}\b", reasons)] == []


def test_no_module_imports_itself():
    assert [each for each in modules() if any(module_in(name) == each for name in names_in(each))] == []


def test_no_module_imports_what_another_keeps_for_itself():
    """A name that begins with an underscore is its module's own."""
    wrong = [
        f"{module}: {name}"
        for module in modules()
        for name in names_in(module)
        if name.startswith("carepolicy.") and re.match(r"_[a-z]", name.rpartition(".")[2])
        if name.rpartition(".")[2] != "_version"
    ]
    assert wrong == []


def test_the_list_of_decisions_names_every_page_once():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[\d{4}\]\((\d{4}-[a-z-]+\.md)\)", (folder / "README.md").read_text(), re.MULTILINE)
    assert listed == sorted(each.name for each in folder.glob("[0-9]*.md"))


@cache
def rooms() -> list[str]:
    """The rooms from left to right, as CONTRIBUTING.md has them."""
    said = re.search(r"\*\*Rooms\.\*\*.*?circle: (.*?)\.\s", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert said is not None
    return re.split(r",\s+", said[1])


def may_import(order: list[str], importer: str, imported: str) -> bool:
    if imported not in order:
        return imported in BESIDE_ROOMS
    return order.index(imported) <= order.index(importer)


def room_of(module: str) -> str:
    return [*module.split("."), ""][1]


@cache
def modules() -> dict[str, Path]:
    found = {}
    for path in (SOURCE / "carepolicy").rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(module: str) -> set[str]:
    """Our modules that a module imports, wherever in it, also those that it imports for their types alone."""
    return {found for name in names_in(module) if (found := module_in(name)) not in (None, module)}


@cache
def names_in(module: str) -> list[str]:
    """All that a module imports, wherever in it."""
    return [name for node in ast.walk(tree_of(modules()[module])) for name in names_of(node)]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written out"
        return [f"{node.module}.{each.name}" for each in node.names]
    return []


def module_in(name: str) -> str | None:
    """The module of ours that a dotted name is in."""
    parts = name.split(".")
    found = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((each for each in found if each in modules()), None)


def test_a_struct_that_says_when_it_is_equal_says_when_it_is_not() -> None:
    """A Struct of msgspec has an ``__ne__`` of its own, which does not ask an ``__eq__`` that is written."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and any("Struct" in ast.unparse(base) for base in node.bases):
                found[node.name] = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
    assert {"Limit", "_DataStruct"} <= found.keys()
    assert [name for name, made in found.items() if ("__eq__" in made) != ("__ne__" in made)] == []
