"""``carepolicy fmt`` as people call it: what is written, what is told, and that no file is ever lost."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from carepolicy.cli.app import app
from carepolicy.cli.app import run as run_all
from carepolicy.policy.rewritten import Changed, replace_text

HARBOUR = Path(__file__).parents[1] / "checks" / "harbour"
ORGANISATION = "policies/organisation.yaml"
FLOW = "policies/flows/email_inquiry.yaml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(HARBOUR, tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    fmt("policies")
    return tmp_path


def fmt(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fmt", *arguments])


def untidy(file: str) -> str:
    text = Path(file).read_text() + "\n\n"
    Path(file).write_text(text)
    return text


def test_a_set_that_is_laid_out_is_left_alone(here: Path) -> None:
    before = Path(FLOW).stat().st_mtime_ns
    told = fmt()
    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "6 files: 0 changed\n")
    assert Path(FLOW).stat().st_mtime_ns == before


def test_a_file_that_is_not_is_written_and_named(here: Path) -> None:
    untidy(FLOW)
    told = fmt()
    assert (told.exit_code, told.stdout, told.stderr) == (0, f"{FLOW}\n", "6 files: 1 changed\n")
    assert fmt("--check").exit_code == 0


def test_check_names_it_writes_nothing_and_says_no(here: Path) -> None:
    text = untidy(FLOW)
    told = fmt("--check", FLOW)
    assert (told.exit_code, told.stdout, told.stderr) == (1, f"{FLOW}\n", "1 file: 1 would be changed\n")
    assert Path(FLOW).read_text() == text


def test_diff_shows_the_change_and_writes_nothing(here: Path) -> None:
    text = untidy(FLOW)
    told = fmt("--diff", FLOW)
    assert told.exit_code == 1
    assert told.stdout.startswith(f"--- {FLOW}\n+++ {FLOW}\n@@")
    assert [line for line in told.stdout.splitlines()[3:] if line[0] in "+-"] == ["-", "-"]
    assert Path(FLOW).read_text() == text


def test_a_file_that_is_no_yaml_is_left_and_the_others_are_laid_out(here: Path) -> None:
    untidy(ORGANISATION)
    Path(FLOW).write_text("flow: [\n")
    told = fmt()
    assert (told.exit_code, told.stdout) == (2, f"{ORGANISATION}\n")
    assert f"{FLOW}:1:7: CP103" in told.stderr
    assert Path(FLOW).read_text() == "flow: [\n"


def test_a_comment_that_would_be_lost_leaves_the_file_as_it_is(here: Path) -> None:
    text = "flow: a\ncovers: [R1, # why\n  R2]\n"
    Path(FLOW).write_text(text)
    told = fmt(FLOW)
    assert told.exit_code == 2
    assert told.stderr.startswith(f"{FLOW} is left as it is: the comment in line 2 would be lost; put it above")
    assert Path(FLOW).read_text() == text


def test_other_files_are_refused_and_never_found(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.yaml").write_text("a:   1\n")
    (here / "policies" / ".hidden").mkdir()
    Path("policies/.hidden/organisation.yaml").write_text("a:   1\n")
    Path("flows").mkdir()
    Path("flows/no_set.yaml").write_text("a:   1\n")
    assert fmt(".").stderr == "6 files: 0 changed\n"
    assert run_all(["fmt", "other.yaml"]) == 2
    assert "other.yaml is no policy file" in capsys.readouterr().err
    assert run_all(["fmt", "nowhere"]) == 2
    assert "there is no file or folder nowhere" in capsys.readouterr().err


def test_a_folder_without_policy_files_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert run_all(["fmt", "empty"]) == 2
    assert capsys.readouterr().err == "carepolicy: there are no policy files in empty\n"


def test_rights_and_links_of_a_file_stay(here: Path) -> None:
    untidy(FLOW)
    real = here / "real.yaml"
    Path(FLOW).rename(real)
    os.chmod(real, 0o640)
    Path(FLOW).symlink_to(real)
    assert fmt(FLOW).exit_code == 0
    assert Path(FLOW).is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert not real.read_text().endswith("\n\n")


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: 2\n")
    with pytest.raises(Changed):
        replace_text(file, "a: 1\n", "a: 3\n")
    assert file.read_text() == "a: 2\n"


def test_a_write_that_fails_leaves_the_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\n")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_text(file, "a: 1\n", "a: 3\n")
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]
    assert file.read_text() == "a: 1\n"
