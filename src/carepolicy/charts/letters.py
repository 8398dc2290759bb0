"""How wide letters are: those of Arimo, and so of Arial and Liberation Sans, by which sheets of paper are laid out.

The tables are what the font itself says (a test compares them with it), for the scripts that it is measured for;
another letter is taken to be as wide as its base letter, or as its script usually is. No font is needed to measure.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNITS = 2048
"""Units of the tables in one em, the size of the letters."""

_WIDE, _OTHER = UNITS, 1536
"""A letter of Chinese, Japanese or Korean; one of any other script that has no table, on the safe side."""

_HYPHENATED = 0x0590
"""Scripts below this code point show a break inside of a word by a hyphen."""

_OPENING, _CLOSING = ("«",), ("»", "?", "!", ":", ";", "%")
"""Signs that French sets apart by a space, and that stand on a line with the word after them, or before."""

_NEVER_FIRST = "、。，．：；！？）」』】〉》々ー・"
"""Letters of Chinese and Japanese with which no line begins."""

_REGULAR: Mapping[int, str] = {
    384: "′",
    391: "'",
    410: "\u202f\u2009",
    455: "ijlįĵĺļłſΐίιϊіј‘’‚",
    532: "|¦",
    569: " !,./:;I[\\]ft\u00a0ÌÍÎÏìíîïĨĩĪīĬĭĮİıţŧț·ΙΪІЇї",
    597: "ľ",
    682: "()-`r¡¨²³´·¸¹ŕŗř‐‑“”„‹›",
    684: "{}ŀ",
    717: "•",
    725: "″",
    727: '"',
    747: "гѓ",
    748: "º",
    758: "ª",
    768: "ť",
    786: "Ί",
    797: "*",
    809: "τ",
    819: "°",
    842: "ґ",
    896: "кќ",
    903: "ζ",
    909: "ĳ",
    913: "έε",
    917: "ξ",
    938: "т",
    939: "з",
    961: "^",
    987: "ς",
    1001: "Ґ",
    1024: "JcksvxyzçýÿćĉċčĴķĸśŝşšŷźżžșγκλνЈсухѕў\u2002↑↓",
    1045: "эє",
    1067: "чь",
    1075: "χ",
    1088: "в",
    1100: "¶",
    1109: "ЃГпя",
    1120: "ΰυϋύ",
    1124: "±÷≈≤≥",
    1128: "Γ",
    1130: "џ",
    1131: "¯н",
    1139: ("#$0123456789?L_abdeghnopqu¢£¤¥§«»àáâãäåèéêëðñòóôõöùúûüþāăąđēĕėęěĝğġģĥħĹĻĽĿŁńņňŋōŏőũūŭůűųήηθοόаеорѐёђћ‒–†€"),
    1140: "δ",
    1144: "ийѝ",
    1165: "ρ",
    1173: "бц",
    1178: "β",
    1180: "µμ",
    1184: "άα",
    1193: "ЌК",
    1195: "дл",
    1196: "+<=>~¬×−",
    1237: "ŉЗ■●",
    1251: "FTZ¿ßøŢŤŦŹŻŽȚΖΤТ",
    1259: "ď",
    1264: "σ",
    1266: "Σ",
    1280: "ъ",
    1301: "ЎУ",
    1328: "φ",
    1331: "Ξ",
    1344: "БЛЬ",
    1365: "Ч",
    1366: "&ABEKPSVXYÀÁÂÃÄÅÈÉÊËÝÞĀĂĄĒĔĖĘĚĶŚŜŞŠŶŸȘΑΒΕΚΡΥΧΫЀЅАВЕРХ",
    1367: "ΆЁ",
    1368: "ΔΛ",
    1370: "ж",
    1387: "Д",
    1408: "м",
    1413: "π",
    1439: "ẞ",
    1460: "ψ",
    1472: "ЄЍЏИЙПЭы",
    1479: "CDHNRUwÇÐÑÙÚÛÜĆĈĊČĎĐĤĦŃŅŇŔŖŘŨŪŬŮŰŲŵΗΝΠНСЯ",
    1481: "Ŋ",
    1505: "Ĳ",
    1509: "©®",
    1515: "Ц",
    1531: "Ω",
    1536: "ю",
    1541: "Ώ",
    1557: "Ф",
    1586: "Ό",
    1593: "GOQÒÓÔÕÖØĜĞĠĢŌŎŐΘΟО",
    1599: "ωώ",
    1606: "Έ",
    1621: "Ъ",
    1634: "Φ",
    1643: "ш",
    1664: "њ",
    1685: "фщ",
    1706: "MmΜМ",
    1708: "¼½¾",
    1711: "Ψ",
    1716: "Ή",
    1749: "Ћ",
    1752: "Ύ",
    1771: "Ђ",
    1813: "Ы",
    1821: "%æ",
    1856: "љ",
    1877: "Ш",
    1891: "Ж",
    1920: "Щ",
    1933: "WœŴ",
    2048: "ÆŒ—…‰™←→",
    2069: "ЊЮ",
    2079: "@",
    2165: "Љ",
}

_BOLD: Mapping[int, str] = {
    410: "\u202f\u2009",
    487: "'",
    491: "′",
    565: "Ї",
    569: " ,./I\\ijl\u00a0ÌÍÎÏìíîïĨĩĪīĬĭĮįİıĵĺļłſΐΙΪίιϊІіј‘’‚",
    573: "|¦",
    576: "ї",
    682: "!()-:;[]`ft¡¨²³´·¸¹ţŧț·‐‑‹›",
    717: "•",
    748: "º",
    758: "ª",
    789: "ľ",
    797: "*r{}ŕŗř",
    819: "°",
    853: "гѓ",
    912: "ξ",
    914: "τ",
    915: "ґ",
    924: "έ",
    943: "ζ",
    970: "Ί",
    971: '"',
    972: "ε",
    981: "ŀť″",
    997: "Ґ",
    1003: "т",
    1018: "з",
    1024: "zźżž\u2002“”„↑↓",
    1025: "кќ",
    1065: "ς",
    1107: "θ",
    1124: "±÷≈≤≥",
    1131: "¯эє",
    1139: "#$0123456789J_aceksvxy¢£¤¥§«¶»àáâãäåçèéêëýÿāăąćĉċčēĕėęěĳĴķĸśŝşšŷșγλνЈаесухѐёѕў‒–†€",
    1142: "κ",
    1161: "ЃГ",
    1179: "χ",
    1189: "ч",
    1192: "ΰυϋύ",
    1195: "я",
    1196: "+<=>^~¬×−",
    1229: "µΣ",
    1231: "Γ",
    1237: "нпџ■●",
    1242: "δ",
    1250: "βЌК",
    1251: "?FLTZbdghnopqu¿ßðñòóôõöøùúûüþđĝğġģĥħĹĻĽĿŁńņňŋōŏőŢŤŦũūŭůűųŹŻŽȚΖΤήηοόТорђћ",
    1253: "μ",
    1259: "άαвийцьѝ",
    1265: "б",
    1267: "ρ",
    1274: "ЎУ",
    1283: "З",
    1300: "д",
    1301: "л",
    1318: "Ξ",
    1366: "EPSVXYÈÉÊËÝÞĒĔĖĘĚŚŜŞŠŶŸȘΕΛΡΥΧΫЀЅЕРХ",
    1370: "Ё",
    1401: "σ",
    1437: "Л",
    1439: "Ч",
    1451: "ŉ",
    1452: "ж",
    1457: "ЄЭ",
    1459: "Д",
    1465: "ẞφ",
    1472: "ďΔЍЏБИЙПЬЯ",
    1479: "&ABCDHKNRUÀÁÂÃÄÅÇÐÑÙÚÛÜĀĂĄĆĈĊČĎĐĤĦĶŃŅŇŔŖŘŨŪŬŮŰŲΆΑΒΗΚΝΠАВНС",
    1481: "Ŋ",
    1493: "ъ",
    1496: "Ц",
    1509: "©®",
    1515: "м",
    1543: "ψ",
    1568: "π",
    1593: "GOQwÒÓÔÕÖØĜĞĠĢŌŎŐŵΘΟО",
    1607: "Ĳ",
    1642: "Ω",
    1657: "Ψ",
    1681: "Φ",
    1689: "Ό",
    1706: "MΜМ",
    1707: "ш",
    1708: "¼½¾",
    1716: "Ώ",
    1728: "щ",
    1730: "ωώ",
    1747: "Έ",
    1748: "Ф",
    1749: "ыю",
    1781: "Ъ",
    1792: "Ћф",
    1813: "Ђ",
    1821: "%mæ",
    1851: "Ж",
    1855: "Ή",
    1856: "њ",
    1899: "Ύ",
    1933: "WœŴ",
    1984: "љ",
    1997: "@",
    2005: "Ы",
    2048: "ÆŒ—…‰™←→",
    2058: "Ш",
    2087: "Щ",
    2112: "Ю",
    2176: "Њ",
    2240: "Љ",
}


def _by_letter(widths: Mapping[int, str]) -> dict[str, int]:
    return {letter: width for width, letters in widths.items() for letter in letters}


_TABLES = {False: _by_letter(_REGULAR), True: _by_letter(_BOLD)}


def length(text: str, size: float, bold: bool = False) -> float:
    """Points that a text takes on a line, at a size in points."""
    return _units(text, bold) * size / UNITS


@lru_cache(maxsize=65_536)
def _units(text: str, bold: bool) -> int:
    table = _TABLES[bold]
    return sum(table.get(letter) or _beyond(letter, bold) for letter in text)


@lru_cache(maxsize=4096)
def _beyond(letter: str, bold: bool) -> int:
    """The width of a letter that is in no table."""
    if unicodedata.category(letter) in ("Cf", "Mn", "Me"):
        return 0
    base = unicodedata.normalize("NFD", letter)[0]
    if base != letter and base in _TABLES[bold]:
        return _TABLES[bold][base]
    return _WIDE if unicodedata.east_asian_width(letter) in "WF" else _OTHER


@lru_cache(maxsize=65_536)
def broken(text: str, width: float, size: float, bold: bool = False) -> tuple[str, ...]:
    """A text as lines of at most ``width`` points. A word that is longer is broken, with a hyphen between letters."""
    room, space = width * UNITS / size, _TABLES[bold][" "]
    lines: list[str] = []
    line, used = "", 0.0
    for spaced, word in _words(clean(text)):
        needed = _units(word, bold)
        between = space if spaced and line else 0
        if used + between + needed <= room:
            line, used = (f"{line} {word}" if between else line + word), used + between + needed
            continue
        if line:
            lines.append(line)
        if needed > room:
            *full, line = _pieces(word, room, bold)
            lines += full
            used = _units(line, bold)
        else:
            line, used = word, needed
    return (*lines, line) if line else tuple(lines)


@lru_cache(maxsize=8192)
def _words(text: str) -> tuple[tuple[bool, str], ...]:
    """What a line may be broken between, each with whether a space stands before it: words, and letters of CJK."""
    found: list[tuple[bool, str]] = []
    for spaced, word in _parted(text):
        if found and (word in _CLOSING or found[-1][1] in _OPENING):
            found[-1] = (found[-1][0], f"{found[-1][1]} {word}" if spaced else found[-1][1] + word)
        else:
            found.append((spaced, word))
    return tuple(found)


def _parted(text: str) -> Iterator[tuple[bool, str]]:
    for word in text.split(" "):
        spaced, kept = True, ""
        for letter in word:
            if kept and unicodedata.east_asian_width(letter) in "WF" and letter not in _NEVER_FIRST:
                yield spaced, kept
                spaced, kept = False, ""
            kept += letter
        if kept:
            yield spaced, kept


def _pieces(word: str, room: float, bold: bool) -> list[str]:
    """A word that is wider than a line, as pieces that are not."""
    room -= _units("-", bold)
    pieces: list[str] = []
    piece, used = "", 0
    for letter in word:
        more = _units(letter, bold)
        if piece and used + more > room and not unicodedata.combining(letter):
            hyphen = "-" if piece[-1].isalpha() and ord(piece[-1]) < _HYPHENATED else ""
            pieces.append(piece + hyphen)
            piece, used = "", 0
        piece, used = piece + letter, used + more
    return [*pieces, piece]
