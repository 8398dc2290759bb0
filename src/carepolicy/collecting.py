"""How often Python looks for garbage while a run holds many open cases."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (1_000_000, 50, 1000)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Inside, Python looks for cycles of garbage seldom.

    Cases, rounds and records hold no cycles: they go when nothing refers to them. With many open cases
    the collector would look through all of them again and again and find nothing, which took a seventh of a run.
    Afterwards what is left counts as old, so that it is not looked through at once.
    """
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:  # else somebody's frozen objects would be thawed with ours
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)
