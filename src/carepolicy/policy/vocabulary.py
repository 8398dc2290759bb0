"""Words that people write who know what they mean, and not what it is called here: in German, French, Spanish, and in
other words of English. For hints only: no file means anything else by it."""

from __future__ import annotations

import re
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
