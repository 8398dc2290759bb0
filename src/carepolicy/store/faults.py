"""What can be wrong with a store, each named for what happened. No message holds a private fact."""

from __future__ import annotations


class StoreFault(Exception):
    """Something is wrong with a store; the message says what, in a sentence."""


class NoStoreUrl(StoreFault):
    """A text that names no store."""


class Unreachable(StoreFault):
    """The store cannot be reached, or the connection to it was lost."""


class NotAStore(StoreFault):
    """The file or database holds something else."""


class NewerSchema(StoreFault):
    """The store was written by a later carepolicy than this one."""


class ReadOnly(StoreFault):
    """The store may only be read."""


class Full(StoreFault):
    """There is no room left where the store is kept; the transaction was undone."""


class Busy(StoreFault):
    """Another process holds the store for too long."""


class WrongKey(StoreFault):
    """Private facts cannot be opened with the key at hand."""


class NotInstalled(StoreFault):
    """The store has no policy set yet."""


class Again(StoreFault):
    """The transaction lost against another one and was undone; the same work may be done again."""


class Altered(StoreFault):
    """What proves the contents of the store is not what it was."""
