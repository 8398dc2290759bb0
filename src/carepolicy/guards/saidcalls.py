"""Functions and macros in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carepolicy.guards.inwords import Words

SAID_CALLS: dict[tuple[str, int], tuple[str, str]] = {
    ("has", 1): ("{0} is known", "{0} is not known"),
    ("size", 1): ("size of {0}", "size of {0}"),
    ("startsWith", 2): ("{0} starts with {1}", "{0} does not start with {1}"),
    ("endsWith", 2): ("{0} ends with {1}", "{0} does not end with {1}"),
    ("contains", 2): ("{0} contains {1}", "{0} does not contain {1}"),
    ("matches", 2): ("{0} matches {1}", "{0} does not match {1}"),
    ("lowerAscii", 1): ("{0} in small letters", "{0} in small letters"),
    ("upperAscii", 1): ("{0} in capitals", "{0} in capitals"),
    ("int", 1): ("{0} as a whole number", "{0} as a whole number"),
    ("double", 1): ("{0} as a number", "{0} as a number"),
    ("string", 1): ("{0} as text", "{0} as text"),
    ("timestamp", 1): ("{0}", "{0}"),
    ("date", 1): ("{0}", "{0}"),
    ("duration", 1): ("{0}", "{0}"),
}
"""By name and number of what is given, the receiver of a method first: what holds, and its opposite."""

_AMOUNT = re.compile(r"([0-9.]+)(h|ms|us|ns|m|s)")
_UNITS = {"h": "hour", "m": "minute", "s": "second", "ms": "millisecond", "us": "microsecond", "ns": "nanosecond"}

_SAID_MACROS = {
    "all": "for every {1} of {0}, {2}",
    "exists": "for some {1} of {0}, {2}",
    "exists_one": "for exactly one {1} of {0}, {2}",
    "map": "{2} for every {1} of {0}",
    "filter": "every {1} of {0} where {2}",
}


def said_macro(words: Words, node: Any) -> str | None:
    """A macro over a list in words; None for every other call."""
    if node.data != "member_dot_arg" or len(node.children) < 3:
        return None
    pattern, given = _SAID_MACROS.get(str(node.children[1])), node.children[2].children
    if pattern is None or len(given) != 2:
        return None
    return pattern.format(words.of(node.children[0]), words.of(given[0]), words.of(given[1]))


def said_span(node: Any, text: str) -> str:
    """What stands in the text at a node, as it is written."""
    return text[node.meta.start_pos : node.meta.end_pos].strip()


def said_duration(text: str) -> str:
    """``1h30m`` as 1 hour 30 minutes."""
    amounts = _AMOUNT.findall(text)
    return " ".join(f"{amount} {_UNITS[unit]}{'s' * (amount != '1')}" for amount, unit in amounts) or text
