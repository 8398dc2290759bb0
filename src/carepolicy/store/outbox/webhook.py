"""Requests posted to a web address: the CloudEvent as it is, signed as https://www.standardwebhooks.com has it, with a
key by which a second one is known."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import orjson
import standardwebhooks

from carepolicy.engine.instants import datetime_of
from carepolicy.store.outbox.delivery import Doubtful, Lane, Server, ServerFault, Undeliverable, Undelivered, causes
from carepolicy.store.outbox.queue import SECOND, Selection
from carepolicy.store.url import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.store.outbox.queue import Request

PATIENCE = 10.0
"""Seconds that the receiver has for all of its answer."""

MOST_READ = 1 << 16
"""So much of an answer is read, so that the connection can be used again; nothing in it matters."""

ALL = Selection()
SECRET_PREFIX = "whsec_"
CONFLICTS = frozenset((409, 423, 425))
"""The receiver has the request in hand: another time may do."""

NOT_OURS = frozenset((401, 402, 403, 404, 405, 407, 408, 410, 421, 426, 429))
"""Answers of the fours that speak of the address, the permission or the load, not of what was posted."""

RESERVED = frozenset(
    ("content-type", "content-length", "transfer-encoding", "host", "connection", "idempotency-key", "user-agent")
)
"""Headers that are not the user's to set; those of the signature are not either."""


class NoWebAddress(ValueError):
    """A text that is no address to post to; the message says why."""


class NoSecret(ValueError):
    """A secret that is none; the message says why."""


def address_of(url: str) -> httpx.URL:
    """The web address that a text names; letters of other scripts are written as they must be. Raises
    ``NoWebAddress``."""
    try:
        found = httpx.URL(url)
        port, host = found.port, found.host
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise NoWebAddress(f"{shown(url)} is no web address") from None
    if found.userinfo:
        raise NoWebAddress("leave the user and the password out of the address; --header @FILE takes an Authorization")
    if found.scheme not in ("http", "https") or not host or not 0 < (443 if port is None else port) < 1 << 16:
        raise NoWebAddress(f"{shown(url)} is no web address; write https://HOST/PATH")
    return found


def signer_of(secret: str) -> standardwebhooks.Webhook:
    """Who signs with a secret: one that begins with ``whsec_`` is base64, of another its own letters are the key.
    Raises ``NoSecret``."""
    if not secret.startswith(SECRET_PREFIX):
        return standardwebhooks.Webhook(secret.encode("utf-8", "surrogateescape"))
    try:
        return standardwebhooks.Webhook(b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except (ValueError, standardwebhooks.webhooks.EmptyWebhookSecretError):
        raise NoSecret(f"a secret that begins with {SECRET_PREFIX} goes on in base64") from None


class Webhook:
    """Posts requests to one address; redirections are not followed. Raises ``NoWebAddress`` and ``NoSecret``."""

    def __init__(
        self, url: str, secret: str, selection: Selection = ALL, headers: Mapping[str, str] | None = None,
        settings: str = "", patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self.selection = selection
        self._url = address_of(url)
        self._signer = signer_of(secret)
        self._headers = dict(headers or {})
        self._patience = patience
        said = (str(self._url), secret, *(f"{name}:{value}" for name, value in self._headers.items()), settings)
        self.server = Server(self._url.host, "\0".join(said))
        self._client: httpx.AsyncClient | None = None
        self._lane = Lane()

    def deliver(self, request: Request, now: int) -> None:
        """Post one. Raises ``Undelivered`` or ``ServerFault``."""
        try:
            body = orjson.dumps(request.record)
        except TypeError:
            raise Undeliverable("the record holds what JSON cannot") from None
        known = quote(request.id, safe="/", errors="replace")
        headers = {
            **self._headers,
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "Idempotency-Key": known,
            "User-Agent": "carepolicy",
            "webhook-id": known,
            "webhook-timestamp": str(now // SECOND),
            "webhook-signature": self._signer.sign(known, datetime_of(now), body.decode()),
        }
        status, wait = self._lane.run(lambda: self._post(body, headers, now))
        if not 200 <= status < 300:
            raise _refused(status, wait)

    def close(self) -> None:
        """End the connection."""
        try:
            if self._client is not None:
                self._lane.run(self._client.aclose)
        finally:
            self._lane.close()

    async def _post(self, body: bytes, headers: Mapping[str, str], now: int) -> tuple[int, int]:
        """The status of the answer, and for how long (microseconds) it asks to be left alone."""
        if self._client is None:
            nothing = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            self._client = httpx.AsyncClient(timeout=self._patience, follow_redirects=False, cookies=nothing)
        status, wait = 0, 0
        try:
            async with (
                asyncio.timeout(self._patience),
                self._client.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                status, wait = answer.status_code, _wait(answer.headers.get("Retry-After"), now)
                read = 0
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read > MOST_READ:
                        break
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as fault:
            raise ServerFault(f"{self._url.host} cannot be reached: {_why(fault)}") from None
        except (TimeoutError, httpx.TimeoutException):
            if not status:  # else it has said what matters, and only goes on talking
                raise Doubtful(f"no answer within {self._patience:.0f} seconds") from None
        except httpx.HTTPError as fault:
            if not status:
                raise Doubtful(f"{self._url.host} ended the connection ({type(fault).__name__})") from None
        return status, wait


def _refused(status: int, wait: int) -> Exception:
    """Whose fault it is that a receiver answered so."""
    reason = f"the receiver answered {status}"
    if status == 500:
        return Doubtful(reason)
    if status >= 500 or status < 400 or status in NOT_OURS:
        return ServerFault(reason, wait)
    return Undelivered(reason, lasting=status not in CONFLICTS)


def _wait(said: str | None, now: int) -> int:
    """Microseconds that ``Retry-After`` asks for, as seconds or as a date; 0 where it says nothing that can be read."""
    if said is None:
        return 0
    if said.isascii() and said.strip().isdigit():
        return int(said.strip()[:9]) * SECOND
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return 0
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0, int((until - datetime_of(now)).total_seconds()) * SECOND)


def _why(fault: Exception) -> str:
    """Why there is no connection, in the words of the system where it has some."""
    said = (str(each.strerror) for each in causes(fault) if isinstance(each, OSError) and each.strerror)
    return next(said, str(fault) or type(fault).__name__)
