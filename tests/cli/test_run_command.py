"""``carepolicy run`` as a service uses it: a process with files and pipes, whatever comes in."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from commands import run
from stories import event, write_set

TICKET = """\
    flow: ticket
    version: 1
    title: Handle a ticket
    purpose: Tickets are answered.
    owner: care_lead
    events:
      asked:
        title: The customer asks
        by: customer
        carries: {required: [customer.name],
            optional: [customer.email, order.total, customer.tier, case.urgent, order.ship_by]}
      answered: {title: We answer, by: staff}
    clocks:
      reply:
        title: Answer
        promise: We answer within {limit}.
        limit: 3 business hours
        runs_in: [open]
    states:
      open: {title: Open, start_on: asked, owner: care_agent, on: {answered: done}}
      done: {title: Done, final: resolved}
"""

GOOD = event("asked", "2026-03-02T09:00:00", subject="good", data={"customer.name": "Ada"}, id="good-1")


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set", TICKET)


def carepolicy(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "carepolicy", *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, env={**os.environ, **environment}, timeout=120, check=False
    )


def ran(policies: Path, tmp_path: Path, *lines: bytes) -> tuple[int, list[dict[str, Any]], list[dict[str, Any]], str]:
    """Exit status, records, dead letters and standard error of a run over ``lines`` between two good ones."""
    dead = tmp_path / "dead.jsonl"
    text = b"\n".join([json.dumps(GOOD).encode(), *lines, last()]) + b"\n"
    told = run("run", "--policies", str(policies), "--dead-letters", str(dead), stdin=text)
    records = [json.loads(line) for line in told.stdout.split("\n") if line]
    letters = [json.loads(line) for line in dead.read_text().splitlines()]
    return told.returncode, records, letters, told.stderr


def last() -> bytes:
    return json.dumps(event("answered", "2026-03-02T10:00:00", subject="good", id="good-2")).encode()


def asked(**changed: Any) -> bytes:
    made: dict[str, Any] = {
        **event("asked", "2026-03-02T09:30:00", subject="bad", data={"customer.name": "Bo"}, id="bad-1")
    }
    made.update(changed)
    return json.dumps({name: value for name, value in made.items() if value is not None}).encode()


BAD = {
    "truncated JSON": (b'{"specversion":"1.0","id":"x","sour', "CP901"),
    "JSON that is no object": (b"[1, 2, 3]", "CP901"),
    "bytes that are no UTF-8": (b'{"id":"\xff\xfe"}', "CP901"),
    "nesting without end": (b"[" * 100_000, "CP901"),
    "a line of ten megabytes": (b'{"id":"' + b"x" * 10_000_000 + b'"}', "CP912"),
    "an unknown type": (asked(type="aksed"), "CP904"),
    "no subject": (asked(subject=None), "CP902"),
    "a subject that is no text": (asked(subject=7), "CP902"),
    "data that is no object": (asked(data=[1]), "CP902"),
    "another version of CloudEvents": (asked(specversion="0.3"), "CP902"),
    "a time without an offset": (asked(time="2026-03-02T09:30:00"), "CP903"),
    "a time that does not exist": (asked(time="2026-02-30T09:30:00+00:00"), "CP903"),
    "undeclared data": (asked(data={"customer.name": "Bo", "customer.shoe": 43}), "CP905"),
    "data nested without end": (asked(data=json.loads('{"a":' * 400 + "1" + "}" * 400)), "CP905"),
    "a text for money": (asked(data={"customer.name": "Bo", "order.total": "a lot"}), "CP906"),
    "infinite money": (asked(data={"customer.name": "Bo", "order.total": "Infinity"}), "CP906"),
    "an unknown choice": (asked(data={"customer.name": "Bo", "customer.tier": "silver"}), "CP906"),
    "a number for a flag": (asked(data={"customer.name": "Bo", "case.urgent": 1}), "CP906"),
    "a time fact without an offset": (asked(data={"customer.name": "Bo", "order.ship_by": "2026-03-02"}), "CP906"),
    "required data missing": (asked(data={}), "CP907"),
    "time running backwards": (asked(subject="good", time="2026-03-01T09:30:00+00:00"), "CP908"),
    "the same id twice": (json.dumps(GOOD).encode(), "CP909"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_ends_in_a_record_and_a_dead_letter_and_everything_else_is_processed(
    kind: str, policies: Path, tmp_path: Path
) -> None:
    line, code = BAD[kind]
    status, records, letters, said = ran(policies, tmp_path, line)
    assert status == 1
    assert [(letter["line"], letter["code"]) for letter in letters] == [(2, code)]
    told = [record for record in records if record["data"].get("code") == code]
    assert [record["type"].rsplit(".", 1)[1] for record in told] == ["duplicate" if code == "CP909" else "rejected"]
    closed = [record for record in records if record["type"] == "carepolicy.case.closed"]
    assert [record["subject"] for record in closed] == ["good"]
    assert "Traceback" not in said
    assert code in said


def test_a_card_number_is_masked_before_it_goes_anywhere(policies: Path, tmp_path: Path) -> None:
    status, records, letters, said = ran(
        policies, tmp_path, asked(data={"customer.name": "card 4111 1111 1111 1111 please"})
    )
    assert status == 1
    assert [(letter["line"], letter["code"]) for letter in letters] == [(2, "CP913")]
    everything = json.dumps([records, letters]) + said
    assert "4111 1111 1111 1111" not in everything
    assert "4111111111111111" not in everything
    assert [record["subject"] for record in records if record["type"] == "carepolicy.case.opened"] == ["good", "bad"]


def test_private_facts_reach_neither_records_nor_dead_letters_nor_standard_error(
    policies: Path, tmp_path: Path
) -> None:
    secret = "ada.lovelace@example.org"
    lines = [
        asked(id="p-1", data={"customer.name": "Bo", "customer.email": secret}),
        asked(id="p-2", data={"customer.name": "Bo", "customer.email": secret, "order.total": "x"}),
        asked(id="p-3", subject="other", data={"customer.email": secret}),
        asked(id="p-4", data={"customer.name": "Bo", "customer.emial": secret}),
        b'{"data": {"customer.email": "' + secret.encode() + b'"}, "id',
        asked(id="p-5", type=None, data={"customer.email": secret}),
    ]
    status, records, letters, said = ran(policies, tmp_path, *lines)
    assert status == 1
    assert secret not in json.dumps([records, letters]) + said
    assert len(letters) == 5


def test_an_empty_input_gives_no_records_and_says_so(policies: Path) -> None:
    done = carepolicy("run", "--policies", policies)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode().startswith("0 events, 0 records")


def test_a_file_that_is_not_there_is_wrong_usage(policies: Path, tmp_path: Path) -> None:
    done = carepolicy("run", tmp_path / "none.jsonl", "--policies", policies)
    assert done.returncode == 2
    assert b"none.jsonl" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_broken_policy_set_is_shown_with_its_place(policies: Path) -> None:
    flow = policies / "flows" / "ticket.yaml"
    flow.write_text(flow.read_text().replace("{answered: done}", "{answered: dnoe}"))
    done = carepolicy("run", "--policies", policies)
    assert done.returncode == 2
    assert b"CP203" in done.stderr
    assert b'did you mean "done"?' in done.stderr


def test_until_lets_timers_fall_due(policies: Path, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text(json.dumps(GOOD) + "\n")
    without = carepolicy("run", log, "--policies", policies)
    assert b"clock.late" not in without.stdout
    done = carepolicy("run", log, "--policies", policies, "--until", "2026-03-02 12:00")
    assert b"clock.late" in done.stdout
    assert b"1 times late" in done.stderr or b"1 time late" in done.stderr


def test_records_come_while_the_input_is_still_open(policies: Path) -> None:
    command = [sys.executable, "-m", "carepolicy", "run", "--policies", str(policies)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(GOOD).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["type"] == "carepolicy.case.opened"
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_a_reader_that_goes_away_is_no_error(policies: Path, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    lines = [json.dumps({**GOOD, "id": f"g-{n}", "subject": f"s-{n}"}) for n in range(5000)]
    log.write_text("\n".join(lines))
    command = f"{quote(sys.executable)} -m carepolicy run {quote(str(log))} --policies {quote(str(policies))} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.stdout.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


def test_workers_give_the_same_bytes_through_a_pipe(policies: Path) -> None:
    text = b"\n".join([json.dumps(GOOD).encode(), asked(), asked(id="bad-2", type="x"), last()])
    one = carepolicy("run", "--policies", policies, stdin=text)
    two = carepolicy("run", "--policies", policies, "--workers", "2", stdin=text)
    assert one.stdout == two.stdout != b""
    assert one.returncode == two.returncode == 1


def test_a_log_that_joins_subjects_gives_the_same_bytes_for_any_number_of_workers(
    policies: Path, tmp_path: Path
) -> None:
    data = {"customer.name": "Ada"}
    events = [
        event("asked", "2026-03-02T09:00:00", "a", data),
        event("asked", "2026-03-02T10:00:00", "b", data),
        event("carepolicy.merge", "2026-03-02T11:00:00", "a", {"into": "b"}),
        event("answered", "2026-03-02T11:30:00", "a"),
    ]
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(json.dumps(each).encode() + b"\n" for each in events))
    alone = carepolicy("run", "--policies", policies, log)
    assert b'"outcome":"merged"' in alone.stdout
    assert carepolicy("run", "--policies", policies, "--workers", "2", log).stdout == alone.stdout
    piped = carepolicy("run", "--policies", policies, "--workers", "2", stdin=log.read_bytes())
    assert piped.stdout == alone.stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--output", "log.jsonl"],
        ["--dead-letters", "log.jsonl"],
        ["--output", "link.jsonl"],
        ["--output", "new.jsonl", "--dead-letters", "./new.jsonl"],
    ],
)
def test_no_file_is_read_and_written_at_once(policies: Path, tmp_path: Path, options: list[str]) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps(GOOD) + "\n")
    (tmp_path / "link.jsonl").symlink_to(log)
    command = [sys.executable, "-m", "carepolicy", "run", "log.jsonl", "--policies", str(policies), *options]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == b"carepolicy: the events, the records and the dead letters need a file each\n"
    assert json.loads(log.read_text()) == GOOD


def test_a_compressed_log_is_named_as_such_and_not_refused_line_by_line(policies: Path, tmp_path: Path) -> None:
    log = tmp_path / "log of march.jsonl.gz"
    log.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    done = carepolicy("run", log, "--policies", policies)
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert "is compressed; say: gunzip --stdout " in done.stderr.decode()
    again = subprocess.run(["gunzip", "--stdout", log], capture_output=True, timeout=60, check=True).stdout
    assert carepolicy("run", "--policies", policies, stdin=again).returncode == 0
    log.write_text(json.dumps(GOOD), encoding="utf-16")
    assert b"is in UTF-16; say: iconv" in carepolicy("run", log, "--policies", policies).stderr


def children_of(process: int) -> list[int]:
    """The worker processes of a run."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(each) for each in listed if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def bytes_unread(pipe: int) -> int:
    """How much of what was written into a pipe nobody has read yet."""
    told = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int.from_bytes(told, sys.byteorder)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
@pytest.mark.parametrize(
    ("struck", "status", "said"), [("worker", 3, rb"worker [12] of 2 died"), ("all", 130, b"interrupted")]
)
def test_a_run_whose_workers_die_or_are_interrupted_says_so_in_a_line(
    policies: Path, struck: str, status: int, said: bytes
) -> None:
    command = [sys.executable, "-m", "carepolicy", "run", "-", "--policies", str(policies), "--workers", "2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"\n".join([json.dumps(GOOD).encode(), asked()]) + b"\n")
        process.stdin.flush()
        if struck == "all":
            while process.poll() is None and bytes_unread(process.stdin.fileno()):
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)
            process.stdin.close()
        else:
            process.stdin.close()
            while process.poll() is None and len(workers := children_of(process.pid)) < 2:
                time.sleep(0.01)
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
        assert process.stderr is not None
        told = process.stderr.read()
        assert process.wait(timeout=60) == status
        assert re.search(said, told)
        assert b"Traceback" not in told
