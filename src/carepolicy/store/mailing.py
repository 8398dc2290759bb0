"""Messages as e-mail (RFC 5322), handed to a mail server by SMTP.

The Message-ID is made of the request's id, so that a message that is sent twice can be known for one.
"""

from __future__ import annotations

import smtplib
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from carepolicy.engine.instants import datetime_of
from carepolicy.engine.values import MASK
from carepolicy.store.delivering import Undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carepolicy.store.outbox import Request

PATIENCE = 30.0
"""Seconds that a mail server has for an answer."""


def mail_channels(channels: Mapping[str, str]) -> dict[str, str]:
    """The channels whose own address is one of e-mail, with it."""
    return {name: address for name, address in channels.items() if _address(address) is not None}


def message_of(request: Request, organisation: str, sender: str, now: int) -> EmailMessage:
    """The e-mail that a request asks for, from the address ``sender``. Raises ``Undelivered``."""
    data = request.data
    to = data.get("to")
    if not to or to == MASK:
        raise Undelivered("there is no address to send it to", lasting=True)
    whom, own = _address(to), _address(sender)
    if whom is None or own is None:
        raise Undelivered("the address is none of e-mail", lasting=True)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_on_one_line(organisation), own.username, own.domain)
    mail["To"] = whom
    mail["Subject"] = _on_one_line(data.get("subject") or organisation)
    mail["Date"] = format_datetime(datetime_of(now))
    mail["Message-ID"] = f"<{sha256(request.id.encode()).hexdigest()[:40]}@{own.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office replies leave it alone
    mail.set_content(data.get("text") or "")
    if data.get("language"):
        mail["Content-Language"] = _on_one_line(data["language"])
    return mail


def _address(text: str) -> Address | None:
    """The one address that a text is, None where it is none, or more than one, or holds what a header may not."""
    if not text.isprintable() or any(each in text for each in " ,;<>()"):
        return None
    local, _, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode()
        # The library judges letters of ASCII alone; others (RFC 6531) stand where those may.
        Address(addr_spec=f"{''.join('x' if each.isalnum() else each for each in local)}@{domain}")
        return Address(username=local, domain=domain)
    except (ValueError, IndexError, HeaderParseError):  # how it says that a text is no address
        return None


def _on_one_line(text: str) -> str:
    """A text as a header may bear it: no line break in it can begin another header."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


class Mailer:
    """Sends messages through one connection to a mail server, which is opened at once. Raises ``Undelivered``."""

    kinds: Sequence[str] = ("message",)

    def __init__(
        self, host: str, port: int, organisation: str, channels: Mapping[str, str], starttls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._server = host, port
        self._organisation = organisation
        self._senders = mail_channels(channels)
        self.channels: Sequence[str] | None = sorted(self._senders)
        self._starttls, self._login = starttls, login
        self._smtp = self._connected()

    def deliver(self, request: Request, now: int) -> None:
        """Send one message. Raises ``Undelivered``; what the server said is not repeated, since it may name the
        customer."""
        mail = message_of(request, self._organisation, self._senders[request.data["channel"]], now)
        try:
            self._smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            code = next(iter(refused.recipients.values()))[0]
            raise Undelivered(f"the mail server refused the recipient ({code})", lasting=code >= 500) from None
        except smtplib.SMTPServerDisconnected:
            self._smtp = self._connected()  # the next one has a connection again
            raise Undelivered("the mail server ended the connection") from None
        except smtplib.SMTPResponseException as refused:
            code = refused.smtp_code
            raise Undelivered(f"the mail server refused the message ({code})", lasting=code >= 500) from None
        except smtplib.SMTPNotSupportedError:
            raise Undelivered("the mail server takes no address with such letters (SMTPUTF8)", lasting=True) from None
        except (OSError, smtplib.SMTPException) as fault:
            raise Undelivered(f"the mail server did not answer ({type(fault).__name__})", unreachable=True) from None

    def close(self) -> None:
        """End the connection."""
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()

    def _connected(self) -> smtplib.SMTP:
        host, port = self._server
        lacks = "encryption"
        try:
            smtp = smtplib.SMTP(host, port, timeout=PATIENCE)
            if self._starttls:
                import ssl

                try:
                    smtp.starttls(context=ssl.create_default_context())
                except ssl.SSLCertVerificationError as fault:
                    why = f"the certificate of the mail server {host}:{port} is not trusted: {fault.verify_message}"
                    raise Undelivered(why, unreachable=True) from None
            lacks = "login"
            if self._login is not None:
                smtp.login(*self._login)
        except smtplib.SMTPAuthenticationError:
            raise Undelivered(f"the mail server {host}:{port} refused the login", unreachable=True) from None
        except smtplib.SMTPNotSupportedError:
            raise Undelivered(f"the mail server {host}:{port} offers no {lacks}", unreachable=True) from None
        except (OSError, smtplib.SMTPException) as fault:
            why = getattr(fault, "strerror", None) or type(fault).__name__
            raise Undelivered(f"the mail server {host}:{port} cannot be reached: {why}", unreachable=True) from None
        return smtp
