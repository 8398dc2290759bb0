"""Comparisons, sums and products: what may stand on their two sides, and the code that they become."""

from __future__ import annotations

from dataclasses import replace

from carepolicy.guards.faults import NAME, TYPE, VALUE, Fault
from carepolicy.guards.kinds import (
    DURATION,
    FLAG,
    NUMBER,
    NUMERIC,
    TEXT,
    TEXTS,
    TIME,
    UNKNOWN,
    Draft,
    Piece,
    Type,
    common,
)
from carepolicy.policy.addresses import SPELLED
from carepolicy.policy.likeness import did_you_mean, nearest, sole

OPERATORS = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
}

OPERATIONS = {
    "addition_add": "add",
    "addition_sub": "sub",
    "multiplication_mul": "mul",
    "multiplication_div": "div",
    "multiplication_mod": "mod",
}
_SAID = {"add": "added", "sub": "subtracted", "mul": "multiplied", "div": "divided", "mod": "divided"}


def compared(draft: Draft, operator: str, left: Piece, right: Piece, start: int, end: int) -> Piece:
    """``left operator right``; false where either side has no value."""
    left, right = _spelled_sides(draft, left, right)
    if operator == "in":
        return _member(draft, left, right, start, end)
    _comparable(draft, operator, left, right)
    kinds = {left.type.kind, right.type.kind}
    if "list" in kinds:
        word = "same" if operator == "==" else "differ"
        return Piece(FLAG, f"{word}({left.code}, {right.code})", False, start, end)
    codes = [left.exact, right.exact] if "money" in kinds else [left.code, right.code]
    checks = []
    for number, each in enumerate((left, right)):
        # Nothing equals no value, so that == needs no check where one side always has a value.
        if each.may_miss and not (operator == "==" and not (left.may_miss and right.may_miss)):
            name = draft.fresh()
            checks.append(f"({name} := {codes[number]}) is not None")
            codes[number] = name
    return Piece(FLAG, "(" + " and ".join([*checks, f"{codes[0]} {operator} {codes[1]}"]) + ")", False, start, end)


def _spelled_sides(draft: Draft, left: Piece, right: Piece) -> tuple[Piece, Piece]:
    """Both sides, where one is a telephone number or an address what is written on the other as such are kept."""
    one, other = (each.type.item or each.type for each in (left, right))
    if one.kind in SPELLED:
        if right.members:
            members = tuple(draft.spelled(one.kind, each) for each in right.members)
            code = "(" + "".join(f"{each.code}, " for each in members) + ")"
            return left, replace(right, code=code, members=members)
        return left, draft.spelled(one.kind, right)
    if other.kind in SPELLED:
        swapped = _spelled_sides(draft, right, left)
        return swapped[1], swapped[0]
    return left, right


def _comparable(draft: Draft, operator: str, left: Piece, right: Piece) -> None:
    kinds = {left.type.kind, right.type.kind}
    if "unknown" in kinds:
        for one, other in ((left, right), (right, left)):
            if one.type.kind == "choice" and other.type.kind == "unknown":
                _lacks_quotes(draft, one.type, other)
        return
    for one, other in ((left, right), (right, left)):
        if one.type.kind == "choice" and isinstance(other.literal, str):
            _is_value(draft, one.type, other)
    if kinds == {"money"} and common(left.type, right.type) is None:
        draft.fault(TYPE, f"{left.type.currency} is compared with {right.type.currency}", right)
    elif kinds & SPELLED and len(kinds) > 1:
        spelled = "/".join(sorted(kinds & SPELLED))
        hint = (
            f"write the {'number' if spelled == 'phone' else 'address'} in quotes, or make both facts type: {spelled}"
        )
        draft.fault(TYPE, f"{left.type} is compared with {right.type}", right, hint)
    elif not (len(kinds) == 1 or kinds <= NUMERIC or kinds <= TEXTS) or (
        kinds == {"list"} and common(left.type, right.type) is None
    ):
        hint, replacement = _hint(left, right)
        draft.fault(TYPE, f"{left.type} is compared with {right.type}", right, hint, replacement)
    elif operator not in ("==", "!=") and kinds & {"flag", "choice", "list"}:
        draft.fault(TYPE, f"{left.type} has no order: {operator} does not compare it", left)


def _hint(left: Piece, right: Piece) -> tuple[str, str | None]:
    """How the right side would go with the left one, and what may stand there instead."""
    kinds = (left.type.kind, right.type.kind)
    if left.type.kind in NUMERIC and isinstance(right.literal, str):
        bare = right.literal.strip()
        written = bare if bare.replace(".", "", 1).isascii() and bare.replace(".", "", 1).isdigit() else None
        return f"write {bare} without quotes" if written else "", written
    if kinds == ("text", "number") and right.literal is not None:
        return "put quotes around it", f'"{right.literal}"'
    if kinds[0] == "flag" and right.literal in ("true", "false", "yes", "no"):
        written = "true" if right.literal in ("true", "yes") else "false"
        return f"write {written} without quotes", written
    wants = {
        "date": 'write a date as date("2026-03-02")',
        "time": 'write an instant as timestamp("2026-03-02T09:00:00Z")',
        "duration": 'write a duration as duration("90m")',
    }
    return wants.get(kinds[0]) or wants.get(kinds[1], ""), None


def _is_value(draft: Draft, kind: Type, other: Piece) -> None:
    value = str(other.literal)
    if value not in kind.of:
        near = sole(value, kind.of)
        said = f'there is no value "{value}" here'
        written = None if near is None else draft.quoted(near, other)
        draft.fault(VALUE, said, other, did_you_mean(value, kind.of), written)


def _lacks_quotes(draft: Draft, kind: Type, other: Piece) -> None:
    """A value of a choice without quotes was told as an unknown name: say what it lacks."""
    text = _text_of(draft, other)
    value = nearest(text, kind.of)
    last = draft.faults[-1] if draft.faults else None
    if value is not None and last is not None and (last.code, last.start) == (NAME, other.start):
        said, better = f'"{text}" is a text, and stands without quotes', f'"{value}"'
        draft.faults[-1] = Fault(NAME, said, f"write {better}", last.start, last.end, better)


def _member(draft: Draft, left: Piece, right: Piece, start: int, end: int) -> Piece:
    """``left in right``: whether a list holds a value."""
    item = right.type.item
    if item is None:
        if right.type.kind != "unknown":
            hint = f"does it contain the text? write {_text_of(draft, right)}.contains(...)"
            said = f"in needs a list, and this is {right.type}"
            draft.fault(TYPE, said, right, hint if right.type.kind in TEXTS else "write [one, other]")
        return Piece(FLAG, "False", False, start, end)
    if right.members and item.kind != "unknown":
        for each in right.members:
            _comparable(draft, "==", left, each)
    else:
        _comparable(draft, "==", Piece(item, "", False, right.start, right.end), left)
    if "list" in (item.kind, left.type.kind):
        return Piece(FLAG, f"holds_list({right.code}, {left.code})", False, start, end)
    if left.type.kind == "money" and item.kind == "number":
        return Piece(FLAG, f"holds(mapped({right.code}, dec), {left.code})", False, start, end)
    code = left.exact if item.kind == "money" else left.code
    if not left.may_miss and not right.may_miss:
        return Piece(FLAG, f"({code} in {right.code})", False, start, end)
    return Piece(FLAG, f"holds({right.code}, {code})", False, start, end)


def _text_of(draft: Draft, piece: Piece) -> str:
    return draft.text[piece.start : piece.end].strip()


def either_type(one: Piece, other: Piece) -> Type:
    """The type of two ways or members that go together, unknown where they do not."""
    return common(one.type, other.type) or UNKNOWN


def calculated(draft: Draft, word: str, left: Piece, right: Piece, start: int, end: int) -> Piece:
    """``left + right`` and the like: no value where there is none to be had."""
    kinds = (left.type.kind, right.type.kind)
    kind = UNKNOWN if "unknown" in kinds else _sum_type(word, left.type, right.type)
    if kind is None:
        place = Piece(UNKNOWN, "", False, start, end)
        texts = word == "add" and "text" in kinds
        hint = "string(...) makes a text of a number" if texts else ""
        draft.fault(TYPE, f"{left.type} and {right.type} cannot be {_SAID[word]}", place, hint)
        kind = UNKNOWN
    codes = (left.exact, right.exact) if "money" in kinds else (left.code, right.code)
    return Piece(kind, f"{word}({codes[0]}, {codes[1]})", True, start, end)


def _sum_type(word: str, left: Type, right: Type) -> Type | None:
    kinds = (left.kind, right.kind)
    if set(kinds) <= NUMERIC:
        return _number_type(word, left, right)
    if word == "add" and set(kinds) <= TEXTS:
        return TEXT
    if word == "add" and kinds == ("list", "list"):
        return common(left, right)
    if kinds in (("time", "duration"), ("duration", "time")) and (word == "add" or (word, kinds[0]) == ("sub", "time")):
        return TIME
    if word in ("add", "sub") and kinds == ("duration", "duration"):
        return DURATION
    return DURATION if word == "sub" and kinds == ("time", "time") else None


def _number_type(word: str, left: Type, right: Type) -> Type | None:
    kinds = (left.kind, right.kind)
    if kinds == ("number", "number"):
        return NUMBER
    if word in ("add", "sub", "mod"):
        return common(left, right)
    if kinds == ("money", "number"):
        return left
    if kinds == ("number", "money"):
        return right if word == "mul" else None
    return NUMBER if word == "div" and common(left, right) is not None else None
