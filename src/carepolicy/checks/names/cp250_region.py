"""CP250: a region that there is not, and telephone numbers of which nobody knows the country."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.addresses import PHONE, is_region, regions
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.likeness import sole
from carepolicy.policy.region import region_of

USUAL = {"UK": "GB", "EN": "GB", "UN": "US"}
"""What countries are called that have another code."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``region:``, where it is written; else the first fact that is a telephone number, where nothing says a region."""
    organisation = checked.organisation
    numbers = [fact for fact in organisation.facts.values() if PHONE in (fact.type, fact.item)]
    region = organisation.region
    if region is not None:
        if not is_region(region):
            near = USUAL.get(region) or sole(region, regions())
            hint = f'did you mean "{near}"?' if near else "write the ISO 3166 code of a country, such as GB"
            text = f"there are no telephone numbers of the region {quoted(region)}"
            yield Finding(CODE, text, checked.place(organisation.at / "region"), hint, replacement=near)
    elif numbers and region_of(organisation) is None:
        text = f'"{numbers[0].name}" is a telephone number, and nothing says of which country one without a country is'
        hint = "add region: GB (the ISO 3166 code of your country) to organisation.yaml"
        yield Finding(CODE, text, checked.key_place(numbers[0].at), hint, Severity.WARNING)


CODE = "CP250"
RULE = Rule(
    CODE,
    "region is none",
    "region: is the country of telephone numbers that do not name theirs, by its ISO 3166 code. Left out, it is that "
    "of the holidays of the default calendar, else that of the time zone. Where there is none (timezone: UTC), only "
    "numbers that begin with + and a country are taken, which is warned of.",
    "region: UK\n",
    "region: GB\n",
    find,
)
