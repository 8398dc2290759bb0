"""Logs that come through a pipe, and what is left where an audit ends before its end."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from carepolicy.audit.export import exported
from carepolicy.cli.piped import TERMINATED
from carepolicy.files import whole_or_not, write_file
from carepolicy.report.rounds import Rounds
from commands import on_terminal, run

ROOT = Path(__file__).parents[2]
HELPDESK = str(ROOT / "examples" / "helpdesk")
HEAD = "ticket,what,at\n"
ROWS = "".join(
    f"T-{number},{what},2024-03-0{day}T09:00:00Z\n"
    for number in range(20)
    for day, what in ((4, "ticket_inserted"), (5, "taken_in_charge"))
)


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "tickets.yaml"
    made = {"mapping": "tickets", "subject": "ticket", "time": "at", "event": {"column": "what"}}
    path.write_text(yaml.safe_dump(made | {"reads": {"format": "csv"}}))
    return str(path)


def piped(path: Path, text: str) -> Path:
    """A pipe, into which somebody writes a text once it is read."""
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_text(text), daemon=True).start()
    return path


@pytest.mark.parametrize(
    "more", [("--workers", "2"), ("--sweep", "first_response.limit=1h..9h"), ("--against", HELPDESK)]
)
def test_a_pipe_is_read_as_a_file_is(tmp_path, mapping, more):
    log = tmp_path / "log.csv"
    log.write_text(HEAD + ROWS)
    asked = ("--policies", HELPDESK, "--map", mapping, *more)
    wanted = run("audit", str(log), *asked).stdout
    assert "40 events" in wanted
    assert run("audit", str(piped(tmp_path / "pipe.csv", HEAD + ROWS)), *asked).stdout == wanted
    assert run("audit", "-", *asked, stdin=(HEAD + ROWS).encode()).stdout == wanted


def test_mappings_are_drafted_from_pipes_and_make_events_of_them(tmp_path, mapping):
    text = (HEAD + ROWS).encode()
    made = run("map", "events", "-", "--map", mapping, "--policies", HELPDESK, stdin=text)
    assert (made.returncode, len(made.stdout.splitlines())) == (0, 40), made.stderr
    draft = run("map", "suggest", "-", "helpdesk_ticket", "--format", "csv", "--policies", HELPDESK, stdin=text)
    assert "subject: ticket" in draft.stdout, draft.stderr
    events = made.stdout.encode()
    assert "40 events" in run("audit", "-", "--policies", HELPDESK, stdin=events).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("audit", "-"), "carepolicy: standard input is empty\n"),
        (("audit", "-", "-"), "carepolicy: - can be read once: name it once\n"),
        (("audit", "here"), "carepolicy: here is a folder: name the logs in it\n"),
        (("audit", "here.csv"), "carepolicy: here.csv is a folder: name the logs in it\n"),
        (("map", "events", "here.csv"), "carepolicy: here.csv is a folder: name the logs in it\n"),
    ],
)
def test_what_is_no_log_is_told_by_its_own_name(tmp_path, mapping, arguments, told):
    for folder in ("here", "here.csv"):
        (tmp_path / folder).mkdir()
    made = run(*arguments, "--map", mapping, "--policies", HELPDESK, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (2, told)


def test_a_folder_is_told_where_the_mapping_names_no_format(tmp_path, mapping):
    Path(mapping).write_text(Path(mapping).read_text().replace("format: csv", "timezone: UTC"))
    for command in (("audit",), ("map", "events")):
        made = run(*command, str(tmp_path), "--map", mapping, "--policies", HELPDESK)
        assert (made.returncode, made.stderr) == (2, f"carepolicy: {tmp_path} is a folder: name the logs in it\n")


def test_a_format_that_there_is_not_is_no_format_of_a_draft(tmp_path):
    (tmp_path / "log.csv").write_text(HEAD + ROWS)
    told = run(
        "map", "suggest", str(tmp_path / "log.csv"), "helpdesk_ticket", "--format", "xls", "--policies", HELPDESK
    )
    assert (told.returncode, told.stdout) == (2, "")


def test_sigterm_leaves_nothing_of_what_was_begun(tmp_path, mapping):
    passing, report = tmp_path / "passing", tmp_path / "report"
    passing.mkdir()
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    asked = ("audit", str(pipe), "--policies", HELPDESK, "--map", mapping, "--report", str(report))
    with (
        subprocess.Popen(
            [sys.executable, "-m", "carepolicy", *asked], env={**os.environ, "TMPDIR": str(passing)}, cwd=tmp_path
        ) as process,
        pipe.open("w") as log,
    ):  # opens once the other side reads
        log.write(HEAD + ROWS)
        log.flush()
        assert [*passing.iterdir()]
        process.send_signal(signal.SIGTERM)
        assert process.wait() == TERMINATED
    assert not [*passing.iterdir()]
    assert not report.exists() or not [*report.iterdir()]


def test_a_file_stays_as_it_was_where_another_does_not_come_to_its_end(tmp_path):
    paths = [tmp_path / name for name in ("a.xes", "a.xes.gz", "a.json", "page.html", "rounds.csv")]
    for path in paths:
        path.write_text("before")

    def begin(path: Path) -> None:
        if path.name == "page.html":
            with whole_or_not(path) as passing, open(passing, "w") as file:
                file.write("half")
                raise OSError(errno.ENOSPC, "No space left on device")
        if path.name == "rounds.csv":
            with Rounds(tmp_path):
                raise OSError(errno.ENOSPC, "No space left on device")
        with exported(str(path), {}):
            raise OSError(errno.ENOSPC, "No space left on device")

    for path in paths:
        with pytest.raises(OSError, match="No space left") as told:
            begin(path)
        assert path.name == "page.html" or told.value.filename == str(path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert {path.read_text() for path in paths} == {"before"}


def test_two_files_are_not_mixed_and_a_link_stays_one(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    write_file(target, "one")
    link.symlink_to(target)
    write_file(link, "two")
    assert link.is_symlink()
    assert target.read_text() == "two"
    with pytest.raises(OSError, match="No such file") as told:
        write_file(tmp_path / "none" / "file", "three")
    assert told.value.filename == str(tmp_path / "none" / "file")


@pytest.mark.parametrize("columns", [60, 80])
def test_no_line_is_broader_than_the_terminal_and_pipes_have_the_table(columns):
    log = str(ROOT / "examples" / "demo" / "events.jsonl")
    asked = ("audit", log, "--policies", str(ROOT / "policies"), "--quiet")
    told = on_terminal(*asked, COLUMNS=str(columns)).replace("\r\n", "\n").splitlines()
    assert max(map(len, told)) <= columns
    whole = run(*asked).stdout
    assert max(map(len, whole.splitlines())) > columns
    assert on_terminal(*asked, COLUMNS="200").replace("\r\n", "\n") == whole
    assert "  acknowledge: 7 of 8 in time, 87.5% (52.9% to 97.8%), target 95% missed"[: columns - 12] in "\n".join(told)


def test_an_end_before_the_last_event_is_told_to_change_nothing(tmp_path, mapping):
    log = tmp_path / "log.csv"
    log.write_text(HEAD + ROWS)
    asked = ("audit", str(log), "--policies", HELPDESK, "--map", mapping)
    told = run(*asked, "--until", "2024-03-01")
    assert "note: --until lies before the last event (of 2024-03-05), and changes nothing" in told.stderr
    assert told.stdout == run(*asked).stdout
    assert not run(*asked, "--until", "2024-03-06").stderr
