"""Card numbers: found in texts and masked, whoever writes them and however."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal


DEEPEST = 50
"""So deep a JSON value is shown. Python's own stack ends some way below."""

SHORTEST, LONGEST = 12, 19
"""Digits of a card number."""

MASKED = "**** **** **** "
"""What stands in place of all digits but the last four."""

_MANY_DIGITS = b"0" * SHORTEST
_ALIKE = bytes(48 if 48 <= code < 58 else 120 for code in range(256))
"""Digits are zeros, and all else that is kept is ``x``."""
_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())
_NEWLINE = b"\n"
_ALIKE_IN_LINES = bytes(10 if code == 10 else like for code, like in enumerate(_ALIKE))
_SIGNS_IN_LINES = _SIGNS.replace(_NEWLINE, b"")


def mask_cards(text: str) -> str:
    """``text`` with every card number replaced by ``**** **** **** 1234``; the same object where there is none.

    Where signs group digits as on a card, four by four, any issuer will do. Elsewhere the first digits must be those
    of a known one, and the number of digits right for it.
    """
    if not _may_hold(text):
        return text
    found = list(cards_in(text, False))
    if not found:
        return text
    out: list[str] = []
    done = 0
    for begin, end, last in found:
        before, behind = text[done:begin], text[end : end + 1]
        out += (before, " " if before[-1:].isdigit() else "", MASKED, last, " " if behind.isdigit() else "")
        done = end
    return "".join((*out, text[done:]))


def names_card(identity: str) -> bool:
    """Whether what names something (a case, an event) holds a card number: one of a known issuer, that no other digits
    touch."""
    if not _may_hold(identity):
        return False
    return name_is_card(identity)


def one_names_card(identities: Sequence[str]) -> bool:
    """Whether one of many identities holds a card number; where none has so many digits that is seen in a moment."""
    joined = "\n".join(identities)
    if not joined.isascii():
        return any(map(names_card, identities))
    rows = joined.encode().translate(_ALIKE_IN_LINES, _SIGNS_IN_LINES)
    if _MANY_DIGITS not in rows:
        return False
    each = rows.split(_NEWLINE)
    if len(each) != len(identities):
        return any(map(names_card, identities))
    return any(names_card(identities[place]) for place, row in enumerate(each) if _MANY_DIGITS in row)


def number_is_card(number: float | Decimal) -> bool:
    """Whether the whole part of a number is a card number of a known issuer."""
    if not 10 ** (SHORTEST - 1) <= abs(number) < 10**LONGEST:
        return False
    return is_card(str(abs(int(number))))


def mask_within(value: Any, depth: int = 0) -> Any:
    """A JSON value with every card number masked: in texts, names and numbers. What is nested deeper than any fact
    could be is left out."""
    if isinstance(value, str):
        return mask_cards(value)
    if isinstance(value, (dict, list, tuple)) and depth == DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {mask_cards(str(name)): mask_within(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_within(each, depth + 1) for each in value]
    if isinstance(value, (int, float)) and number_is_card(value):
        return MASKED + str(int(value))[-4:]
    return value


def mask_data(data: Mapping[Any, Any], spared: frozenset[str], begin: str = "") -> dict[str, Any]:
    """As ``mask_within`` for the data of an event, without the facts (dotted names, nested or not) ``spared``."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{begin}{key}"
        if isinstance(value, dict) and name not in spared and name.count(".") < DEEPEST:
            found[mask_cards(str(key))] = mask_data(value, spared, f"{name}.")
        else:
            found[mask_cards(str(key))] = value if name in spared else mask_within(value)
    return found


def _may_hold(text: str) -> bool:
    """Whether a text has as many digits in a row, but for signs, as a card number: quick, and seldom true."""
    if len(text) < SHORTEST:
        return False
    if text.isascii() and not ("&" in text or "<" in text or "%" in text or "\\" in text):
        return _MANY_DIGITS in text.encode().translate(_ALIKE, _SIGNS)
    return sum(map(str.isdigit, text)) >= SHORTEST


LONGEST_GLUED = 26
"""Digits of the longest number with a date and a code behind it. A longer row of digits is something else."""

ISSUERS: tuple[tuple[str, str, str], ...] = (
    ("American Express", "34 37", "15"),
    ("Diners Club", "300-305 3095 36 38-39", "14 16"),
    ("JCB", "3528-3589", "16-19"),
    ("Hipercard", "384100 384140 384160 606282 637095 637568 637599 637609 637612", "13 16 19"),
    ("Visa", "4", "13 16 19"),
    ("Mastercard", "51-55 2221-2720", "16"),
    ("Mir", "2200-2204", "16-19"),
    ("Elo", "504175 506699-506778 509 627780 636297 636368 650031-650051 655000-655058", "16"),
    ("Verve", "506099-506198 507865-507964", "16 18-19"),
    ("RuPay", "508 60 65 81-82 353 356", "16"),
    ("Meeza", "507803 507809-507810", "16"),
    ("Bankcard", "5610 560221-560225", "16"),
    ("Maestro", "5018 5020 5038 5893 6304 6759 6761-6763 676770 676774 6706 6709 6771", "12-19"),
    ("Bancontact", "6703", "16-19"),
    ("Dankort", "5019", "16"),
    ("Discover", "6011 622126-622925 644-649 65", "16-19"),
    ("UnionPay", "62 81", "16-19"),
    ("Troy", "65 9792", "16"),
    ("Solo, Switch", "564182 633110 6333-6334 6767", "16 18-19"),
    ("InterPayment, InstaPayment", "636-639", "16"),
    ("UzCard, Humo", "8600 5614 9860", "16"),
    ("Naranja, Cabal", "589562 589657 604201-604219 603522", "16"),
    ("mada", "588845-588850 968201-968211", "16"),
)
"""The first digits of card numbers by who issues the cards, and how many digits these have (the issuers' own public
documents). Numbers of airlines (UATP, 15 digits from 1) are left out: those of the insured look alike."""


class Range(Struct, frozen=True):
    """Card numbers whose first six digits lie from ``first`` to ``last``, with so many digits."""

    first: int
    last: int
    lengths: frozenset[int]


@cache
def _ranges() -> tuple[Range, ...]:
    """Those of all issuers, worked out when a text first has as many digits."""
    return tuple(_ranges_of_issuers())


def _ranges_of_issuers() -> Iterator[Range]:
    for _, prefixes, lengths in ISSUERS:
        counts = frozenset(count for first, last in _spans(lengths) for count in range(int(first), int(last) + 1))
        for first, last in _spans(prefixes):
            yield Range(int(first.ljust(6, "0")), int(last.ljust(6, "9")), counts)


def _spans(text: str) -> Iterator[tuple[str, str]]:
    for each in text.split():
        first, _, last = each.partition("-")
        yield first, last or first


@lru_cache(maxsize=1 << 14)
def _lengths(first_six: str) -> frozenset[int]:
    """How many digits card numbers have that begin so; none where no issuer has them, or too few are given."""
    if len(first_six) < 6:
        return frozenset()
    number = int(first_six)
    return frozenset(length for each in _ranges() if each.first <= number <= each.last for length in each.lengths)


class _Folding(dict[int, str]):
    """What each character becomes, one for one: a digit 0 to 9; one that is not seen a NUL; a blank of any kind a
    space; a letter or number of another script ``x``. It is worked out when a character is first met."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _folded(chr(code))
        return folded


def _folded(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    kind = unicodedata.category(character)
    if kind in ("Cf", "Mn", "Me") or character == "\0":
        return "\0"
    if kind[0] == "Z" or character in "\t\n\v\f\r\x85":
        return " "
    if character.isascii():
        return character.lower()
    return "x" if kind[0] in "LN" else _plain_sign(character)


def _plain_sign(character: str) -> str:
    """A sign as ASCII has it where it does: dashes are ``-``; any other is ``~``."""
    if unicodedata.category(character) == "Pd" or character == "\u2212":
        return "-"
    same = unicodedata.normalize("NFKC", character)
    return same if len(same) == 1 and same.isascii() and not same.isalnum() else "~"


_FOLDING = _Folding()

_WRITTEN_BLANKS = (
    r"<[^<>0-9]{1,80}>|&(?:[a-z]{2,8}|#[0-9]{2,5}|#x[0-9a-f]{2,5});|%(?:20|2[b-f]|0[9ad])"
    r"|\\(?:[nrt]|u[0-9a-f]{4})"
)
"""What pages, forms and JSON write in place of a blank or of a sign."""

_OF_MACHINES = (
    r"(?<![0-9a-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])[0-9a-f]{32}(?:[0-9a-f]{8})*)(?![0-9a-z])"
)
"""UUIDs and digests: among millions of them some hold what passes for a card number."""

_IBAN = r"(?<![0-9a-z])[a-z]{2}[0-9]{2}(?: ?[0-9a-z]{4}){2,7}(?: ?[0-9a-z]{1,3})?(?![0-9a-z])"

ON_CARDS = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3))
"""How digits are grouped on cards."""

_ROW = r"[0-9]+"
_GROUP = r"[0-9](?:\0*[0-9])*"

_BETWEEN = r"[^0-9a-z]{0,24}"
"""What may stand between two groups of digits of one number, apart from what is not seen."""


def name_is_card(identity: str) -> bool:
    """Whether what names something holds a card number: a whole one of a known issuer."""
    if re.fullmatch(_OF_MACHINES, identity.lower()):
        return False
    rows = re.findall(_ROW, identity) if identity.isascii() else ()
    if len(rows) == 1:
        return len(rows[0]) > 13 and is_card(rows[0])
    return any(cards_in(identity, True))


def cards_in(text: str, certain: bool) -> Iterator[tuple[int, int, str]]:
    """Where card numbers stand in a text, with their last four digits; ``certain``: whole ones of known issuers."""
    folded = text.lower() if text.isascii() else text.translate(_FOLDING)
    folded = re.sub(_WRITTEN_BLANKS, lambda found: " " + "\0" * (len(found.group()) - 1), folded)
    folded = re.sub(_OF_MACHINES, lambda found: "x" * len(found.group()), folded)
    folded = re.sub(_IBAN, lambda found: "x" * len(found.group()) if _is_iban(found.group()) else found.group(), folded)
    for run in _runs(folded):
        if found := list(_joined(_in_run(run, certain))):
            places = [place for begin, end in run.groups for place in range(begin, end) if folded[place] != "\0"]
            for begin, end in found:
                yield places[begin], places[end - 1] + 1, run.digits[end - 4 : end]


class _Run(Struct, frozen=True):
    """Groups of digits with no letter between them. ``groups`` says where in the text each group begins and ends,
    ``sizes`` how many digits it has, ``starts`` where in ``digits`` it begins, and where the last ends; ``signs`` what
    stands behind each group but the last; ``plus`` whether one stands before the first."""

    digits: str
    groups: list[tuple[int, int]]
    sizes: tuple[int, ...]
    starts: tuple[int, ...]
    signs: list[str]
    plus: bool


def _runs(folded: str) -> Iterator[_Run]:
    """The runs of a text that may hold a card number."""
    groups: list[tuple[int, int]] = []
    signs: list[str] = []
    for found in re.finditer(_GROUP, folded):
        begin, end = found.span()
        if groups:
            sign = folded[groups[-1][1] : begin].replace("\0", "")
            if "**" not in sign and re.fullmatch(_BETWEEN, sign):
                signs.append(sign)
            else:
                yield from _run(folded, groups, signs)
                groups, signs = [], []
        groups.append((begin, end))
    if groups:
        yield from _run(folded, groups, signs)


def _run(folded: str, groups: list[tuple[int, int]], signs: list[str]) -> Iterator[_Run]:
    texts = [folded[begin:end].replace("\0", "") for begin, end in groups]
    sizes = tuple(map(len, texts))
    if sum(sizes) >= SHORTEST and (len(sizes) > 1 or sizes[0] <= LONGEST_GLUED):
        first = groups[0][0]
        plus = folded[max(first - 8, 0) : first].rstrip("\0").endswith("+")
        yield _Run("".join(texts), groups, sizes, tuple(accumulate(sizes, initial=0)), signs, plus)


def _in_run(run: _Run, certain: bool) -> Iterator[tuple[int, int]]:
    """Stretches of the digits of a run that are card numbers."""
    check = _Check(run.digits)
    ends = {start: number for number, start in enumerate(run.starts)}
    for first, begin in enumerate(run.starts[:-1]):
        for length in _lengths(run.digits[begin : begin + 6]):
            behind = ends.get(begin + length)
            if behind is not None and check.holds(begin, begin + length) and _is_plausible(run, first, behind, certain):
                yield begin, begin + length
        if not certain and run.sizes[first] >= 4:
            for form in ON_CARDS:
                behind = first + len(form)
                if behind <= len(run.sizes):
                    if _is_written_so(run, first, behind, form) and check.holds(begin, run.starts[behind]):
                        yield begin, run.starts[behind]
                    yield from _glued(run, first, behind, form, check)
            yield from _inside(run, first, check)


def _is_plausible(run: _Run, first: int, behind: int, certain: bool) -> bool:
    """Whether groups that make the number of a known issuer are written as card numbers are."""
    begin, end = run.starts[first], run.starts[behind]
    if end - begin < 15 and ((run.plus and first == 0) or (certain and end - begin < 14)):
        return False  # a telephone number; no issuer has numbers of 13 digits any more
    sizes, signs = run.sizes[first:behind], run.signs[first : behind - 1]
    if len(sizes) == 1:
        fraction = run.signs[first - 1] == "." and run.digits[begin - 1] == "0" if first else False
        return not (fraction or _is_article(run.digits[begin:end]))
    if sizes in ON_CARDS or max(sizes) == 1 or (set(sizes[:-1]) == {4} and sizes[-1] <= 4):
        return True
    if len(set(signs)) > 1 or (len(signs) == 1 and signs[0] in (".", ",")):
        return False  # a time, or an amount
    return max(sizes) > 2 or (set(sizes) == {2} and signs[0] in (" ", "-", ".", "_"))


def _is_written_so(run: _Run, first: int, behind: int, form: tuple[int, ...]) -> bool:
    """Whether some groups are alone in having the form of a card number, with the same blank, dash or dot between."""
    if run.sizes[first:behind] != form:
        return False
    signs = set(run.signs[first : behind - 1])
    sign = next(iter(signs))
    if len(signs) > 1 or len(sign) > 3 or sign.strip(" ") not in ("", "-", ".", "_"):
        return False
    return all(run.sizes[number] != 4 for number in (first - 1, behind) if 0 <= number < len(run.sizes))


def _glued(run: _Run, first: int, behind: int, form: tuple[int, ...], check: _Check) -> Iterator[tuple[int, int]]:
    """The number of a known issuer in groups of which the first or the last has other digits as well."""
    sizes = run.sizes[first:behind]
    before, after = sizes[0] - form[0], sizes[-1] - form[-1]
    if sizes[1:-1] == form[1:-1] and min(before, after) >= 0 and 0 < before + after <= LONGEST_GLUED - LONGEST:
        begin, end = run.starts[first] + before, run.starts[behind] - after
        if end - begin in _lengths(run.digits[begin : begin + 6]) and check.holds(begin, end):
            yield begin, end


def _inside(run: _Run, group: int, check: _Check) -> Iterator[tuple[int, int]]:
    """The numbers of known issuers in a group with more digits than fit one: with a date, a code, an order's number."""
    start, stop = run.starts[group], run.starts[group + 1]
    if 16 < stop - start <= LONGEST_GLUED:
        for begin in range(start, stop - 14):
            for length in _lengths(run.digits[begin : begin + 6]) & {15, 16}:
                if begin + length <= stop and check.holds(begin, begin + length):
                    yield begin, begin + length


def _joined(stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches in order, those that overlap as one."""
    held: tuple[int, int] | None = None
    for begin, end in sorted(stretches):
        if held is None or begin >= held[1]:
            if held is not None:
                yield held
            held = begin, end
        else:
            held = held[0], max(held[1], end)
    if held is not None:
        yield held


class _Check:
    """The check digits (Luhn, ISO/IEC 7812-1) of all stretches of some digits, each told in the same short time."""

    def __init__(self, digits: str) -> None:
        self._digits = digits
        self._sums: list[tuple[int, ...]] = []

    def holds(self, begin: int, end: int) -> bool:
        """Whether the last of some digits is the check digit of the others."""
        if not self._sums:
            weights = [(digit, 2 * digit - 9 * (digit > 4)) for digit in map(int, self._digits)]
            for parity in (0, 1):
                counted = (both[(place + parity) % 2] for place, both in enumerate(weights))
                self._sums.append(tuple(accumulate(counted, initial=0)))
        sums = self._sums[(end - 1) % 2]
        return (sums[end] - sums[begin]) % 10 == 0 and self._digits[begin:end].strip("0") != ""


def is_card(digits: str) -> bool:
    """Whether some digits are a whole card number of a known issuer."""
    return len(digits) in _lengths(digits[:6]) and _Check(digits).holds(0, len(digits)) and not _is_article(digits)


def _is_article(digits: str) -> bool:
    """Whether 13 digits are a number of articles (GTIN-13), which begin as some card numbers of old did."""
    values = list(map(int, digits))
    return len(digits) == 13 and (sum(values[::2]) + 3 * sum(values[1::2])) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97 == 1
