"""Public holidays of countries and their subdivisions, by the library ``holidays``."""

from __future__ import annotations

from carepolicy.businesstime.errors import CalendarError
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
    from difflib import get_close_matches

    import holidays

    supported = holidays.list_supported_countries(include_aliases=True)
    if spec.country not in supported:
        codes = get_close_matches(spec.country.upper(), supported, 3, 0.5)
        hint = f"nearest: {', '.join(codes)}" if codes else "write the ISO 3166 code of a country, such as GB"
        return CalendarError(
            f"no public holidays are known for the country `{spec.country}`", hint, spec.at / "country"
        )
    parts = supported[spec.country]
    near = get_close_matches((spec.subdivision or "").upper(), parts, 3, 0.3) or parts[:8]
    hint = f"nearest: {', '.join(near)}" if near else f"{spec.country} has no subdivisions here: leave it out"
    return CalendarError(f"`{spec.subdivision}` is not a subdivision of {spec.country}", hint, spec.at / "subdivision")
