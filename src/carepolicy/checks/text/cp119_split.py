"""CP119: a sentence with a comma in it that became two entries of a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.places import At, Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Steps in one line of which one does not end like a sentence, and the next goes on with a small letter."""
    for flow in checked.flows.values():
        for state in flow.states.values():
            yield from _of(checked, state.steps, state.at / "steps")
    for way in checked.ways:
        yield from _of(checked, way.transition.steps, way.transition.at / "steps")


def _of(checked: CheckedSet, steps: Sequence[str], at: At) -> Iterator[Finding]:
    first = 0
    while first < len(steps) - 1:
        last = first
        while last + 1 < len(steps) and _goes_on(steps[last], steps[last + 1]):
            last += 1
        if last > first and steps[first][:1].isupper():
            place = _in_one_line(checked, at, first, last)
            if place is not None:
                text = f"a comma makes {last - first + 1} steps of this"
                hint = f"if it is one, put quotes around it: {quoted(', '.join(steps[first : last + 1]))}"
                yield Finding(CODE, text, place, hint, Severity.WARNING)
        first = last + 1


def _goes_on(step: str, after: str) -> bool:
    return step[-1:] not in (*".!?:;…)", "") and after[:1].islower()


def _in_one_line(checked: CheckedSet, at: At, first: int, last: int) -> Place | None:
    """The place of some steps that stand in one line between brackets and without quotes."""
    places = [checked.place(at / number) for number in range(first, last + 1)]
    if len({place.file for place in places}) > 1:
        return None
    source = checked.files_read[places[0].file]
    line = source.text.split("\n")[places[0].line - 1]
    begins = [line[each.column - 1 : each.column] for each in places]
    opened = checked.place(at)
    if {each.end_line for each in places} != {places[0].line} or any(each in "'\"" for each in begins):
        return None
    if source.text.split("\n")[opened.line - 1][opened.column - 1 : opened.column] != "[":
        return None
    return places[0]._replace(end_column=places[-1].end_column)


CODE = "CP119"
RULE = Rule(
    CODE,
    "comma splits a step in two",
    "In [one, two] each comma begins the next entry, also one in the middle of a sentence: of "
    "[Unpack, look and enjoy.] the second step is that people enjoy. Put quotes around a text with a comma in it, "
    "or write each step on a line of its own, behind a dash.",
    "anywhere:\n  customer_thanked: {note: Nothing to do., steps: [Smile, wave and go on.]}\n",
    'anywhere:\n  customer_thanked: {note: Nothing to do., steps: ["Smile, wave and go on."]}\n',
    find,
    Severity.WARNING,
)
