"""How long a handbook of many flows takes, beside Graphviz's own time on the same DOT files.

    python benchmarks/handbook_speed.py [FLOWS]

The set is that of policies/ with its flows copied under new names until there are FLOWS (default 100), in two
languages. Graphviz's time is that of turning every DOT file of the finished site into SVG, one after the other, by
what draws pictures here. What is read once for all flows is read before.
"""

from __future__ import annotations

import os
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
TWO = ("en", "fr")


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


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of the processor with all processes that were started."""
    begun, used = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - begun, sum(os.times()[:4]) - used


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    policies = many(count)
    build(many(4), only=TWO)  # what is read once for all flows: the grammar of guards, templates, fonts
    site = build(policies, drawn=False, only=TWO)
    dots = [content.decode() for name, content in site.files.items() if name.endswith(".dot")]
    pages = sum(name.endswith(".html") for name in site.files)
    print(f"{count} flows, {pages} pages, {len(dots)} DOT files, pictures by {renderer()}")
    print(f"{'seconds':26} {'wall':>6} {'cpu':>6}")
    whole = timed(lambda: build(policies, only=TWO))
    drawn = timed(lambda: [render(dot, "svg") for dot in dots])
    words = timed(lambda: build(policies, drawn=False, only=TWO))
    for name, seconds in (("handbook", whole), ("without pictures", words), ("Graphviz on the same DOT", drawn)):
        print(f"{name:26} {seconds[0]:6.1f} {seconds[1]:6.1f}")
    print(f"{'handbook / Graphviz':26} {whole[0] / drawn[0]:6.2f} {whole[1] / drawn[1]:6.2f}")


if __name__ == "__main__":
    main()
