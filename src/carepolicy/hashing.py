"""BLAKE2b and SHA-256 by themselves. ``hashlib`` loads OpenSSL as well, and takes longer for that than short commands
hash."""

from importlib import import_module
from typing import Any

try:
    from _blake2 import blake2b
except ImportError:  # another Python than CPython
    from hashlib import blake2b

__all__ = ["blake2b", "sha256"]


def sha256(data: bytes) -> Any:
    """The SHA-256 of some bytes, as ``hashlib`` has it."""
    for module in ("_sha256", "_sha2", "hashlib"):  # the first until Python 3.11, the second after it
        try:
            return import_module(module).sha256(data)
        except ImportError:
            continue
    raise AssertionError("every Python has hashlib")
