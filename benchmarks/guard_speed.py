"""Evaluations a second of guards as compiled functions, beside cel-python's interpreter and a bare Python lambda.

    python benchmarks/guard_speed.py [--calls 200000] [--rounds 5]

All three evaluate the same guard on the same data, taking turns round by round so that a busy moment of the machine
hits them alike; each figure is the median of the rounds. The lambda is what a person would write by hand: it
raises where a fact is missing, ours does not. cel-python's programs are made once; its activation (the data as
values of CEL) is made once for each datum too, so that only evaluation is timed. It makes a hundredth of the calls.
The last column is the time from a guard's text to its function, for a text that was never seen before.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import celpy

from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.scope import Scope
from carepolicy.policy.model import Fact
from carepolicy.policy.places import At

KINDS = {"customer.tier": "choice", "order.total": "money", "customer.email": "text", "order.items": "number"}
VALUES = {"customer.tier": ("standard", "gold"), "customer.email": ("a@example.org", "b@example.com")}
GUARDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    'customer.tier == "gold" && order.total > 100': lambda f: f["customer.tier"] == "gold" and f["order.total"] > 100,
    'customer.email.endsWith("@example.org") || order.items >= 3': lambda f: (
        f["customer.email"].endswith("@example.org") or f["order.items"] >= 3
    ),
    'customer.tier in ["gold", "silver"] && (order.items + 1) * 2 <= 10': lambda f: (
        f["customer.tier"] in ("gold", "silver") and (f["order.items"] + 1) * 2 <= 10
    ),
}
SHARE = 100
"""cel-python makes one call where the others make so many."""
TEXTS = 200


def scope() -> Scope:
    def fact(name: str, kind: str) -> Fact:
        of = ("standard", "silver", "gold") if kind == "choice" else ()
        return Fact(name, kind, None, of, "GBP" if kind == "money" else None, False, None, "", At("organisation.yaml"))

    return Scope({name: fact(name, kind) for name, kind in KINDS.items()}, {}, (), (), None)


def data() -> list[dict[str, Any]]:
    """Eight customers, so that each part of each guard is sometimes true and sometimes false."""
    return [
        {
            "customer.tier": VALUES["customer.tier"][n % 2],
            "order.total": Decimal(60 + 40 * (n % 3)),
            "customer.email": VALUES["customer.email"][n // 2 % 2],
            "order.items": n,
        }
        for n in range(8)
    ]


def contexts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for cel-python, which has no decimals: money is a whole number there, which is less work for it."""
    found = []
    for row in rows:
        nested: dict[str, dict[str, Any]] = {}
        for name, value in row.items():
            first, last = name.split(".")
            nested.setdefault(first, {})[last] = int(value) if isinstance(value, Decimal) else value
        found.append({name: celpy.json_to_cel(value) for name, value in nested.items()})
    return found


def timed(evaluate: Callable[[Any], object], rows: list[Any], calls: int) -> float:
    """Evaluations a second."""
    rounds = calls // len(rows)
    started = time.perf_counter()
    for _ in range(rounds):
        for row in rows:
            evaluate(row)
    return rounds * len(rows) / (time.perf_counter() - started)


def timed_guard(guard: Callable[[Any, Any, Any], object], rows: list[Any], calls: int) -> float:
    """Evaluations a second of ours, called as the engine calls it: with the event's data and the case."""
    rounds, event = calls // len(rows), dict[str, Any]()
    started = time.perf_counter()
    for _ in range(rounds):
        for row in rows:
            guard(row, event, None)
    return rounds * len(rows) / (time.perf_counter() - started)


def compiled_in(text: str, names: Scope) -> float:
    """Seconds from text to function; the texts differ by a last part that is always true, so no cache knows them."""
    texts = [f"{text} && {n} >= 0" for n in range(TEXTS)]
    started = time.perf_counter()
    for each in texts:
        compile_expression(each, names, "flag")
    return (time.perf_counter() - started) / TEXTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    names, rows = scope(), data()
    nested = contexts(rows)
    environment = celpy.Environment()
    print(f"{'guard':66} {'compiled':>11} {'lambda':>11} {'cel-python':>11} {'compile':>9}")
    for text, bare in GUARDS.items():
        ours = compile_expression(text, names, "flag").function
        program = environment.program(environment.compile(text))
        agreed = [
            (bool(bare(row)), ours(row, {}, None), bool(program.evaluate(of)))
            for row, of in zip(rows, nested, strict=True)
        ]
        assert all(len(set(each)) == 1 for each in agreed), agreed
        assert {each[0] for each in agreed} == {True, False}
        speeds: list[list[float]] = [[], [], []]
        for _ in range(given.rounds):
            speeds[0].append(timed_guard(ours, rows, given.calls))
            speeds[1].append(timed(bare, rows, given.calls))
            speeds[2].append(timed(program.evaluate, nested, max(len(nested), given.calls // SHARE)))
        middle = [statistics.median(each) for each in speeds]
        took = compiled_in(text, names) * 1e3
        print(f"{text:66} {middle[0]:11,.0f} {middle[1]:11,.0f} {middle[2]:11,.0f} {took:6.2f} ms")


if __name__ == "__main__":
    main()
