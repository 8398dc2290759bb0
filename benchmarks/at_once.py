"""Events of one subject that happen at once, from many processes: each is taken, and once.

    python benchmarks/at_once.py sqlite [--processes 20] [--rounds 100]
    python benchmarks/at_once.py postgres [--processes 20] [--rounds 100]

So many processes wait for the start of a round, and then each says `carepolicy event`, while one more says
`carepolicy tick`, since timers fire all the time. Every second round is about a new subject. In every third round each
event is said by two processes at once, under one id. The first round begins with an empty store.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kills import fresh_store

POLICIES = str(Path(__file__).parent / "tallies")

WORKER = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from carepolicy.cli.app import run
print("ready", flush=True)
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""

Answer = tuple[int, str, str]
"""Exit status, output and errors of a command."""


class Crew:
    """Processes that carry out commands of a round all at once."""

    def __init__(self, number: int) -> None:
        command = [sys.executable, "-c", WORKER]
        self._members = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(number)
        ]
        for each in self._members:
            assert each.stdout is not None
            each.stdout.readline()

    def at_once(self, commands: list[list[str]]) -> list[Answer]:
        """Let each carry out a command."""
        at_work = self._members[: len(commands)]
        for each, command in zip(at_work, commands, strict=True):
            assert each.stdin is not None
            each.stdin.write(json.dumps(command) + "\n")
        for each in at_work:
            assert each.stdin is not None
            each.stdin.flush()
        answers = []
        for each in at_work:
            assert each.stdout is not None
            status, out, err = json.loads(each.stdout.readline())
            answers.append((status, out, err))
        return answers

    def close(self) -> None:
        """Let them go."""
        for each in self._members:
            each.communicate()


def play(url: str, processes: int, rounds: int) -> list[str]:
    """Play so many rounds on a store; what was wrong."""
    crew, wrong = Crew(processes + 1), []
    expected: dict[str, int] = {}
    where = ["--store", url, "--policies", POLICIES]
    try:
        for number in range(rounds):
            subject = f"s-{number // 2}"
            ids = [f"{number}-{each // 2 if number % 3 == 2 else each}" for each in range(processes)]
            expected[subject] = expected.get(subject, 0) + len(set(ids))
            events = [["event", "noted", subject, "--id", each, *where] for each in ids]
            answers = crew.at_once([*events, ["tick", "--quiet", *where]])
            twice = sum(status == 1 and "CP909" in err for status, _, err in answers)
            if twice != processes - len(set(ids)):
                wrong.append(f"round {number}: {twice} of {processes} were told to have come before")
            wrong += [
                f"round {number}: status {status}: {err.strip()}"
                for status, _, err in answers
                if status and not (status == 1 and "CP909" in err)
            ]
    finally:
        crew.close()
    return wrong + miscounted(url, expected)


def miscounted(url: str, expected: dict[str, int]) -> list[str]:
    """The subjects whose count is not what it should be."""
    from carepolicy.store.open import open_store

    store = open_store(url, create=False)
    with store.reading() as transaction:
        found = {
            subject: json.loads(bytes(body)) for subject, body in transaction.rows("SELECT subject, body FROM cases")
        }
    store.close()
    counted = {subject: body["facts"].get("tally.count", 1) for subject, body in found.items()}
    return [
        f"{subject}: {counted.get(subject, 0)} counted of {number}"
        for subject, number in expected.items()
        if counted.get(subject, 0) != number
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("sqlite", "postgres"))
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, fresh_store(asked.kind, folder) as url:
        os.environ["CAREPOLICY_KEY_FILE"] = f"{folder}/key"
        begun = time.perf_counter()
        wrong = play(url, asked.processes, asked.rounds)
        took = time.perf_counter() - begun
        print("\n".join(wrong[:20]))
        print(
            f"{asked.kind}: {asked.rounds} times {asked.processes} events at once, in {took:.0f} s: "
            f"{len(wrong)} things wrong"
        )
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
