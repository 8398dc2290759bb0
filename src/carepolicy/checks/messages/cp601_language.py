"""CP601: a message that is not written in a language of the set."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Languages without a file, and templates that are sent and lack in the file of some language.

    One that lacks in the first language is CP206's.
    """
    languages = checked.organisation.languages
    known = [each for each in languages if each in checked.messages]
    if not known:  # a set without texts of its own
        return
    for number, language in enumerate(languages):
        # Where a file bears an undeclared language, one of the two is misspelt, which CP209 tells.
        if language not in checked.messages and checked.messages.keys() <= set(languages):
            place = checked.place(checked.organisation.at / "languages" / number)
            hint = f"write messages/{language}.yaml, or take the language away"
            yield Finding(CODE, f'there are no messages in "{language}"', place, hint, Severity.WARNING)
    written = checked.messages.get(languages[0], {})
    for name in checked.senders:
        lacking = [each for each in known if name not in checked.messages[each]]
        if name in written and lacking:
            hint = "write it in " + " and ".join(f"messages/{each}.yaml" for each in lacking)
            text = f'"{name}" is not written in {" and ".join(lacking)}'
            yield Finding(CODE, text, checked.key_place(written[name].at), hint, Severity.WARNING)


CODE = "CP601"
RULE = Rule(
    CODE,
    "missing language",
    "Every message that is sent is written in every language that organisation.yaml declares under languages:. Where "
    "the customer's own is missing, the first language is sent, which the customer may not read.",
    "languages: [en, fr, de]\n",
    "languages: [en, fr]\n",
    find,
    Severity.WARNING,
)
