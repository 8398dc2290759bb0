"""Limits in a customer's language: "3 business hours", "3 heures ouvrées", "moins de 2 jours ouvrés"."""

from __future__ import annotations

from functools import lru_cache

from carepolicy.policy.limit import Limit, parse_limit

FALLBACK = "en"
"""A language without words of ours is told the limit in this one."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "second": "{} second|{} seconds",
        "minute": "{} minute|{} minutes",
        "hour": "{} hour|{} hours",
        "day": "{} day|{} days",
        "week": "{} week|{} weeks",
        "month": "{} month|{} months",
        "year": "{} year|{} years",
        "business second": "{} business second|{} business seconds",
        "business minute": "{} business minute|{} business minutes",
        "business hour": "{} business hour|{} business hours",
        "business day": "{} business day|{} business days",
        "close of business day": "the close of business on the next business day|"
        "the close of business in {} business days",
        "less than": "less than {}",
    },
    "fr": {
        "second": "{} seconde|{} secondes",
        "minute": "{} minute|{} minutes",
        "hour": "{} heure|{} heures",
        "day": "{} jour|{} jours",
        "week": "{} semaine|{} semaines",
        "month": "{} mois|{} mois",
        "year": "{} an|{} ans",
        "business second": "{} seconde ouvrée|{} secondes ouvrées",
        "business minute": "{} minute ouvrée|{} minutes ouvrées",
        "business hour": "{} heure ouvrée|{} heures ouvrées",
        "business day": "{} jour ouvré|{} jours ouvrés",
        "close of business day": "la fermeture du prochain jour ouvré|la fermeture dans {} jours ouvrés",
        "less than": "moins de {}",
    },
    "de": {
        "second": "{} Sekunde|{} Sekunden",
        "minute": "{} Minute|{} Minuten",
        "hour": "{} Stunde|{} Stunden",
        "day": "{} Tag|{} Tage",
        "week": "{} Woche|{} Wochen",
        "month": "{} Monat|{} Monate",
        "year": "{} Jahr|{} Jahre",
        "business second": "{} Sekunde Geschäftszeit|{} Sekunden Geschäftszeit",
        "business minute": "{} Minute Geschäftszeit|{} Minuten Geschäftszeit",
        "business hour": "{} Stunde Geschäftszeit|{} Stunden Geschäftszeit",
        "business day": "{} Geschäftstag|{} Geschäftstage",
        "close of business day": "Geschäftsschluss am nächsten Geschäftstag|Geschäftsschluss in {} Geschäftstagen",
        "less than": "weniger als {}",
    },
    "es": {
        "second": "{} segundo|{} segundos",
        "minute": "{} minuto|{} minutos",
        "hour": "{} hora|{} horas",
        "day": "{} día|{} días",
        "week": "{} semana|{} semanas",
        "month": "{} mes|{} meses",
        "year": "{} año|{} años",
        "business second": "{} segundo laborable|{} segundos laborables",
        "business minute": "{} minuto laborable|{} minutos laborables",
        "business hour": "{} hora laborable|{} horas laborables",
        "business day": "{} día laborable|{} días laborables",
        "close of business day": "el cierre del próximo día laborable|el cierre dentro de {} días laborables",
        "less than": "menos de {}",
    },
    "nl": {
        "second": "{} seconde|{} seconden",
        "minute": "{} minuut|{} minuten",
        "hour": "{} uur|{} uur",
        "day": "{} dag|{} dagen",
        "week": "{} week|{} weken",
        "month": "{} maand|{} maanden",
        "year": "{} jaar|{} jaar",
        "business second": "{} seconde in kantoortijd|{} seconden in kantoortijd",
        "business minute": "{} minuut in kantoortijd|{} minuten in kantoortijd",
        "business hour": "{} uur in kantoortijd|{} uur in kantoortijd",
        "business day": "{} werkdag|{} werkdagen",
        "close of business day": "sluitingstijd op de volgende werkdag|sluitingstijd over {} werkdagen",
        "less than": "minder dan {}",
    },
}


def primary_language(tag: str) -> str:
    """The language of a tag without its script and region: "fr" of "fr-CA" and of "fr_CA"."""
    return tag.replace("_", "-").partition("-")[0].lower()


def limit_in_words(limit: str | Limit, language: str) -> str:
    """A limit as a customer reads it. One that hangs on a fact is told in the words of the policy."""
    return _words(str(limit), primary_language(language))


@lru_cache(maxsize=1024)
def _words(text: str, language: str) -> str:
    words = WORDS.get(language, WORDS[FALLBACK])
    limit = parse_limit(text)
    if limit.kind == "until":
        return text
    number = (
        str(limit)
        .removeprefix("less than ")
        .removeprefix(limit.unit)
        .split(" ")[0 if limit.kind != "close_of_business" else -1]
    )
    one, many = words[limit.unit].split("|")
    told = (one if _is_one(number, language) else many).format(_numeral(number, language))
    return words["less than"].format(told) if limit.strict else told


def _is_one(number: str, language: str) -> bool:
    """Whether a number takes the singular: by CLDR, in French everything below two."""
    return float(number) < 2 if language == "fr" else number == "1"


def _numeral(number: str, language: str) -> str:
    if number.isdecimal():
        return number
    from decimal import Decimal

    from babel.numbers import format_decimal

    return format_decimal(Decimal(number), locale=language)
