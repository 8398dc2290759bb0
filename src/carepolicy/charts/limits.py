"""A limit as people read it: settings filled in, a fact called by its title, in the words of a language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from carepolicy.charts.labels import labels_of
from carepolicy.charts.text import clean, humanised

if TYPE_CHECKING:
    from carepolicy.policy.model import Organisation

_SETTING = re.compile(r"\bsettings\.(\w+)")


def fact_title(organisation: Organisation, name: str) -> str:
    """The title of a fact, else its name as words."""
    fact = organisation.facts.get(name)
    return clean(fact.title) if fact is not None and fact.title else humanised(name)


def settled(organisation: Organisation, text: str) -> str:
    """A text of the policy with the values of its settings filled in."""

    def value(match: re.Match[str]) -> str:
        setting = organisation.settings.get(match[1])
        return humanised(match[1]) if setting is None else str(setting.value)

    return clean(_SETTING.sub(value, text))


def limit_told(organisation: Organisation, text: str, language: str) -> str:
    """A limit in words: "3 business hours", "until “Day of shipping”"; what is no limit ("50%") stays as it is."""
    from carepolicy.businesstime import LimitError, parse_limit

    said = settled(organisation, text)
    try:
        parsed = parse_limit(said)
    except LimitError:
        return said
    if parsed.fact is None:
        return _plain(said, language)
    labels = labels_of(language)
    fact = labels.quoted.format(fact_title(organisation, parsed.fact))
    if parsed.offset is None:
        told = labels.until.format(fact)
    else:
        beside = labels.before if parsed.direction < 0 else labels.past
        told = beside.format(_plain(str(parsed.offset), language), fact)
    return labels.less_than.format(told) if parsed.strict else told


def _plain(limit: str, language: str) -> str:
    """A limit that hangs on no fact. English is as the policy has it, which is English."""
    from carepolicy.businesstime.words import limit_in_words

    return limit if language.split("-")[0] == "en" else limit_in_words(limit, language)
