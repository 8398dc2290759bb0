"""How long a handbook of many flows takes, beside Graphviz's own time on the same DOT files.

    python benchmarks/handbook_speed.py [FLOWS]

The set is that of policies/ in two languages with files of flows copied under new names until there are FLOWS (default
100); it has no history in git. Graphviz's time is that of turning every DOT file of the finished site into SVG, one
after the other, by what draws pictures here. What is read once for all flows is read before.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from carepolicy.charts.render import render, renderer
from carepolicy.handbook import build
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies

POLICIES = Path(__file__).parents[1] / "policies"


def many(count: int) -> Policies:
    """The sample set with ``count`` flows in two languages: its own, then copies of their files and translations."""
    with TemporaryDirectory() as place:
        root = Path(place, "policies")
        shutil.copytree(POLICIES, root, ignore=shutil.ignore_patterns("de", "es", "de.po", "es.po", "scenarios"))
        own = sorted((root / "flows").glob("*.yaml"))
        french = root / "texts" / "fr.po"
        entries = french.read_text(encoding="utf-8").split("\n\n")
        copies: dict[str, list[str]] = {}
        for number in range(len(own), count):
            file = own[number % len(own)]
            name = f"{file.stem}_{number}"
            copies.setdefault(file.stem, [file.stem]).append(name)
            copied = re.sub(r"(?m)^flow: .*$", f"flow: {name}", file.read_text(encoding="utf-8"), count=1)
            file.with_stem(name).write_text(copied, encoding="utf-8")
            told = f'msgctxt "flows.{file.stem}.'
            entries += [each.replace(told, f'msgctxt "flows.{name}.') for each in entries if told in each]
        for file in own[count:]:
            file.unlink()
        organisation = root / "organisation.yaml"
        text = re.sub(r"(?m)^languages: .*$", "languages: [en, fr]", organisation.read_text(encoding="utf-8"))

        def with_copies(match: re.Match[str]) -> str:
            names = [name for each in match[1].split(", ") for name in copies.get(each, [each])]
            return f"except: [{', '.join(names)}]"

        organisation.write_text(re.sub(r"except: \[(.*)\]", with_copies, text), encoding="utf-8")
        french.write_text("\n\n".join(entries) + "\n", encoding="utf-8")
        policies, findings = load_policies(str(root))
        assert policies is not None, findings
        return policies


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of the processor with all processes that were started."""
    begun, used = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - begun, sum(os.times()[:4]) - used


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    policies = many(count)
    build(many(4))  # what is read once for all flows: the grammar of guards, templates, fonts
    site = build(policies, drawn=False)
    dots = [content.decode() for name, content in site.files.items() if name.endswith(".dot")]
    pages = sum(name.endswith(".html") for name in site.files)
    print(f"{count} flows, {pages} pages, {len(dots)} DOT files, pictures by {renderer()}")
    print(f"{'seconds':26} {'wall':>6} {'cpu':>6}")
    whole = timed(lambda: build(policies))
    drawn = timed(lambda: [render(dot, "svg") for dot in dots])
    words = timed(lambda: build(policies, drawn=False))
    for name, seconds in (("handbook", whole), ("without pictures", words), ("Graphviz on the same DOT", drawn)):
        print(f"{name:26} {seconds[0]:6.1f} {seconds[1]:6.1f}")
    print(f"{'handbook / Graphviz':26} {whole[0] / drawn[0]:6.2f} {whole[1] / drawn[1]:6.2f}")


if __name__ == "__main__":
    main()
