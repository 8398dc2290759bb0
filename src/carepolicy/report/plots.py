"""Small drawings of a report, in SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

BINS = 24
WIDE, HIGH = 360, 150
LEFT, RIGHT, TOP, FOOT = 8, 8, 18, 22
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many rounds took how long: counts in steps of ``step`` seconds, the last of them "or longer"."""

    counts: tuple[int, ...]
    step: float
    longer: bool


def histogram_of(counts: Mapping[int, int], until: float) -> Histogram:
    """Durations (microseconds, with their counts) in steps up to ``until`` seconds; what is longer has a step of its
    own."""
    step = max(until, 1.0) / BINS
    found = [0] * (BINS + 1)
    for value, times in counts.items():
        found[min(int(value / SECOND / step), BINS)] += times
    longer = bool(found[BINS])
    return Histogram(tuple(found if longer else found[:BINS]), step, longer)


def plot_of(
    histogram: Histogram, limits: Sequence[float], said: str, in_words: Callable[[float], str], longer: str
) -> Markup:
    """The histogram as a drawing, with a line at each limit; ``said`` tells the same in words."""
    width = (WIDE - LEFT - RIGHT) / len(histogram.counts)
    most = max(histogram.counts) or 1
    base = HIGH - FOOT
    parts = [f'<svg class="plot" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(said)}">']
    for place, count in enumerate(histogram.counts):
        if count:
            high = max((base - TOP) * count / most, 1.5)
            last = histogram.longer and place == len(histogram.counts) - 1
            begin = in_words(place * histogram.step)
            until = longer if last else f"– {in_words((place + 1) * histogram.step)}"
            parts.append(
                f'<rect class="bar{" longer" if last else ""}" x="{LEFT + place * width + 0.5:.1f}" '
                f'y="{base - high:.1f}" width="{width - 1:.1f}" height="{high:.1f}">'
                f"<title>{escape(f'{begin} {until}: {count}')}</title></rect>"
            )
    parts.append(f'<path class="axis" d="M{LEFT} {base}H{WIDE - RIGHT}"/>')
    for share in (0, BINS // 2, BINS):
        at = LEFT + share * width
        anchor = "start" if share == 0 else "middle" if share < BINS else "end"
        told = escape(in_words(share * histogram.step))
        parts.append(f'<text x="{at:.1f}" y="{HIGH - 6}" text-anchor="{anchor}">{told}</text>')
    for limit in limits:
        at = LEFT + limit / histogram.step * width
        if limit <= BINS * histogram.step:
            end = ' text-anchor="end"' if at > WIDE * 0.7 else ""
            beside = -4 if end else 4
            parts.append(
                f'<path class="limit" d="M{at:.1f} {TOP - 12}V{base}"/>'
                f'<text class="limit-told" x="{at + beside:.1f}" y="{TOP - 4}"{end}>{escape(in_words(limit))}</text>'
            )
    return Markup("".join([*parts, "</svg>"]))


def bar_of(share: float, interval: Sequence[float], target: float | None) -> Markup:
    """A share with its interval and the target; decoration beside the numbers, so it says nothing itself."""
    goal = "" if target is None else f'<path class="goal" d="M{target * 100:.1f} 0V14"/>'
    missed = " missed" if target is not None and share < target else ""
    return Markup(
        '<svg class="share{}" viewBox="-2 0 104 14" aria-hidden="true"><path class="ground" d="M0 7H100"/>'
        '<path class="range" d="M{} 7H{}"/>{}<circle cx="{}" cy="7" r="3.5"/></svg>'
    ).format(missed, f"{interval[0] * 100:.1f}", f"{interval[1] * 100:.1f}", Markup(goal), f"{share * 100:.1f}")
