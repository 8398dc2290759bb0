"""Public holidays of countries and their subdivisions, by the library ``holidays``."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from carepolicy.businesstime.errors import CalendarError
from carepolicy.policy.vocabulary import country_called, spelt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carepolicy.policy.model import Holidays


def holiday_names(spec: Holidays, first_year: int, last_year: int) -> dict[int, str]:
    """What the holidays are called, by the ordinal of their date, in the country's own default language.

    A year that the library does not know for the country has no public holidays; ``also`` dates hold in
    every year. Raises ``CalendarError`` for a country or subdivision that the library does not know.
    """
    import holidays

    years = range(first_year, last_year + 1)
    try:
        found = holidays.country_holidays(spec.country, subdiv=spec.subdivision, years=years)
    except (NotImplementedError, KeyError, AttributeError):
        raise _unknown(spec) from None
    names = {day.toordinal(): f"public holiday: {name}" for day, name in found.items() if day.year in years}
    for day in spec.except_:
        names.pop(day.toordinal(), None)
    for day in spec.also:
        names.setdefault(day.toordinal(), "additional holiday")
    return names


def check_holidays(spec: Holidays) -> None:
    """Raise ``CalendarError`` for a country or subdivision that is not known."""
    import holidays

    supported = holidays.list_supported_countries(include_aliases=True)
    if spec.country not in supported:
        raise _unknown(spec)
    if spec.subdivision is not None and spec.subdivision not in supported[spec.country]:
        raise _unknown(spec)


def _unknown(spec: Holidays) -> CalendarError:
    import holidays

    supported = holidays.list_supported_countries(include_aliases=True)
    if spec.country not in supported:
        said = f"no public holidays are known for the country `{spec.country}`"
        return CalendarError(said, _country_hint(spec.country, supported), spec.at / "country")
    hint = _subdivision_hint(spec, supported[spec.country])
    return CalendarError(f"`{spec.subdivision}` is not a subdivision of {spec.country}", hint, spec.at / "subdivision")


def _country_hint(written: str, supported: Mapping[str, Sequence[str]]) -> str:
    called = country_called(written)
    if called is not None and called in supported:
        return f"write {called}"
    codes = get_close_matches(written.upper(), supported, 3, 0.5) if len(written) < 4 else []
    return f"nearest: {', '.join(codes)}" if codes else "write the ISO 3166 code of a country, such as GB"


def _subdivision_hint(spec: Holidays, codes: Sequence[str]) -> str:
    """The code of a subdivision that was written by its name; else the codes that are near, and what they stand for."""
    import holidays

    said = spelt(spec.subdivision or "")
    if not codes:
        return f"{spec.country} has no subdivisions here: leave it out"
    aliases: dict[str, str] = getattr(holidays.country_holidays(spec.country), "subdivisions_aliases", {})
    named = {spelt(name): code for name, code in aliases.items()}
    near = [named[each] for each in get_close_matches(said, named, 1, 0.75)]
    if said in named or near:
        return f"write {named.get(said) or near[0]}"
    called = {code: name for name, code in reversed(aliases.items())}
    by_letters = get_close_matches(said.upper(), codes, 3, 0.3) if len(said) < 4 else []
    shown = [f"{code} ({called[code]})" if code in called else code for code in by_letters or codes[:MOST_TOLD]]
    return f"{'nearest' if by_letters else 'known here'}: {', '.join(shown)}"


MOST_TOLD = 20
"""Subdivisions that a hint lists: no country of Europe has many more."""
