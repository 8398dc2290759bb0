"""Words that people write who know what they mean, and not what it is called here: in German, French, Spanish, and in
other words of English; what they call languages, currencies and countries, and how they write amounts, shares, days and
hours. For hints only: no file means anything else by it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "œ": "oe", "ł": "l"})
_WORD = re.compile(r"[a-z0-9]+")
_BETWEEN = re.compile(r"[^a-z0-9]+")

_WORDS = {
    # who acts and waits
    "customer": "client kunde kundin kunden cliente consumer buyer",
    "us": "we wir uns nous nosotros team",
    "staff": "agent employee mitarbeiter mitarbeiterin personal personnel empleado",
    "carrier": "courier paketdienst spediteur zusteller transporteur transportista post",
    "partner": "lieferant supplier vendor fournisseur proveedor",
    "other": "andere sonstige autre otro",
    # types of facts
    "text": "string str varchar zeichenkette texte texto",
    "number": "zahl int integer float double decimal nombre numero",
    "money": "geld betrag amount price preis currency argent montant dinero importe",
    "flag": "boolean bool yesno ja_nein janein checkbox wahrheitswert booleen booleano",
    "choice": "enum auswahl select option choix opcion eleccion",
    "date": "datum day tag fecha",
    "time": "datetime timestamp zeit zeitpunkt uhrzeit instant heure hora",
    "phone": "telephone tel phonenumber telefon telefonnummer rufnummer numero_de_telephone telefono mobile",
    "email": "mail e_mail courriel emailadresse adresse_mail correo mailaddress",
    "true": "ja yes oui si wahr vrai",
    "false": "nein no non falsch faux",
    # keys
    "flow": "ablauf prozess process processus flujo",
    "version": "fassung",
    "title": "titel titre titulo name",
    "purpose": "zweck ziel goal aim but objectif proposito objetivo",
    "steward": "beauftragter pfleger",
    "owner": "besitzer verantwortlich verantwortlicher zustaendig inhaber responsable proprietaire dueno",
    "based_on": "grundlage basis",
    "valid_from": "gueltig_ab ab",
    "events": "ereignisse evenements eventos",
    "clocks": "uhren fristen horloges delais relojes plazos timers",
    "states": "zustaende zustand etats etat estados",
    "anywhere": "ueberall partout",
    "phases": "phasen",
    "synonyms": "synonyme sinonimos",
    "covers": "deckt",
    "limit": "frist dauer grenze delai limite plazo",
    "runs_in": "laeuft_in",
    "pauses_in": "pausiert_in",
    "warn_at": "warnung warnt_bei warnen",
    "promise": "versprechen zusage promesse promesa",
    "region": "land country pays pais",
    "min": "minimum at_least mindestens least minimo",
    "max": "maximum at_most hoechstens most maximo",
    "pattern": "regex regexp muster motif patron",
    "channel": "kanal canal",
    "waits": "wartet attend espera",
    "start_on": "start beginn beginnt_bei beginnt_mit begin",
    "steps": "schritte etapes pasos",
    "say": "sage sagen dire decir",
    "never": "nie niemals jamais nunca",
    "note": "notiz anmerkung hinweis nota remark",
    "ask": "frage fragen question pregunta",
    "on": "bei",
    "after": "nach apres despues",
    "final": "ende end schluss fin",
    "when": "wenn falls quand cuando if",
    "to": "nach_zustand ziel_zustand zu hacia",
    "send": "senden sende sendet envoyer enviar",
    "tell": "melden melde sagen_an avertir avisar inform notify",
    "request": "anfrage auftrag",
    "assign": "zuweisen",
    "answer": "antwort reponse respuesta",
    "carries": "traegt daten data",
    "required": "pflicht noetig obligatoire",
    "optional": "freiwillig wahlweise facultatif",
    "by": "von durch par por",
    "apologises": "apologizes entschuldigt",
    "organisation": "organization firma company societe empresa",
    "timezone": "zeitzone fuseau",
    "languages": "sprachen langues idiomas",
    "language": "sprache langue idioma",
    "calendar": "kalender calendrier calendario",
    "calendars": "calendrier calendriers kalender calendarios",
    "roles": "rollen papeles",
    "channels": "kanaele canaux canales",
    "facts": "fakten faits hechos tatsachen",
    "settings": "einstellungen reglages ajustes",
    "keep": "aufbewahren behalten",
    "glossary": "glossar glossaire glosario",
    "hours": "zeiten oeffnungszeiten stunden heures horas",
    "holidays": "feiertage ferien festivos",
    "closed": "geschlossen ferme cerrado",
    "open": "offen geoeffnet ouvert abierto",
    "people": "personen leute personnes personas",
    "deputy": "vertretung stellvertreter vertreter suppleant",
    "authority": "vollmacht befugnis autorite",
    "may_see": "darf_sehen",
    "type": "typ art tipo",
    "of": "werte values options",
    "private": "privat vertraulich prive privado",
    "default": "standard vorgabe defaut",
    "subject": "betreff objet asunto",
    "messages": "nachrichten meldungen mensajes",
    "country": "land pays pais",
    "subdivision": "bundesland region provincia",
    "address": "adresse direccion",
    # ends of a clock's round
    "late": "spaet verspaetet ueberfaellig overdue retard tarde",
    "warned": "gewarnt warnung warning warn averti",
    "met": "erfuellt eingehalten kept respecte cumplido",
}


def spelt(text: str) -> str:
    """A text in small letters without marks: ``Prüfung`` is pruefung, ``Contraseña`` contrasena."""
    small = normalize("NFC", text).lower().translate(_LETTERS)
    return small if small.isascii() else "".join(each for each in normalize("NFKD", small) if not combining(each))


def words(name: str) -> tuple[str, ...]:
    """The words of a name or title in small letters without accents: ``Contraseña`` is contrasena."""
    return tuple(_WORD.findall(spelt(name).replace("_", " ")))


def bare(text: str) -> str:
    """The same without any mark, so that ``Prüfung`` is prufung: as people write who leave the dots out."""
    return "".join(each for each in normalize("NFKD", text.lower()) if not combining(each))


def name_of(text: str) -> str:
    """What a text is as a name: ``Qualität prüfen`` is qualitaet_pruefen."""
    return _BETWEEN.sub("_", spelt(text)).strip("_")


def same(word: str, known: Iterable[str]) -> str | None:
    """The one known name that a word is, but for capitals, marks and what stands between its parts."""
    said = _BETWEEN.sub("_", spelt(word))
    found = [each for each in known if _BETWEEN.sub("_", spelt(each)) == said]
    return found[0] if len(found) == 1 else None


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that a word of another language stands for, if one does."""
    said = name_of(word)
    return next((each for each in known if said in _WORDS.get(each, "").split()), None)


SPOKEN = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da")
"""Languages in which names of languages, currencies and countries are understood."""

_SHARE = re.compile(r"\s*(\d{1,3})(?:[.,](\d+))?\s*(%|percent|per cent|prozent|pct|pourcent)?\s*", re.IGNORECASE)


@lru_cache(maxsize=100)
def language_called(text: str) -> str | None:
    """The code of a language by its name in some language, ``Deutsch`` or ``German``."""
    code = text.strip().lower()
    if len(code) == 2 and code.isalpha() and language_known(code):
        return code
    return _code_of(text, "languages")


def language_known(code: str) -> bool:
    """Whether a code of two letters is that of a language."""
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        return False
    return True


@lru_cache(maxsize=100)
def currency_called(text: str) -> str | None:
    """The ISO 4217 code of a currency by its name or sign, ``Euro`` or ``€``; None where several have that."""
    code = text.strip().upper()
    if len(code) == 3 and code in _named("currencies", "en"):
        return code
    return _SIGNS.get(text.strip()) or _code_of(text, "currencies")


_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₩": "KRW", "zł": "PLN", "US$": "USD"}
"""Signs that one currency alone has."""


@lru_cache(maxsize=100)
def country_called(text: str) -> str | None:
    """The ISO 3166 code of a country by its name in some language, ``Deutschland`` or ``Germany``."""
    code = text.strip().upper()
    names = _named("territories", "en")
    return code if len(code) == 2 and code in names else _code_of(text, "territories")


def share_meant(text: str) -> str | None:
    """A share as it is written here: ``75`` and ``0,75`` are 75%; None of what is none above 0 % and up to 100 %."""
    found = _SHARE.fullmatch(text)
    if found is None:
        return None
    amount = Decimal(f"{found[1]}.{found[2] or 0}")
    if found[3] is None and amount < 1:
        amount *= 100
    return f"{amount.normalize():f}%" if 0 < amount <= 100 else None


_SIGN = r"(?:€|£|\$|[A-Z]{3}|[Ee]uros?|Franken|Dollar|Pfund|pounds?|dollars?)"
_WHOLE = rf"(?P<whole>\d{{1,3}}(?:[.' ]\d{{3}})+(?=,|\s|$|{_SIGN})|\d+)"
AMOUNT = rf"(?:{_SIGN}\s*)?{_WHOLE}(?:[.,](?P<part>\d+|-+))?(?:\s*{_SIGN})?"
"""A number as people write amounts: ``20 €``, ``EUR 1.000,00``, ``20,-``."""


def amount_meant(text: str) -> str | None:
    """An amount as it is written here: of ``20,00 €`` 20.00; None of what is no amount."""
    found = re.fullmatch(AMOUNT, text.strip())
    if found is None:
        return None
    part = (found["part"] or "").strip("-")
    return re.sub(r"\D", "", found["whole"]) + (f".{part}" if part else "")


_TIME = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|uhr|h|a\.m\.|p\.m\.)?"
_HOURS = re.compile(rf"\s*{_TIME}\s*(?:-|–|—|−|/|bis|to|till|until|à|a)\s*{_TIME}\s*", re.IGNORECASE)


def hours_meant(text: str) -> str | None:
    """Opening hours as they are written here: of ``9-17`` and ``9 Uhr bis 17 Uhr`` 09:00-17:00."""
    found = _HOURS.fullmatch(text)
    if found is None:
        return None
    times = [_time(*found.group(*numbers)) for numbers in ((1, 2, 3), (4, 5, 6))]
    return "-".join(each for each in times if each) if all(times) else None


def _time(hour: str, minute: str | None, half: str | None) -> str | None:
    number = int(hour)
    if half is not None and half[0] in "apAP":
        number = number % 12 + 12 * (half[0] in "pP")
    return f"{number:02}:{minute or '00'}" if number <= 24 and int(minute or 0) < 60 else None


_DAY = re.compile(
    r"(\d{4})[-./ ](\d{1,2})[-./ ](\d{1,2})"
    r"|(\d{1,2})\s*[-./ ]\s*(\d{1,2})\s*[-./ ]\s*(\d{4})"
    r"|(\d{4})(\d{2})(\d{2})"
)
_TO = re.compile(r"\s+(?:-|–|—|bis|to|until|à|au|a)\s+|\s*(?:–|—|\.\.+|/)\s*", re.IGNORECASE)


def days_meant(text: str) -> str | None:
    """A date, or two with a slash between them, as they are written here: of ``24.12.2026`` 2026-12-24."""
    whole = _day(text)
    pieces = [_day(each) for each in _TO.split(text.strip())] if whole is None else [whole]
    return "/".join(each for each in pieces if each) if all(pieces) and len(pieces) < 3 else None


def _day(text: str) -> str | None:
    found = _DAY.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [int(each) for each in found.groups() if each is not None]
    year, month, day = numbers if found[4] is None else reversed(numbers)
    if found[4] is not None and "/" in text and month <= 12 and day <= 12 and month != day:
        return None  # The third of April for some, the fourth of March for others.
    if month > 12 >= day:
        month, day = day, month
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _code_of(text: str, kind: str) -> str | None:
    said = spelt(text.strip())
    for language in SPOKEN:
        found = _codes(kind, language).get(said)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=40)
def _codes(kind: str, language: str) -> dict[str, str]:
    """Codes by names in one language. Codes in use come last, so that they win over those of old times."""
    names = {code: name for code, name in _named(kind, language).items() if code.isalpha()}
    return {spelt(name): code for code, name in sorted(names.items(), key=lambda each: each[0] in _CURRENT)}


_CURRENT = frozenset(("EUR", "USD", "GBP", "CHF", "PLN", "SEK", "DKK", "NOK", "CZK", "HUF", "TRY", "MXN", "BRL", "ARS"))
"""Currencies whose names older ones bore as well."""


def _named(kind: str, language: str) -> dict[str, str]:
    from babel import Locale

    named: dict[str, str] = dict(getattr(Locale(language), kind))
    return named
