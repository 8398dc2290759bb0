"""Times that texts promise in so many words: "within 3 business hours", « sous trois heures ouvrées »; and what is
wrong where a clock has that time, or none has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.businesstime import LimitError, parse_limit
from carepolicy.businesstime.words import WORDS
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.businesstime import Limit
    from carepolicy.checks.context import CheckedFlow, CheckedSet
    from carepolicy.policy.model import Clock, Flow, State, Transition
    from carepolicy.policy.places import At

TYPED, UNTIED = "CP409", "CP416"
"""The codes of a time that a clock has, or belies, and of one that no clock has."""


class Duration(NamedTuple):
    """A length of time in a text, with its offsets. ``within``: a word before it says by when, and the sentence is not
    about what the customer may do or is to do. ``promised``: it is about us as well."""

    limit: Limit
    start: int
    end: int
    within: bool
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
        {
            "Arbeitstage?n?|Werktage?n?": "business day",
            "Std\\.?|h": "hour",
            "Tagen": "day",
            "Jahren": "year",
            "Monaten": "month",
            "Geschäftstagen": "business day",
        },
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
    "it": Language(
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
    "pt": Language(
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
    "pl": Language(
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
    "nl": Language(
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
    words = {
        unit: "|".join(re.escape(form.replace("{} ", "")) for form in forms.split("|"))
        for unit, forms in WORDS.get(code, {}).items()
        if unit not in ("less than", "close of business day")
    }
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


class Promise(NamedTuple):
    """A time that is promised in the name of some flows, in a text at an address. ``filled``: its placeholders are
    filled in; ``ours``: customers hear it, and it is not only what staff are to do."""

    flows: tuple[Flow, ...]
    found: Duration
    text: str
    at: At
    filled: bool
    ours: bool


def promised_times(checked: CheckedSet) -> Iterator[Finding]:
    """What is wrong with times in clocks' promises, and with those that messages and staff promise."""
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            yield from _in_promise(checked, clock)
    yield from (found for promise in _promises(checked) if (found := _judged(checked, promise)) is not None)


def _promises(checked: CheckedSet) -> Iterator[Promise]:
    """Every time that a message, or what staff say, promises; in what staff are to do, also what only says by when."""
    senders: dict[str, dict[str, Flow]] = {}
    for flow, effects, _ in checked.acts:
        for template in effects.send:
            senders.setdefault(template, {})[flow.name] = flow
    for language, messages in checked.messages.items():
        for message in messages.values():
            flows = tuple(senders.get(message.name, {}).values())
            for text, at in ((message.subject, message.at / "subject"), (message.text, message.at / "text")):
                for found in checked.times.durations(text, language) if flows else ():
                    if found.promised:
                        yield Promise(flows, found, text, at, True, True)
    language = checked.organisation.languages[0]
    for one in checked.each.values():
        for text, at, ours in _of_staff(checked, one):
            for found in checked.times.durations(text, language):
                if found.promised or (found.within and not ours):
                    yield Promise((one.flow,), found, text, at, False, ours)


def _of_staff(checked: CheckedSet, one: CheckedFlow) -> Iterator[tuple[str, At, bool]]:
    """What a flow is for, what staff are to do, say and never say; and whether customers hear it."""
    flow, known = one.flow, checked.sources[one.flow.at.file].values
    yield flow.purpose, flow.at / "purpose", False
    acting: list[State | Transition] = [*flow.states.values(), *(way.transition for way in one.ways)]
    for each in acting:
        yield each.say, each.at / "say", True
        yield each.never, each.at / "never", False
        steps = each.at / "steps"
        for number, step in enumerate(each.steps):
            yield step, steps / number if (steps / number).path in known else steps, False


def _in_promise(checked: CheckedSet, clock: Clock) -> Iterator[Finding]:
    limits = _limits(checked, clock)
    for found in checked.times.durations(clock.promise, checked.organisation.languages[0]):
        said = clock.promise[found.start : found.end]
        same = any(_alike(found.limit, each) for each in limits)
        if len(limits) < len(clock.limits) or (same and len(limits) > 1):
            continue  # one of several limits cannot be told by {limit} alone
        own = " or ".join(each.limit for each in clock.limits)
        text = f'"{said}" repeats the limit of the clock' if same else f'"{said}" is not the limit of the clock, {own}'
        place = checked.within(clock.at / "promise", clock.promise, found.start, found.end)
        new = "{limit}" if same else None
        yield Finding(TYPED, text, place, "write {limit}: it follows the clock", Severity.WARNING, new)


def _judged(checked: CheckedSet, promise: Promise) -> Finding | None:
    """What is wrong with one time that is promised."""
    flows, text, found = promise.flows, promise.text, promise.found
    clocks = {name: clock for flow in flows for name, clock in flow.clocks.items()}
    shared = set.intersection(*(set(flow.clocks) for flow in flows))
    place = checked.within(promise.at, text, found.start, found.end)
    said = text[found.start : found.end]
    same = [name for name, clock in clocks.items() if any(_alike(found.limit, x) for x in _limits(checked, clock))]
    if same:
        name = f"{{clock.{same[0]}.limit}}"
        new = name if len(same) == 1 and same[0] in shared and promise.filled else None
        told = f'"{said}" repeats the limit of the clock "{same[0]}"'
        hint = f"write {name}: it follows the clock" if promise.filled else SPOKEN
        return Finding(TYPED, told, place, hint, Severity.WARNING, new)
    if not promise.ours:
        return None
    told = f'"{said}" is promised here, and no clock of {flows[0].name} has it'
    untied = Finding(UNTIED, told, place, "give the flow a clock that keeps it", Severity.NOTE)
    if not promise.filled or any(_alike(found.limit, each) for each in _others(checked, flows)):
        return untied
    near = [(name, each) for name, clock in clocks.items() if clock.promise
            for each in _limits(checked, clock) if _base(each) == _base(found.limit)]  # fmt: skip
    if len({name for name, _ in near}) != 1:
        return untied  # no clock, or several, might be meant
    name, limit = near[0]
    told = f'"{said}" is promised here, and the clock "{name}" has {limit}'
    return Finding(TYPED, told, place, f"write {{clock.{name}.limit}}: it follows the clock", Severity.WARNING)


def _limits(checked: CheckedSet, clock: Clock) -> list[Limit]:
    return [limit for choice in clock.limits if (limit := checked.limit(choice.limit)) is not None]


def _others(checked: CheckedSet, flows: Iterable[Flow]) -> Iterator[Limit]:
    """Times of the flows, and of the settings, that no clock keeps."""
    texts: list[str] = [after.limit for flow in flows for state in flow.states.values() for after in state.after]
    texts += [str(each.value) for each in checked.organisation.settings.values()]
    yield from (limit for text in texts if (limit := checked.limit(text)) is not None)


def _alike(one: Limit, other: Limit) -> bool:
    return (one.kind, one.amount) == (other.kind, other.amount)


def _base(limit: Limit) -> str:
    return limit.unit.removeprefix("business ")


SPOKEN = "say it without the number: the clock's promise: tells it, and is shown beside this"
