"""Patterns of ``matches``: regular expressions of RE2, which search a text in time that grows with its length only."""

from __future__ import annotations

from functools import lru_cache

LARGEST = 1 << 20
"""Bytes that RE2 may use for one pattern: ``(.{1,1000}){1,1000}`` is refused, not run."""


@lru_cache(maxsize=512)
def pattern_fault(pattern: str) -> str | None:
    """What is wrong with a pattern, None where RE2 takes it."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = LARGEST
    try:
        re2.compile(pattern, options)
    except re2.error as problem:
        said = problem.args[0] if problem.args else "it cannot be read"
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"the pattern is no regular expression of RE2: {words}"
    except UnicodeEncodeError:
        return "the pattern holds half a character"
    return None
