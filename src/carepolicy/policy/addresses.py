"""Telephone numbers and addresses of e-mail: one form in which each is kept, however it was written.

Numbers are E.164 (``+442079460123``, with ``;ext=5`` where there is an extension), as the library phonenumbers reads
them. It and its tables take 30 ms and more to import, so that only what has a number to read imports it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

PHONE, EMAIL = "phone", "email"
SPELLED = frozenset((PHONE, EMAIL))
"""Types of facts whose values are written in several ways and kept in one."""

MAIL_ID = "mail.message_id"
"""The fact that holds the Message-ID of the customer's last mail, where a set declares it."""

LONGEST_ADDRESS, LONGEST_LOCAL, LONGEST_LABEL = 254, 64, 63
"""Of no whole address, and of no part, that is as long as ``LONGEST_LOCAL`` is one too long but a label."""
LONGEST_NUMBER = 60
"""Letters in which a telephone number may be written."""

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"

_INTERNATIONAL = r"\+[1-9][0-9 .\-]*(?:\([0-9 ]*[1-9][0-9 ]*\)[0-9 .\-]*)*"
"""A number with its country before it, of which nothing need be known: no digit stands there for some countries only,
as the 0 does in ``+44 (0)20``."""

_DIGITS = "0123456789"
_IN_NUMBERS = f"{_DIGITS} .-/()"


def spelled(kind: str, written: str, region: str | None) -> str | None:
    """A telephone number or an address in the form in which it is kept; None where it is none."""
    return number_of(written, region) if kind == PHONE else email_of(written)


def is_region(region: str) -> bool:
    """Whether there are telephone numbers of a region."""
    return region in _phones().SUPPORTED_REGIONS


def regions() -> list[str]:
    """The regions of which there are telephone numbers."""
    return sorted(_phones().SUPPORTED_REGIONS)


@lru_cache(maxsize=4096)
def number_of(written: str, region: str | None) -> str | None:
    """A telephone number in E.164; one without its country is of ``region``. None where it is none, or only part of
    one: numbers of a town without its code are several customers'."""
    if len(written) > LONGEST_NUMBER:
        return None
    phones = _phones()
    try:
        number = phones.parse(written, region)
    except phones.NumberParseException:
        return None
    if phones.is_possible_number_with_reason(number) != phones.ValidationResult.IS_POSSIBLE:
        return None
    found: str = phones.format_number(number, phones.PhoneNumberFormat.E164)
    return f"{found};ext={number.extension}" if number.extension else found


def alike(written: str, region: str | None) -> str:
    """What a text that should be a telephone number is compared by: the number, or the text where it is none. A plain
    international number is read without the library."""
    text = written.strip()
    if re.fullmatch(_INTERNATIONAL, text):
        return "+" + "".join(each for each in text if each in "0123456789")
    return number_of(text, region) or text


def is_like_a_number(address: str) -> bool:
    """Whether an organisation's own address on a channel is a telephone number, so that customers' are ones as well."""
    text = address.strip().removeprefix("+")
    return len(text) > 4 and text[0] in _DIGITS and not text.strip(_IN_NUMBERS)


@lru_cache(maxsize=4096)
def number_in_words(kept: str, region: str | None) -> str:
    """A number as people of a region read it: of their own country without its code."""
    phones = _phones()
    try:
        number = phones.parse(kept, None)
    except phones.NumberParseException:
        return kept  # what stands for a number on a page of samples
    own = region is not None and phones.country_code_for_region(region) == number.country_code
    form = phones.PhoneNumberFormat.NATIONAL if own else phones.PhoneNumberFormat.INTERNATIONAL
    return str(phones.format_number(number, form))


def example_number(region: str | None) -> str:
    """A number of a region that could be a customer's, as a test may use it."""
    phones = _phones()
    number = phones.example_number(region or "GB") or phones.example_number("GB")
    return str(phones.format_number(number, phones.PhoneNumberFormat.E164))


def _phones() -> Any:
    import phonenumbers  # only what has a number to read waits for it

    return phonenumbers


@cache
def _plain() -> re.Pattern[str]:
    """An address as most are written, which is kept as it is where it is not long."""
    return re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]+")


def email_of(written: str) -> str | None:
    """The one address that a text is, in small letters, its domain as DNS has it; None where it is none, or could be
    taken for something else in a header (a quoted text, a comment, a name before it)."""
    if len(written) <= LONGEST_LOCAL and _plain().fullmatch(written):
        return written
    import unicodedata  # most addresses are plain

    text = unicodedata.normalize("NFC", written.strip().lower())
    local, _, domain = text.rpartition("@")
    plain = local if local.isascii() else "".join("x" if _is_letter(each) else each for each in local)
    if not all(re.fullmatch(_ATOM, atom) for atom in plain.split(".")) or "=?" in local or len(local) > LONGEST_LOCAL:
        return None
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            return None
    labels = domain.split(".")
    fits = all(len(each) <= LONGEST_LABEL and re.fullmatch(_LABEL, each) for each in labels)
    if len(labels) < 2 or labels[-1].isdigit() or not fits or len(f"{local}@{domain}") > LONGEST_ADDRESS:
        return None
    return f"{local}@{domain}"


def _is_letter(each: str) -> bool:
    import unicodedata

    return each.isalnum() or unicodedata.category(each)[0] == "M"


def email_in_words(kept: str) -> str:
    """An address as people read it: the letters of its domain, and not how DNS writes them."""
    if "xn--" not in kept:
        return kept
    local, _, domain = kept.rpartition("@")
    try:
        return f"{local}@{domain.encode().decode('idna')}"
    except UnicodeError:
        return kept
