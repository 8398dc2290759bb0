"""A message as e-mail (RFC 5322). What customers wrote stands in it as data: nothing of it is ever read as a header, an
encoded word (RFC 2047) or another part.

The Message-ID is made of the request's id, so that a message that is sent twice can be known for one.
"""

from __future__ import annotations

import re
import unicodedata
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.engine.instants import datetime_of
from carepolicy.engine.values import MASK
from carepolicy.store.delivering import Undeliverable
from carepolicy.unseen import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.store.outbox import Request

UTF_8 = "utf-8"
SEVEN_BITS = SMTP.clone(cte_type="7bit")
"""A body of other letters is encoded, since not every server on the way takes eight bits."""

LONGEST_PLAIN, LONGEST_WORD = 60, 60
"""A name and a word of so many letters of ASCII may stand in a header as they are; RFC 5322 wants lines of 78."""

LONGEST_ADDRESS = 254
ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
BYTE_ORDER_MARK = "\ufeff"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class Mail(NamedTuple):
    """An e-mail as it is sent. ``wide``: an address has letters that only servers with SMTPUTF8 take (RFC 6531)."""

    sender: str
    to: str
    content: bytes
    wide: bool


def mail_channels(channels: Mapping[str, str]) -> dict[str, str]:
    """The channels whose own address is one of e-mail, with it."""
    return {name: address for name, address in channels.items() if address_of(address) is not None}


def mail_of(request: Request, organisation: str, sender: str, now: int) -> Mail:
    """The e-mail that a request asks for, from the address ``sender``. Raises ``Undeliverable``."""
    data = request.data
    to = data.get("to")
    if not to or to == MASK:
        raise Undeliverable("there is no address to send it to")
    whom, own = address_of(to), address_of(sender)
    if whom is None or own is None:
        raise Undeliverable("the address is none of e-mail")
    known = sha256(request.id.encode(UTF_8, "replace")).hexdigest()[:40]
    head = [
        f"From: {_phrase(on_one_line(organisation))}<{own}>",
        f"To: {whom}",
        f"Subject: {_header(on_one_line(data.get('subject') or '') or on_one_line(organisation), 'Subject')}",
        f"Date: {format_datetime(datetime_of(now))}",
        f"Message-ID: <{known}@{own.rpartition('@')[2]}>",
        "Auto-Submitted: auto-generated",  # RFC 3834: out-of-office replies leave it alone
    ]
    if LANGUAGE.fullmatch(data.get("language") or ""):
        head.append(f"Content-Language: {data['language']}")
    body = EmailMessage(policy=SEVEN_BITS)
    body.set_content(_text(data.get("text") or ""))
    content = "".join(f"{line}\r\n" for line in head).encode() + body.as_bytes()
    return Mail(own, whom, content, not (own + whom).isascii())


def address_of(text: str) -> str | None:
    """The one address that a text is, its domain as DNS has it; None where it is none, or more than one, or where a
    reader of headers could take it for something else (a comment, a quoted text, an encoded word)."""
    local, _, domain = text.rpartition("@")
    atoms = "".join("x" if each.isalnum() or unicodedata.category(each)[0] == "M" else each for each in local)
    if not all(ATOM.fullmatch(atom) for atom in atoms.split(".")) or "=?" in local or len(text) > LONGEST_ADDRESS:
        return None
    try:
        domain = domain.encode("idna").decode()
        # The library judges letters of ASCII alone; others (RFC 6531) stand where those may.
        Address(addr_spec=f"{atoms}@{domain}")
    except (ValueError, IndexError, HeaderParseError):  # how it says that a text is no address
        return None
    if not all(re.fullmatch(r"[A-Za-z0-9_-]+", label) for label in domain.split(".")):
        return None
    return f"{local}@{domain}"


def on_one_line(text: str) -> str:
    """A text as a header may tell it: no control character, nothing that turns what stands after it, one blank where
    several or a line break stood."""
    return re.sub(" +", " ", "".join(_safe(each, " ") for each in bounded(text))).strip(" ")


def _text(text: str) -> str:
    """A text as a body may be, its lines ended in one way."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace(BYTE_ORDER_MARK, "")  # readers disagree on it
    return "".join(each if each in "\n\t" else _safe(each, UNKNOWN, "\u2028\u2029") for each in lines)


def _safe(each: str, control: str, breaks: str = "") -> str:
    category = unicodedata.category(each)
    if category == "Cs":
        return UNKNOWN
    return control if category in ("Cc", "Zl", "Zp") and each not in breaks else each


def _header(text: str, name: str) -> str:
    """A text as the value of a header: as it is where nobody could decode anything in it, else all of it encoded."""
    plain = text.isascii() and "=?" not in text and all(len(word) <= LONGEST_WORD for word in text.split(" "))
    return Header(text, "us-ascii" if plain else UTF_8, header_name=name).encode(linesep="\r\n")


def _phrase(text: str) -> str:
    """A text as the name before an address, with the blank between."""
    if not text:
        return ""
    if text.isascii() and "=?" not in text and len(text) <= LONGEST_PLAIN:
        return formataddr((text, "x@x")).removesuffix("<x@x>")
    return Header(text, UTF_8, header_name="From").encode(linesep="\r\n") + " "
