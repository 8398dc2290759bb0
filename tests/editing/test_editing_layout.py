"""The canonical layout: comments kept, nothing said otherwise, and laid out again it stays as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.editing.files import editable_files, kind_of
from carepolicy.editing.layout import CannotLayOut, comments_of, formatted, laid_out
from carepolicy.policy.composer import compose
from carepolicy.policy.load import load_policies
from carepolicy.policy.text import documents
from laws import examples
from shops import SHOP

ROOT = Path(__file__).parents[2]
FILES = list(editable_files([SHOP, str(ROOT / "src/carepolicy/starter"), str(ROOT / "examples/helpdesk")]))
OURS = [*FILES, *editable_files([str(ROOT / "policies")])]
CASES = yaml.safe_load((Path(__file__).parent / "layouts.yaml").read_text(encoding="utf-8"))
FLOWS = [each for each in FILES if kind_of(each) == "flow"]


def composed(text: str):
    source, findings = compose(text, "file")
    assert findings == []
    assert source is not None
    return source


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_text_gets_its_layout(case: dict[str, str]) -> None:
    kind = case.get("kind", "flow")
    assert laid_out(case["before"], kind) == case["after"]
    assert laid_out(case["after"], kind) == case["after"]


@pytest.mark.parametrize("file", OURS, ids=[Path(each).relative_to(ROOT).as_posix() for each in OURS])
def test_our_own_files_are_laid_out(file: str) -> None:
    assert formatted(file).diff() == ""


def test_a_set_that_was_written_otherwise_loads_as_before(tmp_path: Path) -> None:
    before, findings = load_policies(SHOP)
    assert before is not None, findings
    files = [each for each in editable_files([SHOP]) if kind_of(each) != "scenario"]
    assert {kind_of(each) for each in files} == {"organisation", "flow", "messages"}
    for file in files:
        target = tmp_path / Path(file).relative_to(SHOP)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_wider(Path(file).read_text()))
    for file in editable_files([str(tmp_path)]):
        formatted(file).write()
        assert formatted(file).diff() == ""
    after, findings = load_policies(tmp_path)
    assert after is not None, findings
    assert after.organisation == before.organisation
    assert after.flows == before.flows
    assert after.messages == before.messages


def _wider(text: str) -> str:
    """The same text with every level indented by four, the entries of lists among them."""
    wide = "".join(" " * (len(line) - len(line.lstrip(" "))) + line for line in text.splitlines(keepends=True))
    return re.sub(r"^( *)- ", r"\1-   ", wide, flags=re.MULTILINE)


WORDS = st.sampled_from(
    ["# why", "#", "# on: 17:30", "# {a: b}", "#   'x'", '# "', "# carepolicy: allow CP412 because x"]
)


@st.composite
def disordered(draw: st.DrawFn) -> tuple[str, str]:
    """A file of ours with comments, blank lines, blanks and other indents put where they change nothing."""
    file = draw(st.sampled_from(FILES))
    text = documents(Path(file).read_text(encoding="utf-8"))[0]
    if draw(st.booleans()):
        text = _wider(text)
    source = composed(text)
    inside = {
        number
        for place in source.values.values()
        if place.end_line > place.line and text.split("\n")[place.line - 1][place.column - 1] in "|>\"'"
        for number in range(place.line, place.end_line + 1)
    }
    lines = []
    chosen = draw(st.sets(st.integers(1, text.count("\n")), max_size=6))
    for number, line in enumerate(text.split("\n"), 1):
        if number in chosen and number not in inside and line.strip() and "#" not in line:
            what = draw(st.integers(0, 3))
            indent = len(line) - len(line.lstrip(" "))
            if what == 0:
                lines.append(" " * draw(st.sampled_from([0, indent, indent + 2])) + draw(WORDS))
            elif what == 1:
                line += " " * draw(st.integers(1, 30)) + draw(WORDS)
            elif what == 2:
                lines += [""] * draw(st.integers(1, 3))
            else:
                line += "   "
        lines.append(line)
    return "\n".join(lines), kind_of(file) or ""


@settings(max_examples=examples(15))
@given(disordered())
def test_comments_and_meaning_stay_and_a_second_time_changes_nothing(case: tuple[str, str]) -> None:
    text, kind = case
    before = composed(text)
    after = laid_out(text, kind)
    assert composed(after).data == before.data
    assert sorted(each.text for each in comments_of(composed(after))) == sorted(
        each.text for each in comments_of(before)
    )
    assert laid_out(after, kind) == after


@settings(max_examples=examples(40))
@given(st.text(alphabet="ab:- #\n'\"{}[],|>&*!?%\\\t", max_size=60))
def test_any_text_is_laid_out_or_left_alone(text: str) -> None:
    source, _ = compose(text, "file")
    try:
        after = laid_out(text, "flow")
    except CannotLayOut:
        return
    if source is not None:
        again, _ = compose(after, "file")
        assert again is not None
        assert again.data == source.data
        assert laid_out(after, "flow") == after
