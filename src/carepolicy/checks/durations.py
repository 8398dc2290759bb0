"""Lengths of time that stand in a text in so many words: "within 3 business hours", « sous trois heures ouvrées »."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from carepolicy.businesstime import LimitError, parse_limit
from carepolicy.businesstime.wording import WORDS
from carepolicy.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.businesstime import Limit


class Duration(NamedTuple):
    """A length of time in a text, with its offsets. ``promised``: a word before it says by when, and the sentence is
    about us, not about what the customer is to do."""

    limit: Limit
    start: int
    end: int
    promised: bool


class Language(NamedTuple):
    """What sentences are made of. ``more`` are units by other words; ``small`` the numbers from one on; the rest are
    patterns: words before a time, words between these and it, words that speak of us, and of the customer's part."""

    more: dict[str, str]
    small: tuple[str, ...]
    by_when: str
    between: str
    ours: str
    theirs: str


LANGUAGES = {
    "en": Language(
        {"working hours?": "business hour", "working days?": "business day", "hrs?|h": "hour", "mins?": "minute"},
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        "within|in|inside|under|by|no later than|less than",
        "the|next|about|at|most|only|just|less|than|under",
        r"\bwe\b|\bour\b|\byou(?:'ll| will| have| hear| get)\b",
        r"\bif you\b|\bplease\b|\byou (?:can|may|must|need)\b|\breturn\b|\bsend (?:it )?back\b",
    ),
    "fr": Language(
        {"heures? ouvrables?": "business hour", "jours? ouvrables?": "business day", "h": "hour", "min": "minute"},
        ("une?", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
        "sous|dans|en|d'ici|avant|moins de|délai de",
        "les?|la|un|délai|de|au|plus|prochaine?s?|moins|maximum",
        r"\bnous\b|\bnotre\b|\bnos\b|\bvous (?:aurez|recevrez|avez)\b",
        r"\bsi vous\b|\bveuillez\b|\bvous (?:pouvez|devez)\b|\bretour",
    ),
    "de": Language(
        {"Arbeitstage?n?|Werktage?n?": "business day", "Std\\.?|h": "hour", "Tagen": "day", "Jahren": "year"},
        ("eine[rmns]?", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
        "innerhalb|binnen|in|unter|weniger als",
        "von|der|den|nächsten|etwa|höchstens|weniger|als",
        r"\bwir\b|\bunser\w*\b|\bSie (?:erhalten|bekommen|hören)\b",
        r"\bwenn Sie\b|\bfalls Sie\b|\bbitte\b|\bSie (?:können|müssen)\b",
    ),
    "es": Language(
        {"días? hábil(?:es)?": "business day", "horas? hábil(?:es)?": "business hour", "h": "hour"},
        ("una?", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
        "en|dentro de|antes de|plazo de|menos de",
        "los|las|el|la|un|plazo|de|próxim[oa]s|unas|unos|máximo|menos",
        r"\bnos\b|\bnuestr\w+\b|\w+(?:emos|amos|imos)\b|\b(?:recibirá|tendrá)\b",
        r"\bsi usted\b|\bpor favor\b|\bpuede\b|\bdebe\b",
    ),
    "nl": Language(
        {"uren": "hour", "u": "hour", "kantooru(?:ur|ren)": "business hour"},
        ("een|één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf", "twaalf"),
        "binnen|in|minder dan",
        "de|het|komende|volgende|ongeveer|hooguit|minder|dan",
        r"\bwe\b|\bwij\b|\bons\b|\bonze\b|\bu (?:krijgt|ontvangt|hoort)\b",
        r"\bals u\b|\balstublieft\b|\bu (?:kunt|moet)\b",
    ),
}
"""The languages in which limits are told in words of their own; in others no time in a text is read."""


def durations(text: str, language: str) -> Iterator[Duration]:
    """The lengths of time in a text, in order; none in a language that is not known here."""
    code = language.split("-")[0].split("_")[0]
    if code not in LANGUAGES:
        return
    pattern, units = _pattern(code)
    known = LANGUAGES[code]
    for found in pattern.finditer(text):
        limit = _limit(found, units, known)
        if limit is None:
            continue
        before = re.split(r"[.!?:;]\s|\n\s*\n", text[: found.start()])[-1]
        sentence = before + re.split(r"[.!?;](?:\s|$)|\n\s*\n", text[found.start() :])[0]
        promised = (
            re.search(rf"(?:\b|(?<=\s))(?:{known.by_when})\s+(?:(?:{known.between})\s+)*$", before, re.I) is not None
            and re.search(known.ours, sentence, re.I) is not None
            and re.search(known.theirs, sentence, re.I) is None
        )
        yield Duration(limit, found.start(), found.end(), promised)


@cache
def _pattern(code: str) -> tuple[re.Pattern[str], tuple[tuple[re.Pattern[str], str], ...]]:
    known = LANGUAGES[code]
    words = {unit: "|".join(re.escape(form.replace("{} ", "")) for form in forms.split("|"))
             for unit, forms in WORDS[code].items() if unit not in ("less than", "close of business day")}  # fmt: skip
    units = [(form, unit) for unit, form in words.items()] + list(known.more.items())
    units.sort(key=lambda each: -len(each[0]))
    spoken = "|".join((*(form for _, form in sorted(enumerate(known.small), reverse=True)),))
    unit = "|".join(f"(?:{form})" for form, _ in units)
    pattern = re.compile(rf"(?<![\w.,])(?P<number>\d{{1,4}}(?:[.,]\d{{1,2}})?|{spoken})\s*(?P<unit>{unit})(?!\w)", re.I)
    return pattern, tuple((re.compile(form, re.I), unit) for form, unit in units)


def _limit(found: re.Match[str], units: tuple[tuple[re.Pattern[str], str], ...], known: Language) -> Limit | None:
    number = found["number"].replace(",", ".")
    if not number[0].isdecimal():
        if found["unit"] and not found.group()[len(found["number"])].isspace():
            return None  # "oneh" is no time
        spoken = (n for n, form in enumerate(known.small, 1) if re.fullmatch(form, found["number"], re.I))
        number = str(next(spoken))
    unit = next(unit for pattern, unit in units if pattern.fullmatch(found["unit"]))
    try:
        return parse_limit(f"{number} {unit}s")
    except LimitError:
        return None
