"""BLAKE2b by itself. ``hashlib`` loads OpenSSL as well, and takes longer for that than short commands hash."""

try:
    from _blake2 import blake2b
except ImportError:  # another Python than CPython
    from hashlib import blake2b

__all__ = ["blake2b"]
