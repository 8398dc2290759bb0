"""The report of an audit as files: an overview, a page for each flow that had cases, and small tables."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from carepolicy.audit.figures import as_object, day_of, share_of
from carepolicy.charts.card import dot_of
from carepolicy.charts.heat import Audit, chart_of_heat
from carepolicy.charts.render import how_to_draw, render, renderer
from carepolicy.charts.svg import cleaned
from carepolicy.charts.text import clean, identifier
from carepolicy.charts.words import language_of
from carepolicy.engine.codes import CODES
from carepolicy.engine.instants import NEVER
from carepolicy.handbook.book import Book
from carepolicy.handbook.drawings import picture_of
from carepolicy.handbook.site import Site, direction_of, in_own_language, write
from carepolicy.policy.phrases import in_language
from carepolicy.report.figures import PERCENTILES, Teller, late_cases
from carepolicy.report.rounds import MOST_BREACHES, write_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

    from carepolicy.audit.replay import Replay
    from carepolicy.handbook.drawings import Picture
    from carepolicy.policy.model import Flow, Policies
    from carepolicy.report.figures import ClockFigures
    from carepolicy.report.rounds import Rounds

MANIFEST = "report-files.txt"
"""Lists every page of the report, so that a page whose flow is gone can be told from a file of someone else."""

CLOCK_COLUMNS = (
    "flow", "clock", "rounds", "met", "late", "cancelled", "running", "share", "low", "high", "target", "p50", "p90",
    "p99",
)  # fmt: skip
STEP_COLUMNS = (
    "flow", "step", "visits", "followed", "skipped", "late", "again", "open", "p50", "p90", "p99",
)  # fmt: skip


def build(policies: Policies, replay: Replay, rounds: Rounds, folder: str | Path, language: str | None = None) -> Site:
    """Write the report of an audit below a folder, in a language of the set (the first): pages, and the tables
    clocks and steps beside ``rounds``, which stand there. Without Graphviz pages have no charts, and ``advice`` says
    so. Raises OSError and RenderError."""
    found = as_object(replay)
    language = language_of(policies, language)
    book = Book(in_language(policies, language), language, 0, {})
    site = Site(advice=how_to_draw() if renderer() is None else "")
    _Writer(site, book, replay, found, rounds).write()
    for name in ("handbook.css", "chart.js"):
        site.add(f"assets/{name}", (files("carepolicy.handbook") / "assets" / name).read_text(encoding="utf-8"))
    for name in ("report.css", "report.js"):
        site.add(f"assets/{name}", (files("carepolicy.report") / "assets" / name).read_text(encoding="utf-8"))
    site.add("audit.json", json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    site.add(MANIFEST, "".join(f"{name}\n" for name in sorted(site.files)))
    root = Path(folder)
    write(site, root, MANIFEST)
    write_table(root / "clocks.csv", CLOCK_COLUMNS, _clock_table(found))
    write_table(root / "steps.csv", STEP_COLUMNS, _step_table(found))
    return site


def _clock_table(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**each, **each["used"], "flow": flow, "clock": name, "low": (each["interval"] or [None])[0],
         "high": (each["interval"] or [None])[-1]}
        for flow, figures in found["flows"].items()
        for name, each in figures["clocks"].items()
    ]  # fmt: skip


def _step_table(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**each, **each["time"], "flow": flow, "step": name}
        for flow, figures in found["flows"].items()
        for name, each in figures["states"].items()
    ]


class _Writer:
    """Writes the pages."""

    def __init__(self, site: Site, book: Book, replay: Replay, found: Mapping[str, Any], rounds: Rounds) -> None:
        self._site, self._book, self._replay, self._found, self._rounds = site, book, replay, found, rounds
        self._teller = Teller(book)
        self._environment = self._prepared()

    def _prepared(self) -> Environment:
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

        book, teller = self._book, self._teller
        environment = Environment(
            loader=ChoiceLoader([PackageLoader("carepolicy.report"), PackageLoader("carepolicy.handbook")]),
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
            keep_trailing_newline=True,
        )  # fmt: skip
        environment.filters["own"] = lambda text: in_own_language(text, book.spoken_of(text), book.ui_language)
        environment.filters["number"] = teller.amounts.number
        environment.filters["counted"] = lambda value, phrase: teller.amounts.counted(phrase, value)
        environment.filters["linked"] = linked
        seen = self._replay.seen
        days = [teller.day(each) for each in (seen.first, seen.last)] if seen.first != NEVER else ["", ""]
        period = days[0] if days[0] == days[1] else teller.ui.between.format(*days)
        environment.globals |= {
            "ui": book.ui,
            "say": teller.ui,
            "ui_language": book.ui_language,
            "direction": direction_of(book.ui_language),
            "organisation": book.policies.organisation,
            "digest": book.policies.digest[:8],
            "period": period,
        }
        return environment

    def write(self) -> None:
        """All pages."""
        clocks: list[ClockFigures] = []
        rows = []
        for name, flow in self._book.policies.flows.items():
            if name in self._found["flows"]:
                mine = self._flow(flow)
                clocks += mine
                rows.append(self._row(flow, mine))
        unused = [self._book.words(flow).flow_title(name) for name, flow in self._book.policies.flows.items()
                  if name not in self._found["flows"]]  # fmt: skip
        found = self._found
        self._page(
            "index.html", "overview.html", "",
            found=found,
            reasons=[(clean(reason), count) for reason, count in found["reasons"].items()],
            not_taken=[(code, CODES[code].title, count) for code, count in found["not_taken"].items()],
            rows=sorted(rows, key=lambda each: (each["worst"], each["share"].order)),
            clocks=sorted((each for each in clocks if each.share.told), key=_badness),
            unused=", ".join(unused),
        )  # fmt: skip

    def _row(self, flow: Flow, clocks: Sequence[ClockFigures]) -> dict[str, Any]:
        figures = self._found["flows"][flow.name]
        met = sum(each["met"] for each in figures["clocks"].values())
        late = sum(each["late"] for each in figures["clocks"].values())
        share, interval = share_of(met, late)
        decided = [each for each in clocks if each.share.told and each.share.target]
        return {
            "title": self._book.words(flow).flow_title(flow.name),
            "file": f"flows/{identifier(flow.name)}.html",
            "cases": figures["cases"],
            "open": figures["open"],
            "late_now": late_cases(self._replay.measures.flows[flow.name]),
            "share": self._teller.share({"met": met, "late": late, "share": share, "interval": interval}, None),
            "below": sum(each.share.missed is True for each in decided),
            "of": len(decided),
            "worst": min(map(_badness, clocks), default=2.0),
        }

    def _flow(self, flow: Flow) -> list[ClockFigures]:
        teller, figures = self._teller, self._found["flows"][flow.name]
        measure = self._replay.measures.flows[flow.name]
        clocks = teller.clocks(flow, figures, measure, self._rounds)
        self._page(
            f"flows/{identifier(flow.name)}.html", "audited.html", "../",
            title=self._book.words(flow).flow_title(flow.name),
            purpose=clean(flow.purpose),
            figures=figures,
            late_now=late_cases(measure),
            duration=[teller.amounts.time(figures["duration"][each]) for each in PERCENTILES],
            clocks=clocks,
            picture=self._picture(flow, figures),
            steps=teller.steps(flow, figures),
            heat=teller.heat(flow, figures, self._replay.measures.by),
            breaches=teller.breaches(flow, self._rounds),
            late=sum(each["late"] for each in figures["clocks"].values()),
            most_breaches=MOST_BREACHES,
            deviations=teller.deviations(flow, figures),
            variants=teller.variants(flow, figures, measure),
            ends=teller.ends(flow, figures),
            due=[*teller.due(flow, measure)],
            due_in_all=len(measure.due),
        )  # fmt: skip
        return clocks

    def _picture(self, flow: Flow, figures: Mapping[str, Any]) -> Picture | None:
        """The chart of a flow with its figures; None where nothing draws."""
        if renderer() is None:
            return None
        seen, zone = self._replay.seen, self._book.zone
        days = [day_of(each, zone) for each in (seen.first, seen.last)] if seen.first != NEVER else ["", ""]
        audit = Audit(figures["cases"], figures["states"], figures["clocks"], *days)
        chart = chart_of_heat(self._book.policies, flow.name, audit, self._book.language)
        (sheet,) = chart.sheets
        svg = cleaned(render(dot_of(chart, sheet, heading=False), "svg"), chart, sheet, linked=True)
        return picture_of(svg)

    def _page(self, path: str, template: str, root: str, **values: Any) -> None:
        self._site.add(path, self._environment.get_template(template).render(page=path, root=root, **values))


def linked(text: str, root: str) -> Markup:
    """A text in which the name of a table leads to it."""
    link = Markup('<a href="{}rounds.csv">rounds.csv</a>').format(root)
    return Markup(link.join(escape(each) for each in text.split("rounds.csv")))


def _badness(clock: ClockFigures) -> float:
    """How a clock stands among others, the worst first: those below their target by how far, then those that keep it,
    then those without one."""
    share = clock.share
    return share.order - clock.target if clock.target is not None and share.told else 1 + share.order
