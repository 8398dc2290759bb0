"""What printed pages say of themselves, by language. Texts of the policy are never translated here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from carepolicy.translations import Own, msg, translation_of


@dataclass(frozen=True, slots=True)
class PrintWords:
    """Words that stand on paper alone; ``{}`` marks where a value goes."""

    contents: str = msg("Contents")
    page_of: str = msg("page {} of {}")
    page_ref: str = msg("(p. {})")
    edition: str = msg("Policy set {}")
    as_of: str = msg("As of {}")
    plan: str = msg("How we answer customers: the plan")
    purposes: str = msg("What each flow is for")
    reached: str = msg("How customers reach us")
    staffed: str = msg("Staffed")
    address: str = msg("Address")
    channel: str = msg("Channel")
    purpose: str = msg("Purpose")
    waits: str = msg("How long customers wait at most")
    stewards: str = msg("Who gathers feedback and keeps flows up to date")
    times: str = msg("Times")
    written: str = msg("What customers are written, and where")
    message: str = msg("Message")
    sent: str = msg("Sent at")
    any_step: str = msg("any step")
    step: str = msg("step {}")
    noted: str = msg("What is written down")
    noted_facts: str = msg("Written down")
    kept: str = msg("What is known of a case is erased {} after it closes.")
    booklet: str = msg("Booklet: {}")
    card: str = msg("Quick cards")
    continued: str = msg("card {} of {}")


@lru_cache(maxsize=64)
def print_words(language: str, own: Own = ()) -> PrintWords:
    """The words in a language ("fr", "fr-CA"); ``own`` are catalogues of the set."""
    return translation_of(language, own).all(PrintWords())
