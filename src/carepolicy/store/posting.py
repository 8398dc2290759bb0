"""Requests posted to a web address: the CloudEvent as it is, signed, with a key by which a second one is known."""

from __future__ import annotations

import hmac
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import orjson

from carepolicy.store.delivering import Undelivered
from carepolicy.store.outbox import KINDS, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.store.outbox import Request

PATIENCE = 10.0
"""Seconds that the receiver has for an answer."""

SIGNATURE = "X-Carepolicy-Signature"
AGAIN = frozenset((408, 425, 429))
"""Answers of the fours that may be otherwise later."""


class NoWebAddress(ValueError):
    """A text that is no address to post to; the message says why."""


def signature(secret: bytes, body: bytes, seconds: int) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 over "SECONDS.BODY", so that an old one cannot be used again much later."""
    return f"t={seconds},v1={hmac.digest(secret, str(seconds).encode() + b'.' + body, 'sha256').hex()}"


class Webhook:
    """Posts requests to one address; redirections are not followed. Raises ``NoWebAddress``."""

    channels: Sequence[str] | None = None

    def __init__(self, url: str, secret: bytes, kinds: Sequence[str] = KINDS) -> None:
        self.kinds = kinds
        self._secret = secret
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise NoWebAddress(f'"{url}" is no web address') from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoWebAddress(f'"{url}" is no web address; write https://HOST/PATH')
        if parts.username is not None:
            raise NoWebAddress("leave the user and the password out of the address: what is posted is signed")
        self._at = parts.hostname, port
        self._secure = parts.scheme == "https"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def deliver(self, request: Request, now: int) -> None:
        """Post one. Raises ``Undelivered``."""
        body = orjson.dumps(request.record)
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "Idempotency-Key": quote(request.id, safe="/"),
            SIGNATURE: signature(self._secret, body, now // SECOND),
            "User-Agent": "carepolicy",
        }
        host, port = self._at
        connection = (HTTPSConnection if self._secure else HTTPConnection)(host, port, timeout=PATIENCE)
        try:
            connection.request("POST", self._path, body, headers)
            status = connection.getresponse().status
        except TimeoutError:
            raise Undelivered(f"no answer within {PATIENCE:.0f} seconds") from None
        except (OSError, HTTPException) as fault:
            why = getattr(fault, "strerror", None) or type(fault).__name__
            raise Undelivered(f"{host} cannot be reached: {why}", unreachable=True) from None
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise Undelivered(f"the receiver answered {status}", lasting=300 <= status < 500 and status not in AGAIN)
