"""Figures of an audit on the chart: how many cases each step and clock had, how many were late, and how long they took.

What is read is the object of ``carepolicy audit --format json``; docs/heat.md says which parts of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from carepolicy.charts.amounts import Amounts
from carepolicy.charts.plan import Mark, chart_of
from carepolicy.charts.text import clean
from carepolicy.policy.phrases import in_language
from carepolicy.translations import numeral

if TYPE_CHECKING:
    import os

    from carepolicy.charts.plan import Chart
    from carepolicy.policy.model import Policies

BOUNDS = (0, 10, 20, 50)
"""Per cent late up to which each of the first four grounds holds; above the last one the fifth does."""

GROUNDS = ("#F3F3F3", "#FEEBD0", "#FDC98A", "#F08A45", "#9C2F00")
NO_SHARE = "#FFFFFF"
FEWEST = 5
"""Cases below which a share says nothing: only the numbers are told, without a colour."""


class BadAudit(ValueError):
    """A file that is no audit, or one without the flow; the text says why."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The part of an audit that is of one flow; ``first`` and ``last`` are dates, "" where it names none."""

    cases: int
    states: Mapping[str, Any]
    clocks: Mapping[str, Any]
    first: str
    last: str


def read_audit(path: str | os.PathLike[str], flow: str) -> Audit:
    """The figures of one flow. Raises BadAudit and OSError."""
    with open(path, "rb") as file:
        try:
            data = json.load(file)
        except (ValueError, RecursionError) as problem:
            raise BadAudit(f"{path} is no JSON: {problem}") from None
    flows = data.get("flows") if isinstance(data, dict) else None
    if not isinstance(flows, dict):
        raise BadAudit(f'{path} is no audit: it has no object "flows"; `carepolicy audit --format json` writes one')
    if not isinstance(flows.get(flow), dict):
        known = ", ".join(sorted(flows)) or "none"
        raise BadAudit(f'{path} has no figures of the flow "{flow}"; it has those of: {known}')
    found = flows[flow]
    dates = [clean(str(found.get(key) or data.get(key) or ""))[:10] for key in ("from", "to")]
    return Audit(_count(found, "cases"), _objects(found, "states"), _objects(found, "clocks"), dates[0], dates[1])


def chart_of_heat(policies: Policies, flow: str, audit: Audit, language: str | None = None) -> Chart:
    """The plan of a flow's chart with an audit's figures on its cards, a legend, and what was counted."""
    chart = chart_of(policies, flow, language=language)
    labels, amounts = chart.labels, Amounts(chart.labels, chart.language)
    numbers = {card.state: card.number for sheet in chart.sheets for card in sheet.cards}
    rows: dict[str, list[tuple[str, str]]] = {}
    for state in numbers:
        if isinstance(audit.states.get(state), dict):
            rows[state] = _state_rows(amounts, audit.states[state])
    for name, clock in in_language(policies, language).flows[flow].clocks.items():
        runs_in = sorted((state for state in clock.runs_in if state in numbers), key=numbers.__getitem__)
        if runs_in and isinstance(audit.clocks.get(name), dict):
            told = _clock_rows(amounts, clean(clock.title) or name, audit.clocks[name])
            rows.setdefault(runs_in[0], []).extend(told)
    marks = {state: Mark(rows=tuple(told)) for state, told in rows.items() if told}
    legend = [(labels.none_late, GROUNDS[0])]
    legend += [(labels.up_to.format(bound), ground) for bound, ground in zip(BOUNDS[1:], GROUNDS[1:], strict=False)]
    legend.append((labels.over.format(BOUNDS[-1]), GROUNDS[-1]))
    counted = amounts.counted(labels.cases, audit.cases)
    if audit.first and audit.last:
        counted += f", {labels.between.format(audit.first, audit.last)}"
    return replace(chart, marks=marks, legend=tuple(legend), footer=(*chart.footer, counted))


def ground_of(late: int, of: int) -> str:
    """The ground for ``late`` of ``of`` cases; white where they are too few for a share."""
    if of < FEWEST:
        return NO_SHARE
    share = 100 * late / of
    return next((ground for bound, ground in zip(BOUNDS, GROUNDS, strict=False) if share <= bound), GROUNDS[-1])


def _state_rows(amounts: Amounts, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    labels = amounts.labels
    visits, still, late = (_count(figures, key) for key in ("visits", "open", "late"))
    of = visits or still
    if not of:
        return [(labels.no_case, NO_SHARE)]
    parts = [amounts.counted(labels.visits, visits)] if visits else []
    parts += [amounts.counted(labels.open, still)] if still else []
    parts.append(_late(amounts, late, of))
    return [(", ".join(parts) + _median(amounts, figures.get("time"), of), ground_of(late, of))]


def _clock_rows(amounts: Amounts, title: str, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    labels = amounts.labels
    met, late = _count(figures, "met"), _count(figures, "late")
    of = met + late
    if not of:
        return [(labels.told_of.format(title, labels.no_case), NO_SHARE)]
    told = labels.in_time.format(amounts.number(met), amounts.number(of))
    if of >= FEWEST:
        told += f" ({labels.share.format(amounts.hundredths(met, of))})"
        target = figures.get("target")
        if isinstance(target, int | float) and not isinstance(target, bool):
            told += f", {labels.target.format(numeral(f'{100 * target:g}', amounts.language))}"
    return [(labels.told_of.format(title, told) + _median(amounts, figures.get("used"), of), ground_of(late, of))]


def _late(amounts: Amounts, late: int, of: int) -> str:
    labels = amounts.labels
    told = amounts.counted(labels.late_of, late)
    return f"{told} ({labels.share.format(amounts.hundredths(late, of))})" if of >= FEWEST else f"{told} ({labels.few})"


def _median(amounts: Amounts, figures: object, of: int) -> str:
    half = figures.get("p50") if isinstance(figures, dict) else None
    if not isinstance(half, int | float) or isinstance(half, bool) or not 0 <= half < 1e12 or of < FEWEST:
        return ""
    return f"; {amounts.labels.median.format(amounts.time(half))}"


def _count(figures: Mapping[str, Any], key: str) -> int:
    value = figures.get(key, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _objects(figures: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = figures.get(key)
    return value if isinstance(value, dict) else {}
