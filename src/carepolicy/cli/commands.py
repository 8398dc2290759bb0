"""The table of all commands. It is all that ``--help`` reads, so that help imports no command."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command is defined (``module:name``), and what it does in one line."""

    target: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("init:init", "Lay down a small working policy set"),
    "check": Entry("check:check", "Find what is wrong in a policy set"),
    "explain": Entry("explain:explain", "Say what a code of the check means"),
    "run": Entry("run:run", "Events in, records out"),
    "case": Entry("case:case", "Look at cases"),
    "due": Entry("due:due", "Say when a limit ends, and why"),
    "graph": Entry("graph:graph", "Draw the chart of a flow"),
    "schema": Entry("schema:schema", "Print or write the JSON Schemas of the policy files"),
    "completion": Entry("completion:completion", "Print the completion script for a shell"),
}
