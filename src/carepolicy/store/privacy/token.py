"""Fernet tokens (https://github.com/fernet/spec): AES-128-CBC with HMAC-SHA-256.

They are what ``cryptography.fernet`` makes and reads, made by that library's cipher and Python's HMAC, since what its
own class imports beside these takes a fiftieth of an event (docs/decisions/0031). Tests hold one against the other.
"""

from __future__ import annotations

import hmac
import os
from binascii import a2b_base64, b2a_base64

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from carepolicy.store.sql.sums import key_bytes

HALF, BLOCK, SIGNED = 16, 16, 32
"""Bytes of each of the two keys that one is made of, of a block of AES, and of the HMAC at the end of a token."""

FERNET, HEAD = b"\x80", 25
"""The byte with which a token begins, and the bytes before what is encrypted: that byte, eight of the seconds since
1970, and a block that nobody can foretell."""

TO_URL, FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


class Token:
    """Makes and opens the tokens of one key, as the key file has it."""

    def __init__(self, key: str) -> None:
        both = key_bytes(key)
        self._signs, self._encrypts = both[:HALF], both[HALF:]

    def sealed(self, plain: bytes, seconds: int) -> bytes:
        """The token of ``plain``, made at so many seconds since 1970."""
        nonce, lacking = os.urandom(BLOCK), BLOCK - len(plain) % BLOCK
        cipher = Cipher(AES(self._encrypts), CBC(nonce)).encryptor()
        text = cipher.update(plain + bytes((lacking,)) * lacking) + cipher.finalize()
        body = FERNET + seconds.to_bytes(8, "big") + nonce + text
        return b2a_base64(body + hmac.digest(self._signs, body, "sha256"), newline=False).translate(TO_URL)

    def opened(self, token: bytes) -> tuple[bytes, int] | None:
        """What a token holds, and when it was made; None where it is none of this key, or was altered."""
        try:
            whole = a2b_base64(token.translate(FROM_URL))
        except ValueError:
            return None
        body, signed = whole[:-SIGNED], whole[-SIGNED:]
        if not body.startswith(FERNET) or not hmac.compare_digest(hmac.digest(self._signs, body, "sha256"), signed):
            return None
        text = body[HEAD:]
        if not text or len(text) % BLOCK:
            return None
        cipher = Cipher(AES(self._encrypts), CBC(body[HEAD - BLOCK : HEAD])).decryptor()
        padded = cipher.update(text) + cipher.finalize()
        lacking = padded[-1]
        if not 0 < lacking <= BLOCK or not padded.endswith(bytes((lacking,)) * lacking):
            return None
        return padded[:-lacking], int.from_bytes(body[1:9], "big")
