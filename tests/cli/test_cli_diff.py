"""``carepolicy diff`` between folders and between git revisions."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from carepolicy.charts import renderer
from carepolicy.cli.app import run as run_command

HARBOUR = Path(__file__).parents[1] / "checks" / "harbour"
SENTENCE = "First answer, otherwise: 5 business hours, was 3 business hours"


@dataclass(frozen=True)
class Told:
    exit_code: int
    output: str


def run(*arguments: str) -> Told:
    """The status of ``carepolicy diff``, and what it wrote to standard output and then to standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run_command(["diff", *arguments])
    return Told(status, out.getvalue() + err.getvalue())


def git(*arguments: str) -> None:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def edit(old: str = "{is: 3 business hours}", new: str = "{is: 5 business hours}") -> None:
    flow = Path("policies/flows/email_inquiry.yaml")
    text = flow.read_text()
    assert old in text
    flow.write_text(text.replace(old, new, 1))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the set as it was in ``before`` and as it is in ``policies``."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(HARBOUR, "before")
    shutil.copytree(HARBOUR, "policies")
    edit()
    return tmp_path


@pytest.fixture
def repository() -> None:
    """A repository with the older set in the commit tagged v1 and the newer one in v2."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    git("init", "--quiet")
    edit("{is: 5 business hours}", "{is: 3 business hours}")
    for tag in ("v1", "v2"):
        git("add", "policies")
        git("commit", "--quiet", "--message", tag)
        git("tag", tag)
        if tag == "v1":
            edit()


def test_two_folders_are_compared_in_words() -> None:
    told = run("before", "policies")
    assert told.exit_code == 0
    assert told.output == f"before → policies: 1 change\nAnswer an e-mail (email_inquiry)\n  CHANGED  {SENTENCE}\n"


def test_the_exit_status_says_whether_anything_changed_where_it_is_asked_for() -> None:
    assert run("before", "policies", "--exit-code").exit_code == 1
    assert run("policies", "policies", "--exit-code").exit_code == 0
    assert run("policies", "policies").output == "policies → policies: Nothing changed.\n"


def test_json_is_one_object() -> None:
    data = json.loads(run("before", "policies", "--format", "json").output)
    assert (data["old"], data["new"]) == ("before", "policies")
    (change,) = data["changes"]
    assert {key: change[key] for key in ("kind", "part", "flow", "aspect", "old", "new", "text")} == {
        "kind": "changed", "part": "clock", "flow": "email_inquiry", "aspect": "limit",
        "old": "3 business hours", "new": "5 business hours", "text": SENTENCE,
    }  # fmt: skip


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "arguments",
    [("v1", "v2"), ("v1..v2",), ("v1",), ("v1..",), ("v1:policies", "HEAD:policies"), ("HEAD~1", "policies")],
)
def test_revisions_are_compared(arguments: tuple[str, ...]) -> None:
    told = run(*arguments)
    assert told.exit_code == 0, told.output
    assert SENTENCE in told.output


@pytest.mark.usefixtures("repository")
def test_a_revision_is_found_from_another_folder(here: Path, tmp_path_factory: pytest.TempPathFactory,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert SENTENCE in run("v1", "--policies", str(here / "policies")).output
    monkeypatch.chdir(here / "policies")
    assert SENTENCE in run("v1", "v2", "--policies", ".").output


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("v9",), 'there is no folder "v9", and no git revision of that name'),
        (("--", "--help"), "no git revision of that name"),
        (("v1:nowhere",), 'revision "v1" has no folder nowhere'),
        (("..v2",), "name the older set before the two dots"),
        (("v1", "--flow", "email_inquery"), 'did you mean "email_inquiry"?'),
        (("v1", "-o", "x.doc"), "the ending must be one of"),
        (("v1", "-o", "no/such/x.txt"), "cannot write no/such/x.txt"),
        (("before/flows",), "before/flows is no policy set"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(arguments: tuple[str, ...], said: str) -> None:
    told = run(*arguments)
    assert told.exit_code == 2
    assert said in told.output
    assert "Traceback" not in told.output


def test_without_a_repository_a_revision_is_refused() -> None:
    told = run("HEAD")
    assert told.exit_code == 2
    assert "no git revision" in told.output


def test_a_set_that_cannot_be_read_shows_its_faults() -> None:
    edit("flow: email_inquiry", "flow: [")
    told = run("before", "policies")
    assert told.exit_code == 2
    assert "CP1" in told.output


@pytest.mark.parametrize("name", ["d.txt", "d.json", "d.html"])
def test_texts_and_pages_are_written_by_their_ending(name: str) -> None:
    told = run("before", "policies", "--output", name)
    assert (told.exit_code, told.output) == (0, f"{name}\n")
    assert "5 business hours" in Path(name).read_text(encoding="utf-8")


def test_a_chart_is_written_for_each_flow_that_changed() -> None:
    if renderer() is None:
        pytest.skip("nothing draws here: no dot, no pygraphviz, no graphviz-pure")
    assert run("before", "policies", "-o", "d.svg").output == "d.svg\n"
    assert "CHANGED" in Path("d.svg").read_text(encoding="utf-8")
    shutil.rmtree("policies/flows/feedback_survey.yaml", ignore_errors=True)
    survey = Path("before/flows/feedback_survey.yaml")
    survey.write_text(survey.read_text().replace("owner: care_agent", "owner: care_lead"))
    told = run("before", "policies", "-o", "e.svg")
    assert told.output == "e-email_inquiry.svg\ne-feedback_survey.svg\n"
    assert "no flow changed" in run("policies", "policies", "-o", "f.svg").output


def test_without_graphviz_words_are_written_and_charts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPOLICY_RENDERER", "none")
    assert run("before", "policies", "-o", "d.svg").exit_code == 3
    assert run("before", "policies", "-o", "d.html").exit_code == 0
    assert "There was no Graphviz" in Path("d.html").read_text(encoding="utf-8")
    assert run("before", "policies", "-o", "d.dot").exit_code == 0
