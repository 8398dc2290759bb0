"""What the guards and expressions of a set say. Flows say much the same in many places: each text is read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carepolicy.guards import presence
from carepolicy.guards.faults import ExpressionError
from carepolicy.guards.names import chain
from carepolicy.guards.parser import inside, parse
from carepolicy.policy.node import CelText

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from carepolicy.guards.presence import Lack
    from carepolicy.guards.proof import Formula, Ground, GuardVerdict

Knows = Callable[[str], bool]
"""Whether a name surely has a value."""

NONE: frozenset[str] = frozenset()
MOST = 20_000
"""Texts that are kept."""


class Guards:
    """The guards and expressions that were asked for so far. Of one that cannot be read nothing is said here: what is
    wrong with it is told where it stands, by the rules on expressions."""

    def __init__(self) -> None:
        self.trees: dict[str, Any] = {}
        self.sound: set[tuple[object, ...]] = set()
        self._where: dict[tuple[str, bool], frozenset[str]] = {}
        self._asked: dict[str, frozenset[str]] = {}
        self._compared: dict[str, tuple[Lack, ...]] = {}
        self._needed: dict[str, tuple[tuple[Lack, ...], bool]] = {}
        self._formulas: dict[tuple[str, *tuple[frozenset[str], ...]], Formula | None] = {}
        self._verdicts: dict[tuple[Formula, ...], GuardVerdict] = {}

    @property
    def is_full(self) -> bool:
        """Whether so much was read that it is better to begin anew, as where a set is edited for days."""
        return len(self.trees) > MOST

    def tree(self, text: str) -> Any | None:
        """The tree of an expression; None where it cannot be read. Whatever says the same has the same tree."""
        if text not in self.trees:
            try:
                self.trees[text] = parse(text)
            except ExpressionError:
                self.trees[text] = None
        tree = self.trees[text]
        if isinstance(text, CelText):
            text.tree = tree
        return tree

    def where(self, text: str, holds: bool) -> frozenset[str]:
        """The names that surely have a value where a guard holds, or where it does not."""
        found = self._where.get((text, holds))
        if found is None:
            tree = self.tree(text)
            found = self._where[text, holds] = NONE if tree is None else presence.where(tree, holds)
        return found

    def asked(self, text: str | None) -> frozenset[str]:
        """The names of which a guard asks whether they have a value."""
        if text is None:
            return NONE
        if text not in self._asked:
            tree = self.tree(text)
            self._asked[text] = NONE if tree is None else presence.asked(tree)
        return self._asked[text]

    def compared(self, text: str, knows: Knows) -> list[Lack]:
        """The comparisons of a guard with what may have no value."""
        if text not in self._compared:
            tree = self.tree(text)
            self._compared[text] = () if tree is None else presence.compared(tree)
        return [each for each in self._compared[text] if not knows(each.name)]

    def lacking(self, text: str, knows: Knows) -> list[Lack]:
        """The names for want of which an expression may have no value."""
        return [each for each in self._needs(text)[0] if not knows(each.name)]

    def is_sure(self, text: str, knows: Knows) -> bool:
        """Whether an expression surely has a value."""
        names, may_fail = self._needs(text)
        return not may_fail and all(knows(each.name) for each in names)

    def _needs(self, text: str) -> tuple[tuple[Lack, ...], bool]:
        """The names for want of which an expression may have no value where nothing is known, and whether it may have
        none though all have one."""
        if text not in self._needed:
            tree = self.tree(text)
            found = ((), False) if tree is None else (presence.lacking(tree), presence.may_fail(tree))
            self._needed[text] = found
        return self._needed[text]

    def demands_late(self, text: str, clock: str) -> bool:
        """Whether a guard holds only where a clock is late: ``clock.NAME.late``, alone or among parts joined by &&."""
        wanted = f"clock.{clock}.late"
        tree = self.tree(text) if wanted in text else None
        return tree is not None and wanted in _conjuncts(inside(tree))

    def formula(self, text: str, ground: Ground) -> Formula | None:
        """The formula of a guard; None of one that says too much, too. Names of clocks and states are only ever those
        of its own flow, so that guards of several may share one."""
        from carepolicy.guards.proof import formula_of

        key = text, ground.have, ground.brings, ground.unbound
        if key not in self._formulas:
            try:
                self._formulas[key] = formula_of(text, ground)
            except (ExpressionError, RecursionError):
                self._formulas[key] = None
        return self._formulas[key]

    def judge(self, guards: tuple[Formula, ...]) -> GuardVerdict:
        """What can be proved of guards that are tried in order."""
        from carepolicy.guards.proof import judge

        if guards not in self._verdicts:
            self._verdicts[guards] = judge(guards)
        return self._verdicts[guards]


def _conjuncts(node: Any) -> Iterator[str | None]:
    """The names among the parts that && joins."""
    if node.data == "conditionaland" and len(node.children) == 2:
        yield from _conjuncts(inside(node.children[0]))
        yield from _conjuncts(inside(node.children[1]))
    elif node.data in ("ident", "member_dot"):
        yield chain(node)
