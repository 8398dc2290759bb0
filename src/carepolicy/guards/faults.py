"""What may be wrong with an expression, and the pages of its codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from carepolicy.policy.findings import quoted

PARSE, NAME, TYPE, VALUE, CALL, RESULT, SIZE = "CP210", "CP211", "CP212", "CP213", "CP214", "CP215", "CP216"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an expression; ``start`` and ``end`` are offsets in its text, in characters."""

    code: str
    message: str
    hint: str
    start: int
    end: int
    replacement: str | None = None


class ExpressionError(ValueError):
    """An expression that cannot be compiled; ``faults`` says why."""

    def __init__(self, text: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{faults[0].message} in {quoted(text)}")
        self.faults = faults


class Code(NamedTuple):
    """A code's page: what it means, an expression that gets it, and one that does not."""

    title: str
    meaning: str
    bad: str
    good: str


CODES: dict[str, Code] = {
    PARSE: Code(
        "expression cannot be read",
        "Guards and expressions are written in CEL: == compares, && is and, || is or, ! is not; texts stand in quotes.",
        'when: customer.tier = "gold"',
        'when: customer.tier == "gold"',
    ),
    NAME: Code(
        "unknown name in an expression",
        "An expression may name facts of organisation.yaml, settings.NAME, event.FACT where an event brings it, "
        "case.age, case.visits.STATE, clock.NAME.left and clock.NAME.late, and nothing else.",
        "when: order.totl > 100",
        "when: order.total > 100",
    ),
    TYPE: Code(
        "types do not go together",
        "Two values are compared or calculated with that are not of one kind: a number with a text, a date with an "
        "instant, amounts of two currencies. Money goes with numbers.",
        'when: order.total > "100"',
        "when: order.total > 100",
    ),
    VALUE: Code(
        "value that the choice does not have",
        "A choice is compared with a text that is none of its values, so the comparison could never hold.",
        'when: customer.tier == "golden"',
        'when: customer.tier == "gold"',
    ),
    CALL: Code(
        "unknown function, or wrong arguments",
        "Functions are size, startsWith, endsWith, contains, matches, lowerAscii, upperAscii, has, timestamp, "
        "duration, date, int, double, string, and on lists all, exists, exists_one, map, filter.",
        'when: customer.email.beginsWith("a")',
        'when: customer.email.startsWith("a")',
    ),
    RESULT: Code(
        "result is not what is wanted here",
        "A guard must be true or false; a fact can be set only to a value of its own type.",
        "when: order.total",
        "when: order.total > 0",
    ),
    SIZE: Code(
        "expression is too long or too deep",
        "An expression has 2,000 characters, 24 levels of brackets and 60 levels of operators at most, and two of all, "
        "exists, exists_one, map and filter in each other. Longer ones are better told as several transitions. A "
        "regular expression must be one that RE2 can read, within a megabyte.",
        'when: customer.name.matches("(unclosed")',
        'when: customer.name.matches("^[A-Z]")',
    ),
}
