"""A mail server to which messages are handed by SMTP (RFC 5321), and whose fault it is where one is not taken."""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import TYPE_CHECKING

import aiosmtplib

from carepolicy.store.delivering import Doubtful, ServerFault, Undelivered
from carepolicy.store.lane import Lane
from carepolicy.store.mail import mail_channels, mail_of
from carepolicy.store.outbox import Wanted
from carepolicy.store.servers import Server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.store.mail import Mail
    from carepolicy.store.outbox import Request

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
        self.wanted = Wanted(("message",), sorted(self._senders))
        self._starttls, self._login = starttls, login
        self._deadline = deadline
        said = (*(login or ()), str(starttls), settings)
        self.server = Server(f"{host}:{port}", "\0".join(said))
        self._smtp: aiosmtplib.SMTP | None = None
        self._lane = Lane()

    def deliver(self, request: Request, now: int) -> None:
        """Send one message. Raises ``Undelivered`` or ``ServerFault``; what the server said is not repeated, since it
        may name the customer."""
        mail = mail_of(request, self._organisation, self._senders[request.data["channel"]], now)
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
        chain: BaseException | None = fault
        while chain is not None:
            if isinstance(chain, ssl.SSLCertVerificationError):
                return f"the certificate of {self._told} is not trusted: {chain.verify_message}"
            if isinstance(chain, aiosmtplib.SMTPResponseException):
                return f"{self._told} cannot be worked with: it answered {chain.code}"
            if isinstance(chain, OSError) and chain.strerror:
                return f"{self._told} cannot be reached: {chain.strerror}"
            chain = chain.__cause__ or chain.__context__
        return f"{self._told} cannot be reached: {type(fault).__name__}"
