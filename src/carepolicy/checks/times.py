"""Lengths of time in texts of several languages: "within 3 business hours", « sous trois heures ouvrées »."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.businesstime import LimitError, parse_limit
from carepolicy.businesstime.words import LENGTHS
from carepolicy.translations import translation_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.businesstime import Limit


class Duration(NamedTuple):
    """A length of time in a text, with its offsets. ``within``: a word before it says by when, and the sentence is not
    about what the customer may do or is to do. ``promised``: it is about us as well."""

    limit: Limit
    start: int
    end: int
    within: bool
    promised: bool


class TimeWords(NamedTuple):
    """What sentences are made of. ``more`` are units by other words; ``small`` the numbers from one on; the rest are
    patterns: words before a time, words between these and it, words that speak of us, and of the customer's part."""

    more: dict[str, str]
    small: tuple[str, ...]
    by_when: str
    between: str
    ours: str
    theirs: str


LANGUAGES = {
    "en": TimeWords(
        {"working hours?": "business hour", "working days?": "business day", "hrs?|h": "hour", "mins?": "minute"},
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        "within|in|inside|under|by|no later than|less than",
        "the|next|about|at|most|only|just|less|than|under",
        r"\bwe\b|\bour\b|\byou(?:'ll| will| have| hear| get)\b",
        r"\bif you\b|\bplease\b|\byou (?:can|may|must|need)\b|\breturn\b|\bsend (?:it )?back\b",
    ),
    "fr": TimeWords(
        {"heures? ouvrables?": "business hour", "jours? ouvrables?": "business day", "h": "hour", "min": "minute"},
        ("une?", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
        "sous|dans|en|d'ici|avant|moins de|délai de",
        "les?|la|un|délai|de|au|plus|prochaine?s?|moins|maximum",
        r"\bnous\b|\bnotre\b|\bnos\b|\bvous (?:aurez|recevrez|avez)\b",
        r"\bsi vous\b|\bveuillez\b|\bvous (?:pouvez|devez)\b|\bretour",
    ),
    "de": TimeWords(
        {
            "Arbeitstage?n?|Werktage?n?": "business day",
            "Std\\.?|h": "hour",
        },
        ("eine[rmns]?", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
        "innerhalb|binnen|in|unter|weniger als",
        "von|der|den|nächsten|etwa|höchstens|weniger|als",
        r"\bwir\b|\bunser\w*\b|\bSie (?:erhalten|bekommen|hören)\b",
        r"\bwenn Sie\b|\bfalls Sie\b|\bbitte\b|\bSie (?:können|müssen)\b",
    ),
    "es": TimeWords(
        {"días? hábil(?:es)?": "business day", "horas? hábil(?:es)?": "business hour", "h": "hour"},
        ("una?", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
        "en|dentro de|antes de|plazo de|menos de",
        "los|las|el|la|un|plazo|de|próxim[oa]s|unas|unos|máximo|menos",
        r"\bnos\b|\bnuestr\w+\b|\w+(?:emos|amos|imos)\b|\b(?:recibirá|tendrá)\b",
        r"\bsi usted\b|\bpor favor\b|\bpuede\b|\bdebe\b",
    ),
    "it": TimeWords(
        {
            "or[ae] lavorativ[ae]": "business hour",
            "giorn[oi] lavorativ[oi]": "business day",
            "second[oi]": "second",
            "minut[oi]": "minute",
            "or[ae]": "hour",
            "giorn[oi]": "day",
            "settiman[ae]": "week",
            "mes[ei]": "month",
            "ann[oi]": "year",
        },
        ("un[oa]?", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci", "undici", "dodici"),
        "entro|in|tra|fra|nel giro di|meno di",
        "i|le|il|la|prossim[ie]|circa|massimo|al|meno|di",
        r"\w+iamo\b|\bnostr\w+\b|\b(?:riceve|riceverà|riceverete|avrà|avrete)\b",
        r"\bse (?:lei|voi|non|vuole)\b|\bper favore\b|\b(?:può|puoi|potete|deve|dovete)\b|\brestitu\w+",
    ),
    "pt": TimeWords(
        {
            "horas? (?:úteis|útil)": "business hour",
            "dias? (?:úteis|útil)": "business day",
            "segundos?": "second",
            "minutos?": "minute",
            "horas?": "hour",
            "h": "hour",
            "dias?": "day",
            "semanas?": "week",
            "mês|meses": "month",
            "anos?": "year",
        },
        ("uma?", "dois|duas", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze"),
        "em|dentro de|no prazo de|até|antes de|menos de",
        "os|as|o|a|um|prazo|até|próxim[oa]s|cerca|de|máximo|no|menos",
        r"\bnós\b|\bnoss\w+\b|\w+(?:emos|amos|imos)\b|\b(?:receberá|recebe|terá)\b",
        r"\bse (?:você|o senhor|a senhora|não|quiser)\b|\bpor favor\b|\b(?:pode|podem|deve|devem)\b|\bdevolv\w+",
    ),
    "pl": TimeWords(
        {
            "godzin(?:a|y|ę)? robocz(?:a|e|ą|ych)": "business hour",
            "(?:dni|dzień|dnia) robocz(?:e|y|ego|ych)": "business day",
            "sekund[aęy]?": "second",
            "minut[aęy]?": "minute",
            "godzin[aęy]?": "hour",
            "dni|dzień|dnia": "day",
            "tydzień|tygodni[ae]?|tygodniu": "week",
            "miesiąc[ae]?|miesięcy": "month",
            "rok|roku|lata|lat": "year",
        },
        (
            "jed(?:en|n[aąe]|nego)",
            "dw(?:a|ie|óch)",
            "trz(?:y|ech)",
            "czter(?:y|ech)",
            "pię(?:ć|ciu)",
            "sześ(?:ć|ciu)",
            "siedem|siedmiu",
            "osiem|ośmiu",
            "dziewię(?:ć|ciu)",
            "dziesię(?:ć|ciu)",
            "jedenaś(?:cie|tu)",
            "dwanaś(?:cie|tu)",
        ),
        "w ciągu|w|do|za|przed upływem|nie później niż w ciągu",
        r"najbliższ\w+|kolejnych|następnych|około|maksymalnie|najwyżej",
        r"\w+(?:emy|imy|ymy|amy)\b|\bnasz\w*\b|\b(?:otrzyma|otrzymasz|otrzymają|dostanie|dostaniesz)\b",
        r"\b(?:jeśli|jeżeli|prosimy|proszę|można|może|możesz|możecie|musi|musisz)\b",
    ),
    "nl": TimeWords(
        {"uren": "hour", "u": "hour", "kantooru(?:ur|ren)": "business hour"},
        ("een|één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf", "twaalf"),
        "binnen|in|minder dan",
        "de|het|komende|volgende|ongeveer|hooguit|minder|dan",
        r"\bwe\b|\bwij\b|\bons\b|\bonze\b|\bu (?:krijgt|ontvangt|hoort)\b",
        r"\bals u\b|\balstublieft\b|\bu (?:kunt|moet)\b",
    ),
}
"""The languages in which times are read in texts; in others none is."""


class TimesInTexts:
    """Reads lengths of time in texts. The patterns of a language are made when it is first read."""

    def __init__(self) -> None:
        self._patterns: dict[str, tuple[re.Pattern[str], tuple[tuple[re.Pattern[str], str], ...]]] = {}

    def durations(self, text: str, language: str) -> Iterator[Duration]:
        """The lengths of time in a text, in order; none in a language that is not known here."""
        code = language.split("-")[0].split("_")[0]
        if code not in LANGUAGES:
            return
        if code not in self._patterns:
            self._patterns[code] = _pattern(code)
        pattern, units = self._patterns[code]
        known = LANGUAGES[code]
        for found in pattern.finditer(text):
            limit = _limit(found, units, known)
            if limit is None:
                continue
            before = re.split(r"[.!?:;]\s|\n\s*\n", text[: found.start()])[-1]
            sentence = before + re.split(r"[.!?;](?:\s|$)|\n\s*\n", text[found.start() :])[0]
            by_when = rf"(?:\b|(?<=\s))(?:{known.by_when})\s+(?:(?:{known.between})\s+)*$"
            within = re.search(by_when, before, re.I) is not None and re.search(known.theirs, sentence, re.I) is None
            ours = re.search(known.ours, sentence, re.I) is not None
            yield Duration(limit, found.start(), found.end(), within, within and ours)


def _pattern(code: str) -> tuple[re.Pattern[str], tuple[tuple[re.Pattern[str], str], ...]]:
    known = LANGUAGES[code]
    lengths = [unit for unit in LENGTHS if unit != "close of business day"]
    units = [(re.escape(form), unit) for unit in lengths for form in _forms(code, unit)] + list(known.more.items())
    units.sort(key=lambda each: (-len(each[0]), each[0]))
    spoken = "|".join((*(form for _, form in sorted(enumerate(known.small), reverse=True)),))
    unit = "|".join(f"(?:{form})" for form, _ in units)
    pattern = re.compile(rf"(?<![\w.,])(?P<number>\d{{1,4}}(?:[.,]\d{{1,2}})?|{spoken})\s*(?P<unit>{unit})(?!\w)", re.I)
    return pattern, tuple((re.compile(form, re.I), unit) for form, unit in units)


def _forms(code: str, unit: str) -> set[str]:
    """A unit in a language, in all numbers and cases."""
    words, phrase = translation_of(code), LENGTHS[unit]
    known = [case for case in ("", *words.cases) if not case or words.has(case, phrase.forms[0])]
    return {form.replace("{} ", "") for case in known for form in words.counted(phrase.in_context(case)).forms}


def _limit(found: re.Match[str], units: tuple[tuple[re.Pattern[str], str], ...], known: TimeWords) -> Limit | None:
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
