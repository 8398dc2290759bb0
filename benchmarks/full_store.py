"""A store with something in each of its tables, as commands make it: for what changes stores by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import dedent

from carepolicy.cli import app
from carepolicy.store.open import open_store
from carepolicy.store.privacy.keys import Keys
from carepolicy.store.records.chain import BEGINNING
from carepolicy.store.sql.statements import HOLD

KEY = "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A="

ORGANISATION = """\
    organisation: Harbour & Finch
    timezone: Europe/London
    languages: [en]
    calendar: always
    keep: 1 year
    calendars:
      always: {title: Always, hours: {mon-sun: 00:00-24:00}}
    roles:
      agent: {title: Agent, people: [Aoife, Ben], deputy: lead, may_see: [customer.email]}
      lead: {title: Lead, people: [Chidi], deputy: agent}
    channels:
      email: {title: E-mail, address: care@harbour.example, to: customer.email}
    facts:
      customer.email: {type: text, private: true}
      customer.id: {type: text}
      ticket.cause: {type: text}
    watches:
      often: {count: asked, by: ticket.cause, reaches: 3, within: 30 days, raise: found_often}
"""
TICKET = """\
    flow: ticket
    version: 1
    title: A ticket
    purpose: Tickets are answered.
    owner: lead
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.email, customer.id, ticket.cause]}}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: LIMIT, runs_in: [open]}
    states:
      open:
        title: Open
        start_on: asked
        owner: agent
        channel: email
        on:
          reply.late: {tell: lead, send: sorry}
          answered: {to: done, send: answer}
      done: {title: Done, final: answered}
"""
PROBLEM = """\
    flow: problem
    version: 1
    title: A problem
    purpose: Problems are found.
    owner: lead
    events:
      found_often: {title: Found often, by: system, carries: {optional: [ticket.cause]}}
      cured: {title: Cured, by: staff}
    states:
      known: {title: Known, start_on: found_often, owner: lead, on: {cured: gone}}
      gone: {title: Gone, final: cured}
"""
MESSAGES = """\
    language: en
    messages:
      answer: {subject: Your answer, text: "We write to {customer.email}."}
      sorry: {subject: Sorry, text: "We kept you waiting."}
"""

COMMANDS = """\
event asked t-1 customer.email=ada@example.org customer.id=7 ticket.cause=late --id a --at 2026-03-02T09:00:00Z
event asked t-2 customer.email=bob@example.org ticket.cause=late --id b --at 2026-03-02T09:05:00Z
event asked t-3 customer.email=eve@example.org ticket.cause=late --id c --at 2026-03-02T09:10:00Z
event asked t-3 --id c --at 2026-03-02T09:11:00Z
event answered nobody --id d --at 2026-03-02T09:12:00Z
event nonsense t-9 --id e --at 2026-03-02T09:13:00Z
event answered t-1 --id f --at 2026-03-02T09:20:00Z
event asked t-4 customer.email=dan@example.org --id g --at 2026-03-02T09:25:00Z
event carepolicy.merge t-4 into=t-2 --id h --at 2026-03-02T09:30:00Z
tick --now 2026-03-02T11:00:00Z
outbox take --limit 2 --by me --now 2026-03-02T11:00:00Z
contact add t-2 --channel email --direction out --by Aoife --text Called --at 2026-03-02T11:05:00Z
customer erase eve@example.org --force --by Chidi --yes
run LOG --quiet
"""


@contextmanager
def surroundings(folder: str) -> Iterator[None]:
    """The key, and a cache of its own, for commands in this process."""
    before = dict(os.environ)
    os.environ |= {"CAREPOLICY_KEY": KEY, "CAREPOLICY_CACHE": f"{folder}/cache"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def fill(url: str, folder: str) -> None:
    """Let commands fill the store."""
    policies = Path(folder) / "set"
    write_set(policies, "1 hour")
    log = Path(folder) / "log.jsonl"
    log.write_text(
        '{"specversion":"1.0","id":"z","source":"/log","type":"asked","subject":"t-5","time":"2026-03-02T12:00:00Z"}\n'
    )
    for line in COMMANDS.replace("LOG", str(log)).splitlines():
        command(*line.split(), "--store", url, "--policies", str(policies))
    write_set(policies, "2 hours")
    command("apply", "--shadow", "--store", url, "--policies", str(policies))
    command("event", "asked", "t-6", "--id", "y", "--at", "2026-03-02T12:30:00Z", "--store", url)
    store = open_store(url)
    with store.transaction() as transaction:
        transaction.many(HOLD, [(1, "t-7", 1, Keys().seal(b"[]"))])
        transaction.run("INSERT INTO leaves (no, leaf) VALUES (?, ?)", (1_000, bytes(32)))
        transaction.run("INSERT INTO restores (no, time) VALUES (?, ?)", (1, 1))
        transaction.run("INSERT INTO shreds (id) VALUES (?)", (b"name",))
        transaction.run("INSERT INTO sweeps (what, time) VALUES (?, ?)", ("events", 1))
        transaction.run("INSERT INTO gone (input, records) VALUES (?, ?)", (1, 0))
        cut = ("", "t-0", "ticket", 0, BEGINNING)
        transaction.run("INSERT INTO cuts (key, subject, flow, number, hash) VALUES (?, ?, ?, ?, ?)", cut)
        values = (b"digest", "smtp localhost", 1, 1, "it did not answer")
        transaction.run("INSERT INTO servers (digest, name, failures, until, fault) VALUES (?, ?, ?, ?, ?)", values)
    store.close()


def write_set(root: Path, limit: str) -> None:
    files = {
        "organisation.yaml": ORGANISATION,
        "flows/ticket.yaml": TICKET.replace("LIMIT", limit),
        "flows/problem.yaml": PROBLEM,
        "messages/en.yaml": MESSAGES,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))


def command(*arguments: str) -> None:
    with TemporaryFile("w+") as said, redirect_stdout(said), redirect_stderr(said):
        status = app.run(list(arguments))
        said.seek(0)
        if status not in (0, 1):
            raise SystemExit(f"carepolicy {' '.join(arguments)}: {said.read()}")


def empty_tables(url: str) -> list[str]:
    """The tables that hold nothing."""
    from carepolicy.store.sql.tables import TABLES

    store = open_store(url)
    with store.reading() as transaction:
        found = [name for name in TABLES if not transaction.rows(f"SELECT 1 FROM {name} LIMIT 1")]
    store.close()
    return found
