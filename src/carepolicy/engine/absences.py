"""Who works in place of somebody who is away. Whether he is, the time of the event says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.policy.likeness import compared

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle


class Absences:
    """When people are away, and which roles stand in for theirs."""

    __slots__ = ("_away", "_may_be_empty", "_teams")

    def __init__(self, bundle: Bundle) -> None:
        self._away = bundle.absences
        self._teams = bundle.teams
        self._may_be_empty = frozenset(
            name for name, team in bundle.teams.items() if team.people and self._away.keys() >= set(team.people)
        )

    def concerns(self, role: str) -> bool:
        """Whether there may be a time at which everybody who has a role is away."""
        return role in self._may_be_empty

    def role_at(self, role: str, now: int) -> str:
        """The role that does the work of a role: its deputy while everybody is away, and so on; the role itself where
        nobody is left."""
        tried = [role]
        while self._is_empty(tried[-1], now):
            deputy = self._teams[tried[-1]].deputy
            if deputy is None or deputy not in self._teams or deputy in tried:
                return role
            tried.append(deputy)
        return tried[-1]

    def instead_of(self, person: str, owner: str | None, now: int) -> str | None:
        """The role that does the work of a person who is away: the deputy of his role, of several that of the
        ``owner``; None where he is there, or nobody knows his role."""
        name = compared(person)
        if not self._is_away(name, now):
            return None
        roles = [role for role, team in self._teams.items() if name in team.people]
        if not roles:
            return None
        role = owner if owner is not None and owner in roles else roles[0]
        deputy = self._teams[role].deputy
        found = self.role_at(role if deputy is None or deputy not in self._teams else deputy, now)
        return role if self._is_empty(found, now) else found

    def _is_empty(self, role: str, now: int) -> bool:
        return role in self._may_be_empty and all(self._is_away(each, now) for each in self._teams[role].people)

    def _is_away(self, person: str, now: int) -> bool:
        return any(begin <= now < end for begin, end in self._away.get(person, ()))
