"""Messages as e-mail (RFC 5322), and a mail server to which they are handed by SMTP (RFC 5321).

What customers wrote stands in an e-mail as data: nothing of it is ever read as a header, an encoded word (RFC 2047) or
another part.

The Message-ID is made of the request's id. So a message that is sent twice is known for one; and each mail can name
those of its case that went before it, which makes them one thread, without their ids being kept anywhere.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import unicodedata
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import aiosmtplib

from carepolicy.engine.effects import REPLIES_TO
from carepolicy.engine.instants import datetime_of
from carepolicy.policy.characters import MASK, bounded
from carepolicy.store.outbox.delivery import Doubtful, Lane, Server, ServerFault, Undeliverable, Undelivered, causes
from carepolicy.store.outbox.queue import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.store.outbox.queue import Request

PATIENCE = 30.0
"""Seconds that a mail server has for each of its answers."""

DEADLINE = 120.0
"""Seconds that handing over one message may take in all, however often the server lets hear of itself."""

FAREWELL = 1.0
"""Seconds that a mail server has for its last answer, which matters to nobody."""

TOO_LARGE = (523, 552)
LOGIN_FIRST = (530, 534, 535, 538)
ENHANCED = re.compile(r"[45]\.(\d{1,3})\.\d{1,3}\b")
"""The status of RFC 3463 before the text of an answer: its second number says what was wrong."""

OWN, POLICY = ("1", "2"), "7"
"""What is wrong with the address or the mailbox is wrong with that message. What the policy of the server forbids may
be this message, or all that comes from here."""


class MailServer:
    """Sends messages through one connection to a mail server, which is opened when the first is sent."""

    def __init__(
        self, host: str, port: int, organisation: str, channels: Mapping[str, str], starttls: bool = False,
        login: tuple[str, str] | None = None, settings: str = "", deadline: float = DEADLINE,
    ) -> None:  # fmt: skip
        self._told = f"the mail server {host}:{port}"
        self._host, self._port = host, port
        self._organisation = organisation
        self._senders = mail_channels(channels)
        self.selection = Selection(("message",), sorted(self._senders), threads=True)
        self._starttls, self._login = starttls, login
        self._deadline = deadline
        said = (*(login or ()), str(starttls), settings)
        self.server = Server(f"{host}:{port}", "\0".join(said))
        self._smtp: aiosmtplib.SMTP | None = None
        self._lane = Lane()

    def deliver(self, request: Request, now: int) -> None:
        """Send one message. Raises ``Undelivered`` or ``ServerFault``; what the server said is not repeated, since it
        may name the customer."""
        mail = mail_of(request, self._organisation, self._senders, now)
        self._lane.run(lambda: self._within(mail))

    def close(self) -> None:
        """End the connection."""
        try:
            if self._smtp is not None:
                smtp = self._smtp
                self._lane.run(lambda: self._leave(smtp))
        finally:
            self._lane.close()

    async def _leave(self, smtp: aiosmtplib.SMTP) -> None:
        if smtp.is_connected:
            try:
                await smtp.quit(timeout=FAREWELL)
            except (OSError, aiosmtplib.SMTPException):
                smtp.close()

    async def _within(self, mail: Mail) -> None:
        """Send a message before the deadline."""
        try:
            async with asyncio.timeout(self._deadline):
                await self._send(mail)
        except TimeoutError:
            self._drop()
            raise Doubtful(f"{self._told} did not take the message within {self._deadline:.0f} seconds") from None

    async def _send(self, mail: Mail) -> None:
        for again in (False, True):
            fresh = self._smtp is None or not self._smtp.is_connected
            smtp = await self._connected()
            try:
                await self._address(smtp, mail)
                break
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as fault:
                self._drop()
                if fresh or again:  # else it had waited for long, and the server did not: nothing was sent yet
                    raise ServerFault(f"{self._told} ended the connection ({type(fault).__name__})") from None
        try:
            await smtp.data(mail.content, timeout=PATIENCE)
        except aiosmtplib.SMTPDataError as refused:
            await self._refused(smtp, "message", refused)
        except (aiosmtplib.SMTPException, OSError) as fault:
            self._drop()
            raise Doubtful(f"{self._told} did not take the message ({type(fault).__name__})") from None

    async def _address(self, smtp: aiosmtplib.SMTP, mail: Mail) -> None:
        """Say from whom a message is and to whom it goes."""
        encoding, options = "ascii", []
        if mail.wide:
            if not smtp.supports_extension("smtputf8"):
                raise Undelivered("the mail server takes no address with such letters (SMTPUTF8)", lasting=True)
            encoding, options = "utf-8", ["SMTPUTF8", "BODY=8BITMIME"]
        if smtp.supports_extension("size"):
            options.append(f"SIZE={len(mail.content)}")
        try:
            await smtp.mail(mail.sender, options=options, encoding=encoding, timeout=PATIENCE)
        except aiosmtplib.SMTPSenderRefused as refused:
            await self._again_from_the_start(smtp)
            if refused.code in TOO_LARGE:
                raise Undelivered(f"the message is too large for the mail server ({refused.code})", True) from None
            raise ServerFault(f"{self._told} refused to take mail from us ({refused.code})") from None
        try:
            await smtp.rcpt(mail.to, encoding=encoding, timeout=PATIENCE)
        except aiosmtplib.SMTPRecipientRefused as refused:
            await self._refused(smtp, "recipient", refused)

    async def _refused(self, smtp: aiosmtplib.SMTP, what: str, refused: aiosmtplib.SMTPResponseException) -> None:
        """Say whose fault a refusal is. Always raises."""
        await self._again_from_the_start(smtp)
        code, reason = refused.code, f"the mail server refused the {what} ({refused.code})"
        if code == 421 or code in LOGIN_FIRST:
            raise ServerFault(reason)
        enhanced = ENHANCED.match(refused.message)
        about = enhanced[1] if enhanced else ""
        lasting = code >= 500
        if about == POLICY or (not lasting and about not in OWN):
            raise Doubtful(reason, lasting)
        raise Undelivered(reason, lasting)

    async def _again_from_the_start(self, smtp: aiosmtplib.SMTP) -> None:
        """Have the server forget the message that it refused."""
        try:
            await smtp.rset(timeout=PATIENCE)
        except (OSError, aiosmtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def _connected(self) -> aiosmtplib.SMTP:
        """The connection, opened where there is none. Raises ``ServerFault``."""
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        smtp = aiosmtplib.SMTP(
            hostname=self._host, port=self._port, timeout=PATIENCE, start_tls=False,
            tls_context=ssl.create_default_context() if self._starttls else None,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                await smtp.connect()
                await smtp.ehlo()
                await self._secured(smtp)
        except (aiosmtplib.SMTPException, OSError) as fault:
            smtp.close()
            raise ServerFault(self._why(fault)) from None
        except ServerFault:
            smtp.close()
            raise
        self._smtp = smtp
        return smtp

    async def _secured(self, smtp: aiosmtplib.SMTP) -> None:
        """Encrypt the connection and log in, as far as that was asked for. Raises ``ServerFault``."""
        if self._starttls:
            if not smtp.supports_extension("starttls"):
                raise ServerFault(f"{self._told} offers no encryption")
            await smtp.starttls()
            await smtp.ehlo()
        if self._login is not None:
            if not smtp.supports_extension("auth"):
                raise ServerFault(f"{self._told} offers no login")
            await smtp.login(*self._login)

    def _why(self, fault: Exception) -> str:
        """Why there is no connection."""
        if isinstance(fault, aiosmtplib.SMTPAuthenticationError):
            return f"{self._told} refused the login"
        for each in causes(fault):
            if isinstance(each, ssl.SSLCertVerificationError):
                return f"the certificate of {self._told} is not trusted: {each.verify_message}"
            if isinstance(each, aiosmtplib.SMTPResponseException):
                return f"{self._told} cannot be worked with: it answered {each.code}"
            if isinstance(each, OSError) and each.strerror:
                return f"{self._told} cannot be reached: {each.strerror}"
        return f"{self._told} cannot be reached: {type(fault).__name__}"


UTF_8 = "utf-8"
SEVEN_BITS = SMTP.clone(cte_type="7bit")
"""A body of other letters is encoded, since not every server on the way takes eight bits."""

LONGEST_PLAIN, LONGEST_WORD = 60, 60
"""A name and a word of so many letters of ASCII may stand in a header as they are; RFC 5322 wants lines of 78."""

LONGEST_ADDRESS = 254
LONGEST_ID = 900
"""Of a Message-ID: a line of a header may have 998 letters, and an id cannot be folded."""

MESSAGE_ID = re.compile(r"<?([!-;=?-~]+@[!-;=?-~]+)>?")
"""Letters of ASCII that are seen, without angle brackets; readers of mail are as lenient."""

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


def mail_of(request: Request, organisation: str, senders: Mapping[str, str], now: int) -> Mail:
    """The e-mail that a request asks for, from the address of its channel. Raises ``Undeliverable``."""
    data = request.data
    to = data.get("to")
    if not to or to == MASK:
        raise Undeliverable("there is no address to send it to")
    own_addresses = {channel: address_of(address) for channel, address in senders.items()}
    whom, own = address_of(to), own_addresses.get(data["channel"])
    if whom is None or own is None:
        raise Undeliverable("the address is none of e-mail")
    head = [
        f"From: {_phrase(on_one_line(organisation))}<{own}>",
        f"To: {whom}",
        f"Subject: {_header(on_one_line(data.get('subject') or '') or on_one_line(organisation), 'Subject')}",
        f"Date: {format_datetime(datetime_of(now))}",
        f"Message-ID: {message_id(request.id, own)}",
        *_thread(request, own_addresses),
        "Auto-Submitted: auto-generated",  # RFC 3834: out-of-office replies leave it alone
    ]
    if LANGUAGE.fullmatch(data.get("language") or ""):
        head.append(f"Content-Language: {data['language']}")
    body = EmailMessage(policy=SEVEN_BITS)
    body.set_content(_text(data.get("text") or ""))
    content = "".join(f"{line}\r\n" for line in head).encode() + body.as_bytes()
    return Mail(own, whom, content, not (own + whom).isascii())


def message_id(request: str, own: str) -> str:
    """What a mail of ours from the address ``own`` is known by. It tells nothing of the request but that it is one."""
    known = sha256(request.encode(UTF_8, "replace")).hexdigest()[:40]
    return f"<{known}@{own.rpartition('@')[2]}>"


def _thread(request: Request, own: Mapping[str, str | None]) -> Iterator[str]:
    """The headers by which a mail belongs to those before it in its case (RFC 5322, 3.6.4): the customer's own, as far
    as their Message-IDs are known, and ours. It replies to the last of them."""
    before: dict[str, None] = {}
    for each in request.thread:
        address = own.get(each.channel)
        if address is None:
            continue  # a letter, a chat
        if (theirs := customers_id(each.answers)) is not None:
            before.setdefault(theirs)
        before[message_id(each.id, address)] = None
    if (theirs := customers_id(request.data.get(REPLIES_TO))) is not None:
        before.setdefault(theirs)
    if before:
        yield f"In-Reply-To: {list(before)[-1]}"
        yield "References: " + "\r\n ".join(before)


def customers_id(said: object) -> str | None:
    """A Message-ID as a header may tell it, in its angle brackets; None where a text is none: one that could be taken
    for anything else in a header is left out of it."""
    found = MESSAGE_ID.fullmatch(said.strip()) if isinstance(said, str) else None
    if found is None or len(found[1]) > LONGEST_ID or "=?" in found[1]:
        return None
    return f"<{found[1]}>"


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
