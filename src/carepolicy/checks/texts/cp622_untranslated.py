"""CP622: texts of the set that a catalogue does not translate, or not any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.places import Place
from carepolicy.policy.translations import SCENARIOS

if TYPE_CHECKING:
    from carepolicy.policy.phrases import Phrase

SHOWN = 3
"""How many places are named; `carepolicy texts check` names all."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """One finding a language with what is not translated, and one with what nothing in the set asks for."""
    for each in checked.translated:
        place = Place(each.files[0], 1, 1, 1, 1)
        hint = f"`carepolicy texts update {each.language}` lays them down, `texts check {each.language}` names all"
        lacking = [f"{len(each.missing)} not translated" * bool(each.missing)]
        lacking += [f"{len(each.stale)} translated for another text, or marked as fuzzy" * bool(each.stale)]
        told = ", ".join(word for word in lacking if word)
        if told:
            first = _places(checked, (*each.missing, *each.stale))
            message = f"of {each.total} texts in {quoted(each.language)} {told}: {first}"
            yield Finding(CODE, message, place, hint, Severity.WARNING)
        extra = [(file, entry) for file, entry in each.extra if SCENARIOS not in entry.context]
        if extra:
            file, entry = extra[0]
            where = Place(file, entry.line, 1, entry.line, len("msgid") + 1)
            more = f", and {len(extra) - 1} more here" if len(extra) > 1 else ""
            message = f"there is no text {quoted(entry.context)} in the set any more{more}"
            yield Finding(
                CODE, message, where, hint.partition(",")[0].replace("them", "what there is"), Severity.WARNING
            )
    yield from checked.own_findings(CODE)


def _places(checked: CheckedSet, phrases: Sequence[Phrase]) -> str:
    places = [(checked.place(each.at), each.text) for each in phrases[:SHOWN]]
    shown = [f"{place.file}:{place.line} {quoted(text)}" for place, text in places]
    return ", ".join([*shown, *(["…"] if len(phrases) > SHOWN else [])])


CODE = "CP622"
RULE = Rule(
    CODE,
    "text without a translation",
    "Where a set has a catalogue for a language, every title, step and other text for people has an entry there with a "
    "translation that was made for the text as it is now: else those who read that language are shown the set's first. "
    "`carepolicy texts update` lays down what is new, and marks what changed as fuzzy; a translator takes the mark "
    "away.",
    'msgctxt "flows.email_inquiry.states.answered.title"\nmsgid "Answered"\nmsgstr ""\n',
    'msgctxt "flows.email_inquiry.states.answered.title"\nmsgid "Answered"\nmsgstr "Répondu"\n',
    find,
    Severity.WARNING,
)
