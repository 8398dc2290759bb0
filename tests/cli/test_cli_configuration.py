"""What a project says once in carepolicy.toml or pyproject.toml holds for all commands, and a slip in it is named."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from carepolicy.cli import app, configuration

HARBOUR = Path(__file__).parents[1] / "checks" / "harbour"
EVENT = [
    "event",
    "email_received",
    "m-1",
    "customer.email=ada@example.org",
    "order.total=20",
    "--at",
    "2026-03-02 10:00",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a set that is not called policies, and a folder below it, which is where commands run."""
    monkeypatch.delenv("CAREPOLICY_POLICIES", raising=False)
    monkeypatch.delenv("CAREPOLICY_STORE", raising=False)
    monkeypatch.setenv("CAREPOLICY_KEY", "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A=")
    shutil.copytree(HARBOUR, tmp_path / "shop")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("carepolicy.toml", 'policies = "shop"\nstore = "sqlite:///care.db"\n'),
        ("pyproject.toml", '[tool.carepolicy]\npolicies = "shop"\nstore = "sqlite:///care.db"\n'),
    ],
)
def test_a_file_above_names_policies_and_store_from_its_own_folder(
    project: Path, file: str, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / file).write_text(text)
    assert app.run(["check"]) == 0
    assert app.run(EVENT) == 0
    assert (project / "care.db").is_file()
    assert app.run(["case", "show", "m-1", "-v"]) == 0
    told = capfd.readouterr()
    assert "m-1: email_inquiry" in told.out or "Answer an e-mail" in told.out
    assert f"configuration ../{file}" in told.err


def test_an_option_beats_the_environment_which_beats_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "carepolicy.toml").write_text('policies = "nowhere"\n')
    assert app.run(["check"]) == 2
    monkeypatch.setenv("CAREPOLICY_POLICIES", str(project / "nothing"))
    assert app.run(["check", "--policies", str(project / "shop")]) == 0
    monkeypatch.setenv("CAREPOLICY_POLICIES", str(project / "shop"))
    assert app.run(["check"]) == 0


def test_options_of_one_command_stand_under_its_name(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tables = '[check]\nformat = "json"\n[case.list]\nformat = "jsonl"\n'
    (project / "carepolicy.toml").write_text(f'policies = "shop"\nstore = "sqlite:///care.db"\n{tables}')
    assert app.run(["check"]) == 0
    assert '"findings"' in capfd.readouterr().out
    assert app.run([*EVENT, "-q"]) == 0
    assert app.run(["case", "list"]) == 0
    assert capfd.readouterr().out.startswith('{"flow":"email_inquiry"')


def test_an_event_asks_the_file(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "carepolicy.toml").write_text('policies = "shop"\nstore = "sqlite:///care.db"\n')
    assert app.run(EVENT) == 0
    assert '"carepolicy.case.opened"' in capfd.readouterr().out
    assert (project / "care.db").exists()
    (project / "below" / "carepolicy.toml").write_text(
        '[event]\nquiet = true\npolicies = "../shop"\nstore = "sqlite:///../care.db"\n'
    )
    configuration._read.cache_clear()
    assert app.run([*EVENT, "--id", "m-2"]) == 0
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    "store",
    [
        'store = "sqlite:///care.db"\n',
        '[store.status]\nstore = "sqlite:///care.db"\n[event]\nstore = "sqlite:///care.db"\n',
    ],
)
def test_the_command_store_may_be_told_where_the_store_is(
    project: Path, store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "carepolicy.toml").write_text(f'policies = "shop"\n{store}')
    assert app.run(EVENT) == 0
    capfd.readouterr()
    assert app.run(["store", "status"]) == 0
    assert "1 open" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('polices = "shop"', 'unknown setting "polices"; did you mean "policies"?'),
        ("[chek]", 'unknown setting "chek"; did you mean "check"?'),
        ("[check]\nstrikt = true", '[check] unknown setting "strikt"; did you mean "strict"?'),
        ('check = "strict"', "check is the name of a command: write its options under [check]"),
        ("policies = 5", 'policies is to be a text, as in policies = "…"'),
        ("[check", "is no TOML"),
    ],
)
def test_a_slip_in_the_file_is_named(project: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "carepolicy.toml").write_text(text + "\n")
    assert app.run(["check"]) == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch, project: Path) -> Path:
    """The folder of a set, of whose e-mail flow a copy with a slip stands on standard input."""
    text = (project / "shop/flows/email_inquiry.yaml").read_text().replace("to: answered", "to: answred", 1)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    return project / "shop"


def test_check_reads_a_file_of_the_set_from_standard_input(piped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["check", "-", "--policies", str(piped)]) == 1
    told = capsys.readouterr().out
    assert "email_inquiry.yaml:" in told
    assert 'CP203 unknown state "answred"' in told
    assert "did you mean" in told


def test_fmt_lays_out_standard_input(piped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["fmt", "-"]) == 0
    assert "to: answred" in capsys.readouterr().out


def test_what_stands_on_standard_input_must_be_known(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"states: {}\n")))
    assert app.run(["check", "-", "--policies", str(project / "shop")]) == 2
    assert "--as flows/returns.yaml" in capsys.readouterr().err


def test_a_chart_goes_to_standard_output(project: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    shop = ["--policies", str(project / "shop")]
    assert app.run(["graph", "email_inquiry", "-o", "-", *shop]) == 0
    assert capfdbinary.readouterr().out.startswith(b"digraph")
    assert app.run(["graph", "email_inquiry", "-o", "-", "--as", "mmd", *shop]) == 0
    assert b"stateDiagram" in capfdbinary.readouterr().out


def test_quiet_leaves_out_sums_and_every_command_knows_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["check", "-q", "--policies", str(project / "shop")]) == 0
    assert capsys.readouterr().err == ""
    assert app.run(["case", "list", "--help"]) == 0
    assert "-q, --quiet" in capsys.readouterr().out


def test_cases_are_listed_as_csv_that_no_spreadsheet_takes_for_formulas(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    where = ["--policies", str(project / "shop"), "--store", f"sqlite:///{project}/care.db"]
    for subject in ("m-1", "=1+1"):
        event = [
            "event",
            "email_received",
            subject,
            "customer.email=ada@example.org",
            "order.total=20",
            "--at",
            "2026-03-02 10:00",
        ]
        assert app.run([*event, "-q", *where]) == 0
    capfd.readouterr()
    assert app.run(["case", "list", "--format", "csv", *where]) == 0
    head, *rows = capfd.readouterr().out.splitlines()
    assert head.startswith("subject,flow,state,owner")
    assert sorted(row.split(",")[0] for row in rows) == ["'=1+1", "m-1"]
    assert all("2026-03-02T10:00:00+00:00" in row for row in rows)
