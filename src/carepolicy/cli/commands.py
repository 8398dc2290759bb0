"""The table of all commands. It is all that ``--help`` reads, so that help imports no command."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """In which module of this room a command is defined (as ``command``), and what it does in one line."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("init", "Lay down a small working policy set"),
    "check": Entry("check", "Find what is wrong in a policy set"),
    "explain": Entry("explain", "Say what a code of the check means"),
    "fmt": Entry("fmt", "Lay out policy files; comments are kept"),
    "test": Entry("test", "Run scenarios: do the policies do what they say"),
    "try": Entry("walk", "Walk through a flow by hand"),
    "scenarios": Entry("scenarios", "Suggest scenarios for what none goes through"),
    "run": Entry("run", "Events in, records out"),
    "event": Entry("event", "Let one event happen, durably, or each line of standard input"),
    "tick": Entry("tick", "Fire what is due"),
    "verify": Entry("verify", "Find what was altered, put in, lost or put back in a store"),
    "case": Entry("case", "Look at cases"),
    "plan": Entry("plan", "Say what a changed set would do to the open cases"),
    "apply": Entry("apply", "Install a changed set and move the open cases to it"),
    "customer": Entry("customer", "Show, hand over or erase what is held about a customer"),
    "contact": Entry("contact", "Show who said what to whom and when"),
    "outbox": Entry("outbox", "Carry out what cases ask for"),
    "dead": Entry("dead", "Look at events that were not taken, and take them again"),
    "store": Entry("store", "Copy a store, put it back, and see how it is doing"),
    "key": Entry("key", "Look after the keys that seal private facts"),
    "due": Entry("due", "Say when a limit ends, and why"),
    "graph": Entry("graph", "Draw the chart of a flow"),
    "diff": Entry("diff", "Say what changed between two policy sets"),
    "handbook": Entry("handbook", "Write the staff handbook"),
    "schema": Entry("schema", "Print or write the JSON Schemas of the policy files"),
    "completion": Entry("completion", "Print the completion script for a shell"),
}
