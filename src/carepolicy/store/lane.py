"""A thread in which answers of servers are waited for, so that whoever sends may have an event loop of his own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Result = TypeVar("Result")


class Lane:
    """One thread with an event loop, begun when something is to be done in it, and ended by ``close``."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._portal: BlockingPortal | None = None

    def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do ``work`` there, and wait for what comes of it. Raises what ``work`` raises."""
        if self._portal is None:
            self._portal = self._open.enter_context(start_blocking_portal())
        return self._portal.call(work)

    def close(self) -> None:
        """End the thread."""
        self._portal = None
        self._open.close()
