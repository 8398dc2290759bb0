"""What ``carepolicy event`` does when it is known what was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from carepolicy.cli.living import operation_or_exit, tell_letters, wall_clock
from carepolicy.cli.status import DONE, NO, Refused
from carepolicy.cli.stores import open_or_exit
from carepolicy.cli.times import until_of
from carepolicy.engine.instants import text_of
from carepolicy.store.typing_in import NotTyped, event_line

if TYPE_CHECKING:
    from carepolicy.cli.plainly import Asked

HARMLESS = frozenset(("CP910", "CP911"))


def happen(asked: Asked) -> int:
    """Let the event happen in the store and print its records; the exit status. Raises ``Refused``."""
    with open_or_exit(asked.store, policies=asked.policies) as opened:
        operation, bundle = operation_or_exit(opened, asked.policies)
        when = until_of(asked.at, bundle)
        time = text_of(wall_clock() if when is None else when)
        try:
            line = event_line(bundle, asked.type_, asked.subject, asked.data, time, asked.identity, asked.source)
        except NotTyped as fault:
            raise Refused(str(fault)) from None
        done = operation.take([(1, line)])
    if not asked.quiet:
        sys.stdout.write(done.records)
    tell_letters(done.letters)
    return NO if set(done.tally) - HARMLESS else DONE
