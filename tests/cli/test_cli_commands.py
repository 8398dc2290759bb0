"""Commands as people call them: what is printed where, and the exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from shlex import quote

import pytest

from carepolicy._version import __version__
from carepolicy.cli.app import COMMANDS
from commands import process, run
from shops import SHOP

HARBOUR = Path(__file__).parents[1] / "checks" / "harbour"
FRIDAY = "2026-03-06 15:30"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    shutil.copytree(HARBOUR, tmp_path / "policies")
    return tmp_path


def spoil(here: Path, old: str = "reply_sent: answered", new: str = "reply_sent: answred") -> None:
    flow = here / "policies" / "flows" / "email_inquiry.yaml"
    text = flow.read_text()
    assert old in text
    flow.write_text(text.replace(old, new, 1))


def test_version_is_told() -> None:
    told = process("--version")
    assert (told.returncode, told.stdout, told.stderr) == (0, f"carepolicy {__version__}\n", "")


def test_version_imports_nothing_heavy() -> None:
    code = "import sys; sys.argv[1:] = ['--version']; from carepolicy.cli import main; main(); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"click", "yaml", "jsonschema", "orjson", "importlib.metadata"} & set(told)


def test_help_imports_no_command() -> None:
    code = "import sys; from carepolicy.cli.app import run; run(['--help']); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(name in told and f"carepolicy.cli.{name} " not in told for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    told = run(command, "--help")
    assert told.returncode == 0, told.stderr
    assert "Example" in told.stdout or any("Example" in run(command, sub, "--help").stdout for sub in ("show",))


def test_a_misspelt_command_names_the_nearest() -> None:
    told = process("chekc")
    assert (told.returncode, told.stdout) == (2, "")
    assert 'there is no command "chekc"; did you mean "check"?' in told.stderr


def test_a_misspelt_option_names_the_nearest() -> None:
    told = run("check", "--frmat", "json")
    assert told.returncode == 2
    assert "--format" in told.stderr.splitlines()[-1]


def test_check_of_a_sound_set_says_so_on_stderr(here: Path) -> None:
    told = process("check", cwd=here)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "6 files: nothing wrong\n")


def test_check_shows_the_line_and_the_nearest_right_name(here: Path) -> None:
    spoil(here)
    told = process("check", cwd=here)
    assert (told.returncode, told.stderr) == (1, "6 files: 1 error\n")
    line = (here / "policies/flows/email_inquiry.yaml").read_text().splitlines().index("      reply_sent: answred") + 1
    assert told.stdout.splitlines() == [
        f'policies/flows/email_inquiry.yaml:{line}:19: CP203 unknown state "answred"',
        f"   {line} |       reply_sent: answred",
        '      |                   ^^^^^^^ did you mean "answered"?',
        "   = `carepolicy explain CP203` says more",
    ]


def test_check_of_one_file_tells_of_that_file_only(here: Path) -> None:
    spoil(here)
    assert run("check", "policies/messages/en.yaml", cwd=here).returncode == 0
    assert run("check", "policies/flows/email_inquiry.yaml", cwd=here).returncode == 1
    assert run("check", "en.yaml", cwd=here / "policies" / "messages").returncode == 0


def test_check_of_two_sets_tells_of_both(here: Path) -> None:
    shutil.copytree(here / "policies", here / "others")
    spoil(here)
    told = run("check", "policies", "others", "--format", "json", cwd=here)
    answer = json.loads(told.stdout)
    assert (told.returncode, answer["files"]) == (1, 12)
    assert [each["file"] for each in answer["findings"]] == ["policies/flows/email_inquiry.yaml"]


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "junit"])
def test_every_form_of_check_names_the_code(here: Path, form: str) -> None:
    spoil(here)
    told = run("check", "--format", form, cwd=here)
    assert told.returncode == 1
    assert "CP203" in told.stdout


def test_strict_minds_warnings_but_not_notes(here: Path) -> None:
    spoil(here, "reply_sent: answered", "reply_sent: answered # carepolicy: allow CP412 because it may come")
    told = run("check", "--strict", cwd=here)
    assert (told.returncode, told.stderr) == (0, "6 files: 1 note\n")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    for command in (["check"], ["due", "1 hour", "--from", FRIDAY], ["graph", "--all", "-o", "x.dot"]):
        told = run(*command, "--policies", "nowhere", cwd=tmp_path)
        assert (told.returncode, told.stdout) == (2, "")
        assert "there is no folder nowhere" in told.stderr


def test_a_folder_without_an_organisation_is_no_set(tmp_path: Path) -> None:
    told = run("check", str(tmp_path))
    assert told.returncode == 2
    assert "it has no organisation.yaml" in told.stderr


def test_unreadable_text_is_a_finding_and_no_traceback(here: Path) -> None:
    (here / "policies" / "organisation.yaml").write_bytes(b"organisation: \xff\xfe")
    told = process("check", cwd=here)
    assert told.returncode == 1
    assert "CP101" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr


def test_explain_shows_a_wrong_and_a_right_example() -> None:
    told = run("explain", "cp203")
    assert told.returncode == 0
    assert told.stdout.startswith("CP203 unknown state (error)")
    assert "Wrong:" in told.stdout
    assert "Right:" in told.stdout


def test_explain_lists_every_code_once() -> None:
    codes = [line.split()[0] for line in run("explain", "--all").stdout.splitlines()]
    assert codes == sorted(set(codes))
    assert {"CP101", "CP190", "CP191", "CP203", "CP901"} <= set(codes)


def test_explain_of_an_unknown_code_names_the_nearest() -> None:
    told = run("explain", "CP2003")
    assert told.returncode == 2
    assert 'did you mean "CP203"?' in told.stderr or "did you mean" in told.stderr


def test_due_is_told_with_its_offset(here: Path) -> None:
    told = process("due", "3 business hours", "--from", FRIDAY, cwd=here)
    assert (told.returncode, told.stdout, told.stderr) == (0, "2026-03-09 11:30:00+00:00\n", "")


def test_due_explains_each_interval_and_each_day_left_out(here: Path) -> None:
    told = run("due", "1 business day", "--from", "2026-04-02 13:30", "--explain", cwd=here).stdout.splitlines()
    assert "13:30-17:30" in told[1]
    assert ["Good Friday" in line for line in told].index(True) == 2
    assert sum("left out" in line for line in told) == 4
    assert told[-1] == "due 2026-04-07 12:30:00+01:00"


def test_due_as_json_holds_what_was_counted(here: Path) -> None:
    told = run("due", "3 business hours", "--from", FRIDAY, "--format", "json", cwd=here)
    answer = json.loads(told.stdout)
    assert answer["due"] == "2026-03-09T11:30:00+00:00"
    assert sum(each["seconds"] for each in answer["counted"]) == 3 * 3600
    assert [each["day"] for each in answer["left_out"]] == ["2026-03-07", "2026-03-08"]


def test_due_counts_in_the_calendar_that_is_named(here: Path) -> None:
    told = run("due", "3 business hours", "--from", FRIDAY, "--calendar", "phones", cwd=here)
    assert told.stdout == "2026-03-06 18:30:00+00:00\n"


def test_due_reads_facts_and_settings(here: Path) -> None:
    told = run(
        "due", "1 day before order.ship_by", "--from", FRIDAY, "--fact", "order.ship_by=2026-03-10 12:00", cwd=here
    )
    assert told.stdout == "2026-03-09 12:00:00+00:00\n"
    assert run("due", "settings.first_answer", "--from", FRIDAY, cwd=here).stdout == "2026-03-09 11:30:00+00:00\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["3 busines hours", "--from", FRIDAY], "^^^^^^^"),
        (["3 business hours", "--from", "soon"], "is no time"),
        (["3 business hours", "--from", "2026-03-29 01:30"], "does not exist in Europe/London"),
        (["3 business hours", "--from", FRIDAY, "--calendar", "ofice"], 'did you mean "office"?'),
        (["until order.ship_by", "--from", FRIDAY], "--fact order.ship_by=TIME"),
        (["settings.frst_answer", "--from", FRIDAY], 'did you mean "first_answer"?'),
        (["200 years", "--from", "2150-01-01"], "1970 to 2200"),
    ],
)
def test_due_refuses_what_it_cannot_reckon(here: Path, arguments: list[str], said: str) -> None:
    told = run("due", *arguments, cwd=here)
    assert (told.returncode, told.stdout) == (2, "")
    assert said in told.stderr
    assert "internal error" not in told.stderr


def test_due_from_the_cache_is_the_same_and_sees_a_change(here: Path) -> None:
    kept = {"CAREPOLICY_CACHE": str(here / "cache")}
    arguments = ("due", "3 business hours", "--from", FRIDAY, "--explain")
    first = process(*arguments, cwd=here, **kept)
    assert list((here / "cache").glob("timetable-*"))
    assert process(*arguments, cwd=here, **kept).stdout == first.stdout
    organisation = here / "policies" / "organisation.yaml"
    organisation.write_text(organisation.read_text().replace("fri: 09:00-16:00", "fri: 09:00-20:00"))
    assert process(*arguments, cwd=here, **kept).stdout.endswith("due 2026-03-06 18:30:00+00:00\n")


def test_due_with_a_cache_sees_an_imported_file_change(here: Path) -> None:
    kept = {"CAREPOLICY_CACHE": str(here / "cache")}
    organisation = here / "policies" / "organisation.yaml"
    organisation.write_text(
        organisation.read_text().replace("closed: [2026-08-03/2026-08-07]", "closed: [{import: closures.ics}]")
    )
    event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    event += "DTSTART;VALUE=DATE:2026030{}\r\nSUMMARY:Stocktaking\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    dues = []
    for day in (4, 9):
        (here / "policies" / "closures.ics").write_text(event.format(day))
        dues.append(process("due", "3 business hours", "--from", FRIDAY, cwd=here, **kept).stdout)
    assert dues == ["2026-03-09 11:30:00+00:00\n", "2026-03-10 11:30:00+00:00\n"]


def test_init_lays_down_a_set_that_passes_the_check(tmp_path: Path) -> None:
    told = run("init", cwd=tmp_path)
    assert told.returncode == 0
    assert told.stdout.splitlines() == sorted(
        str(each.relative_to(tmp_path)) for each in (tmp_path / "policies").rglob("*.yaml")
    )
    assert run("check", "--strict", cwd=tmp_path).stderr == "3 files: nothing wrong\n"
    assert run("test", cwd=tmp_path).stderr == "2 scenarios: 2 passed\n"
    assert run("due", "3 business hours", "--from", FRIDAY, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["gra"], ["graph"]),
        (["graph", "em"], ["email_inquiry"]),
        (["graph", "--policies", "nowhere", "em"], []),
        (["explain", "cp90"], [f"CP90{number}" for number in range(1, 10)]),
        (["due", "--calendar", "off"], ["office"]),
        (["run", "--dead"], ["--dead-letters"]),
        (["event", "customer_w"], ["customer_withdrew", "customer_wrote"]),
        (["event", "email_received", "m-1", "customer.t"], ["customer.tier="]),
        (["event", "email_received", "m-1", "customer.tier=g"], ["customer.tier=gold"]),
        (["case", "list", "--state", "waiting"], ["waiting_for_customer"]),
        (["case", "list", "--owner", "care_l"], ["care_lead"]),
        (["case", "show", "--store", "sqlite:///nowhere.db", "m"], []),
        (["run", "events"], ["events"]),  # click asks the shell for files by handing the word back
    ],
)
def test_the_shell_completes_commands_options_and_names_of_the_set(words: list[str], completed: list[str]) -> None:
    shell = {
        "_CAREPOLICY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["carepolicy", *words]),
        "COMP_CWORD": str(len(words)),
    }
    told = run(cwd=HARBOUR.parent, CAREPOLICY_POLICIES="harbour", **shell)
    assert [line.split(",", 1)[1] for line in told.stdout.splitlines() if line] == completed


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "organisation.yaml").write_text("mine")
    told = run("init", cwd=tmp_path)
    assert told.returncode == 2
    assert [each.name for each in (tmp_path / "policies").iterdir()] == ["organisation.yaml"]
    assert (tmp_path / "policies" / "organisation.yaml").read_text() == "mine"


def test_schema_prints_one_and_writes_all(tmp_path: Path) -> None:
    assert json.loads(run("schema", "flow").stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert run("schema", "--output", "schemas", cwd=tmp_path).returncode == 0
    assert all(json.loads(each.read_text()) for each in (tmp_path / "schemas").iterdir())
    assert 'did you mean "flow"?' in run("schema", "flw").stderr


def test_graph_writes_the_file_and_names_it(here: Path) -> None:
    told = run("graph", "email_inquiry", "--output", "chart.dot", cwd=here)
    assert (told.returncode, told.stdout) == (0, "chart.dot\n")
    assert (here / "chart.dot").read_text().startswith("digraph")
    assert run("graph", "--all", "--output", "all.dot", cwd=here).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["email_inquery", "-o", "x.dot"], 'did you mean "email_inquiry"?'),
        (["email_inquiry", "-o", "x.doc"], "the ending must be one of"),
        (["-o", "x.dot"], "name one flow, or --all"),
        (["email_inquiry", "-o", "no/such/folder/x.dot"], "No such file or directory"),
    ],
)
def test_graph_refuses_what_it_cannot_draw(here: Path, arguments: list[str], said: str) -> None:
    told = run("graph", *arguments, cwd=here)
    assert told.returncode == 2
    assert said in told.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    assert "_CAREPOLICY_COMPLETE" in run("completion", shell).stdout


def test_completion_completes_commands_without_importing_them() -> None:
    asked = {"_CAREPOLICY_COMPLETE": "bash_complete", "COMP_WORDS": "carepolicy ch", "COMP_CWORD": "1"}
    assert process(**asked).stdout == "plain,check\n"


def test_a_reader_that_goes_away_is_no_fault(here: Path) -> None:
    code = "from carepolicy.cli import main; main()"
    command = f"{quote(sys.executable)} -c '{code}' explain --all | head -1"
    told = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=here)
    assert told.stderr == ""


def test_an_interrupted_command_ends_with_130() -> None:
    code = (
        "import carepolicy.cli.app as r, carepolicy.cli.explain as p\n"
        "def stop(code): raise KeyboardInterrupt\n"
        "p.page_of = stop\n"
        "raise SystemExit(r.run(['explain', 'CP203']))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (130, "carepolicy: interrupted\n")


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_fault_of_ours_is_told_in_words(debug: str) -> None:
    code = (
        "import carepolicy.cli.app as r, carepolicy.cli.explain as p\n"
        "def fail(code): raise ZeroDivisionError('so it is')\n"
        "p.page_of = fail\n"
        "raise SystemExit(r.run(['explain', 'CP203']))"
    )
    environment = {**os.environ, "CAREPOLICY_DEBUG": debug}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert told.returncode == 2
    assert "internal error: ZeroDivisionError: so it is" in told.stderr
    assert ("Traceback" in told.stderr) == (debug == "1")


def test_a_pipe_among_the_policy_files_is_a_finding_and_nobody_waits_for_it(here: Path) -> None:
    os.mkfifo(here / "policies" / "flows" / "pipe.yaml")
    told = process("check", cwd=here)
    assert told.returncode == 1
    assert "flows/pipe.yaml is no ordinary file" in told.stdout


def test_a_command_works_though_its_standard_streams_are_closed() -> None:
    program = f"{quote(sys.executable)} -m carepolicy"
    for command in ("explain CP203 >&-", "explain CP203 2>&-", "explain CP203 <&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", f"{program} {command}"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), command


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
@pytest.mark.parametrize("file", ["chart.dot", "chart.mmd", "chart.svg", "all.dot"])
def test_graph_names_the_file_for_which_a_disk_has_no_room(here: Path, file: str) -> None:
    (here / file).symlink_to("/dev/full")
    told = run("graph", "--all" if file == "all.dot" else "email_inquiry", "--output", file, cwd=here)
    assert (told.returncode, told.stderr) == (3, f"carepolicy: {file}: No space left on device\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows bounds no files")
def test_init_names_the_file_for_which_a_disk_has_no_room(here: Path) -> None:
    bounded = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); "
    bounded += "from carepolicy.cli.app import run; sys.exit(run(['init', 'new']))"
    told = subprocess.run([sys.executable, "-B", "-c", bounded], cwd=here, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (3, "")
    assert re.fullmatch(r"carepolicy: new/\S+\.yaml: File too large\n", told.stderr), told.stderr


def test_completion_that_is_asked_for_outside_of_its_script_says_what_is_missing() -> None:
    told = process("check", _CAREPOLICY_COMPLETE="bash_complete")
    assert told.returncode == 2
    assert told.stderr.startswith("carepolicy: _CAREPOLICY_COMPLETE is set, but not COMP_WORDS and COMP_CWORD")


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "log.jsonl", "--by"),
        ("graph", "--output", "flow.svg"),
        ("map", "suggest", "log.csv"),
        ("simulate", "--staff", "staff.yaml", "--arrivals", "2 per hour"),
    ],
)
def test_a_name_that_is_like_none_is_told_without_an_empty_hint(words):
    told = run(*words, "qqqqqqqqqqqq", "--policies", SHOP)
    assert told.returncode == 2
    assert "qqqqqqqqqqqq" in told.stderr
    assert not told.stderr.rstrip("\n").endswith(("; ", ";"))
