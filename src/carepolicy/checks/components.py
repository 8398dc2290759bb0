"""Strongly connected components of a graph (Tarjan 1972), without recursion, in time linear in its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def components(onward: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """The components, each after all others that it leads to. Names that are no keys of ``onward`` are left out."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    placed: set[str] = set()
    for root in onward:
        if root in number:
            continue
        work = [(root, iter([each for each in onward[root] if each in onward]))]
        number[root] = lowest[root] = len(number)
        stack.append(root)
        while work:
            name, rest = work[-1]
            child = next(rest, None)
            if child is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[name])
                if lowest[name] == number[name]:
                    cut = len(stack) - 1
                    while stack[cut] != name:  # it stands near the end: to look from there keeps the time linear
                        cut -= 1
                    placed.update(stack[cut:])
                    yield stack[cut:]
                    del stack[cut:]
            elif child not in number:
                number[child] = lowest[child] = len(number)
                stack.append(child)
                work.append((child, iter([each for each in onward[child] if each in onward])))
            elif child not in placed:
                lowest[name] = min(lowest[name], number[child])
