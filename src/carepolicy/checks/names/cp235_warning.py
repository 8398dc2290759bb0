"""CP235: a warning that is no share of the limit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.vocabulary import share_meant

_SHARE = re.compile(r"\s*(\d{1,3}(?:\.\d{1,4})?)\s*%\s*")


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Entries of ``warn_at`` that are no percentage above 0 % and below 100 %."""
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            for number, text in enumerate(clock.warn_at):
                share = _SHARE.fullmatch(text)
                if share is None or not 0 < Fraction(share[1]) < 100:
                    meant = share_meant(text)
                    usual = meant is None or meant == "100%"
                    hint = "write a percentage above 0% and below 100%, such as 80%" if usual else f"write {meant}"
                    place = checked.place(clock.at / "warn_at" / number)
                    yield Finding(CODE, f'"{text}" is no share of the limit', place, hint)


CODE = "CP235"
RULE = Rule(
    CODE,
    "warning is no share of the limit",
    "A clock warns when a share of its limit is used, above 0 % and below 100 %: at 100 % it is late, which has "
    "an event of its own.",
    "clocks:\n  first_reply: {warn_at: [120%]}\n",
    "clocks:\n  first_reply: {warn_at: [80%]}\n",
    find,
)
