"""How long a handbook of many flows takes, beside Graphviz's own time on the same DOT files.

    python benchmarks/handbook_speed.py [FLOWS]

The set is that of policies/ with its flows copied under new names until there are FLOWS (default 100), in both
languages. Graphviz's time is that of turning every DOT file of the finished site into SVG, one after the other, by
what draws pictures here. One round; what
is read once for all flows is read before it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from carepolicy.charts.render import render, renderer
from carepolicy.handbook import build
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies

POLICIES = Path(__file__).parents[1] / "policies"
ROUNDS = 1


def many(count: int) -> Policies:
    """The sample set with ``count`` flows: its own, then copies of them."""
    policies, findings = load_policies(POLICIES)
    assert policies is not None, findings
    own = list(policies.flows.values())
    flows = {}
    for number in range(count):
        flow = own[number % len(own)]
        copied = (
            flow if number < len(own) else replace(flow, name=f"{flow.name}_{number}", title=f"{flow.title} {number}")
        )
        flows[copied.name] = copied
    return replace(policies, flows=flows)


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    policies = many(count)
    build(many(4))  # what is read once for all flows: the grammar of guards, templates, fonts
    site = build(policies, drawn=False)
    dots = [content.decode() for name, content in site.files.items() if name.endswith(".dot")]
    pages = sum(name.endswith(".html") for name in site.files)
    whole, drawn, words = [], [], []
    for _ in range(ROUNDS):
        whole.append(timed(lambda: build(policies)))
        drawn.append(timed(lambda: [render(dot, "svg") for dot in dots]))
        words.append(timed(lambda: build(policies, drawn=False)))
    print(f"{count} flows, {pages} pages, {len(dots)} DOT files, pictures by {renderer()}")
    print(f"handbook                 {min(whole):6.1f} s")
    print(f"handbook, no pictures    {min(words):6.1f} s")
    print(f"Graphviz on the same DOT {min(drawn):6.1f} s")
    print(f"handbook / Graphviz      {min(whole) / min(drawn):6.2f}")


if __name__ == "__main__":
    main()
