"""One chart of a whole set: how flows start each other, report to each other, and what watches count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import graphviz

from carepolicy.charts import markup
from carepolicy.charts.card import NOBODY, font_of
from carepolicy.charts.colours import shades_of
from carepolicy.charts.draw import PICTURES, UnknownFormat
from carepolicy.charts.labels import labels_of
from carepolicy.charts.render import NoRenderer, how_to_draw, render, renderer
from carepolicy.charts.sheets import MARGIN, PAPERS, SMALLEST, UnknownPaper
from carepolicy.charts.svg import made_readable
from carepolicy.charts.text import balanced, clean, escaped, humanised, identifier, wrapped
from carepolicy.charts.words import Words, language_of, limit_told
from carepolicy.files import write_file
from carepolicy.machine.locales import is_right_to_left
from carepolicy.policy.phrases import in_language
from carepolicy.policy.strata import CycleOfRaises, Node, effects_of, strata_of
from carepolicy.typeset import FONT, typeset

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.labels import Labels
    from carepolicy.policy.model import Flow, Policies

_TEXT = 10.0
"""Points of the smallest text of a drawing at its natural size."""

_MOST = 1.25
_VIEW = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')

_PAGE = f"""
#let data = json("data.json")
#set document(title: data.title, date: none)
#set page(width: data.width * 1pt, height: data.height * 1pt, margin: {MARGIN:g}pt)
#set text(font: "{FONT}", lang: data.language)
#place(top + left, image(
  bytes(data.picture), format: "svg", width: data.across * 1pt, height: data.down * 1pt, alt: data.title))
"""


@dataclass(frozen=True, slots=True)
class Link:
    """From one flow or watch to another: ``raised`` is the event that is reported, "" where a flow is started."""

    source: Node
    target: Node
    raised: str


def links_of(policies: Policies) -> tuple[Link, ...]:
    """Every way in which one flow starts another or reports to it, by the order of the files."""
    found: dict[Link, None] = {}
    for name, flow in policies.flows.items():
        for effects in effects_of(flow):
            for opened in effects.open:
                if opened.flow in policies.flows:
                    found[Link(("flow", name), ("flow", opened.flow), "")] = None
            for raised in effects.raises:
                found |= dict.fromkeys(_heard(policies, ("flow", name), raised.event))
    for name, watch in policies.organisation.watches.items():
        for flow in policies.flows.values():
            if watch.count in flow.events:
                found[Link(("flow", flow.name), ("watch", name), watch.count)] = None
        found |= dict.fromkeys(_heard(policies, ("watch", name), watch.raises))
    return tuple(found)


def source_of(policies: Policies, language: str | None = None) -> str:
    """The DOT text of the overview. A flow's first link is an arrow, every other a line of its card: no lines cross."""
    return _Overview(in_language(policies, language), language_of(policies, language)).text()


def draw_all(policies: Policies, output_path: str | os.PathLike[str], language: str | None = None) -> tuple[Path, str]:
    """Write the overview as .dot, .svg, .png or .pdf; the second value is advice where nothing can draw it.

    Raises UnknownFormat, NoRenderer, RenderError and OSError.
    """
    path = Path(output_path)
    source = source_of(policies, language)
    ending = path.suffix.lower()
    if ending not in (".dot", *PICTURES):
        raise UnknownFormat(f'cannot write an overview as "{path.name}": the ending must be .dot, .svg, .png or .pdf')
    if ending == ".dot":
        write_file(path, source)
        return path, "" if renderer() else how_to_draw()
    if renderer() is None:
        raise NoRenderer
    if ending == ".svg":
        write_file(path, readable(policies, render(source, "svg"), language))
    elif ending == ".pdf":
        page = _fitted(policies, source, language)
        write_file(path, page.pdf)
        return path, _too_small(page, policies.organisation.paper)
    else:
        write_file(path, render(source, "png"))
    return path, ""


def readable(policies: Policies, picture: bytes, language: str | None, links: Mapping[str, str] | None = None) -> str:
    """The overview as Graphviz drew it, fit for people; ``links`` are the pages of flows, by the names of these."""
    policies, language = in_language(policies, language), language_of(policies, language)
    names = {f"flow-{identifier(name)}": clean(flow.title) or name for name, flow in policies.flows.items()}
    title = labels_of(language, policies.own_words).all_flows
    addresses = {f"flow-{identifier(name)}": address for name, address in (links or {}).items()}
    return made_readable(picture, title, "; ".join(names.values()), names, "all", language, addresses)


def _fitted(policies: Policies, source: str, language: str | None) -> OverviewPage:
    language = language_of(policies, language)
    title = labels_of(language, policies.own_words).all_flows
    picture = readable(policies, render(source, "svg"), language)
    return _on_paper(picture, policies.organisation.paper, title, language)


def _heard(policies: Policies, source: Node, event: str) -> list[Link]:
    flows = [Link(source, ("flow", flow.name), event) for flow in policies.flows.values() if event in flow.events]
    watches = policies.organisation.watches
    return flows + [Link(source, ("watch", name), event) for name, watch in watches.items() if watch.count == event]


class _Overview:
    """The overview being written."""

    def __init__(self, policies: Policies, language: str) -> None:
        self.policies = policies
        self.language = language
        self.labels: Labels = labels_of(language, policies.own_words)
        self.pen = markup.Pen(is_right_to_left(language))
        self.strata = _strata(policies)
        self.further: dict[Node, dict[str, list[str]]] = {}
        """Links that are no arrows: by their source, and by what it does, whom that is done to."""
        owners = (flow.owner for flow in policies.flows.values())
        self.shades: Mapping[str, Shade] = shades_of(policies, owners)

    def text(self) -> str:
        """The whole DOT text: flows as cards in the order of their strata, and the links between them."""
        face = font_of(self.language)
        graph = graphviz.Digraph(name="all_flows")
        ahead = "RL" if self.pen.right_to_left else "LR"
        graph.attr("graph", rankdir=ahead, bgcolor="white", fontname=face, charset="UTF-8", pad="0.1",
                   splines="polyline", nodesep="0.25", ranksep="0.25", labelloc="t", labeljust="l")  # fmt: skip
        graph.attr("node", fontname=face, fontsize="11")
        graph.attr("edge", fontname=face, fontsize="11", color="#444444", arrowsize="0.7", penwidth="1.2")
        title = self.labels.told_of.format(self.policies.organisation.name, self.labels.all_flows)
        graph.attr("graph", label=f"<{markup.font(self.pen.lines(wrapped(title, 60), 'near'), size=20, bold=True)}>")
        above: dict[Node, Node] = {}
        arrows: list[tuple[int, Link]] = []
        for place, link in enumerate(links_of(self.policies)):
            if link.target not in above and link.target not in _line_of(link.source, above):
                arrows.append((place, link))
                above[link.target] = link.source
            else:
                self.further.setdefault(link.source, {}).setdefault(self._said(link), []).append(self._called(link))
        for node in self._in_strata():
            self._node(graph, node)
        for place, link in arrows:
            self._arrow(graph, link, place)
        return str(graph.source)

    def _in_strata(self) -> list[Node]:
        nodes: list[Node] = [("flow", name) for name in self.policies.flows]
        nodes += [("watch", name) for name in self.policies.organisation.watches]
        return sorted(nodes, key=lambda node: self.strata.get(node, 0))

    def _node(self, graph: graphviz.Digraph, node: Node) -> None:
        kind, name = node
        if kind == "flow":
            flow = self.policies.flows[name]
            graph.node(identifier(kind, name), label=self._card(flow), shape="plain", id=f"flow-{identifier(name)}",
                       tooltip=graphviz.escape(escaped(flow.title)))  # fmt: skip
            return
        watch = self.policies.organisation.watches[name]
        within = limit_told(self.policies, watch.within, self.language)
        said = self.labels.told_of.format(humanised(name), f"{watch.reaches} × {within}")
        lines = [*balanced(said, 24), *self._further(node, 30)]
        graph.node(identifier(kind, name), label=f"<{self.pen.lines(lines)}>", shape="hexagon",
                   style="filled", fillcolor=markup.QUESTION_GROUND, color=markup.QUESTION_LINE, penwidth="1.6",
                   tooltip=graphviz.escape(escaped(said)))  # fmt: skip

    def _card(self, flow: Flow) -> str:
        words = Words(self.policies, flow, self.language)
        shade = self.shades.get(flow.owner, NOBODY)
        owner = markup.font(
            self.pen.lines(wrapped(words.role(flow.owner), 30)), size=11, colour=shade.on_band, bold=True
        )
        title = markup.font(self.pen.lines(wrapped(flow.title or flow.name, 24), "near"), size=14, bold=True)
        events = dict.fromkeys(event for state in flow.states.values() for event in state.start_on)
        starts = "".join(self.pen.lines(wrapped(f"• {words.event(event)}", 34), "near") for event in events)
        near = f'ALIGN="{self.pen.near}" BALIGN="{self.pen.near}"'
        row = f"<TR><TD {near}>{markup.font(starts, size=11, colour='#444444')}</TD></TR>" if starts else ""
        further = self.pen.lines(self._further(("flow", flow.name), 38), "near")
        row += f"<TR><TD {near}>{markup.font(further, size=11)}</TD></TR>" if further else ""
        if len(set(self.strata.values())) > 1:
            level = self.labels.level.format(self.strata[("flow", flow.name)] + 1)
            row += f"<TR><TD {near}>{markup.font(self.pen.line(level), size=11, colour='#444444')}</TD></TR>"
        return (
            f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="{shade.line}" BGCOLOR="#FFFFFF">'
            f'<TR><TD BGCOLOR="{shade.band}" {near}>{owner}</TD></TR><TR><TD {near}>{title}</TD></TR>{row}</TABLE>>'
        )

    def _further(self, node: Node, columns: int) -> list[str]:
        """What else a flow or watch does, as lines: "reports a complaint → the review, the report"."""
        told = (f"{said} {self.pen.arrow} {', '.join(names)}" for said, names in self.further.get(node, {}).items())
        return [line for each in told for line in wrapped(each, columns)]

    def _said(self, link: Link) -> str:
        if not link.raised:
            return self.labels.opens_word
        return self.labels.told_of.format(self.labels.raises_word, self._event(link.raised))

    def _called(self, link: Link) -> str:
        kind, name = link.target
        return (self.policies.flows[name].title if kind == "flow" else "") or humanised(name)

    def _arrow(self, graph: graphviz.Digraph, link: Link, place: int) -> None:
        line = {"style": "dashed"} if link.raised else {}
        said, node = self._said(link), f"link_{place}"
        graph.node(node, label=f"<{self.pen.lines(balanced(said, 24))}>", shape="box", style="rounded,filled",
                   fillcolor="white", color="#767676", penwidth="0.8", margin="0.08,0.04", height="0.1",
                   width="0.1", tooltip=graphviz.escape(escaped(said)))  # fmt: skip
        graph.edge(identifier(*link.source), node, arrowhead="none", **line)
        graph.edge(node, identifier(*link.target), **line)

    def _event(self, name: str) -> str:
        titles = (flow.events[name].title for flow in self.policies.flows.values() if name in flow.events)
        return next((title for title in titles if title), humanised(name))


def _strata(policies: Policies) -> dict[Node, int]:
    """The stratum of each flow and watch; none where they report in a circle (the check finds that)."""
    try:
        return strata_of(policies)
    except CycleOfRaises:
        return {}


def _line_of(node: Node, above: Mapping[Node, Node]) -> set[Node]:
    """A node and all from which arrows lead down to it: an arrow to one of them would run upwards."""
    line = {node}
    while node in above:
        node = above[node]
        line.add(node)
    return line


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """One sheet of paper: the PDF, how many points tall its smallest text is printed, and advice ("" for none)."""

    pdf: bytes
    text: float
    advice: str = ""


def _too_small(page: OverviewPage, paper: str) -> str:
    """A note where a page's text is smaller than can be read on a wall; "" where it can."""
    if page.text >= SMALLEST - 0.05:
        return page.advice
    larger = "take --paper A3, or " if paper != "A3" else ""
    said = f"note: the smallest text is {page.text:.1f} points on {paper}"
    return f"{said}, and below 8 it is hard to read; {larger}look at it on a screen"


def _on_paper(picture: str, paper: str, title: str, language: str) -> OverviewPage:
    """A drawing as a page of PDF of exactly the paper's size, upright or across, whichever shows larger text."""
    if paper not in PAPERS:
        raise UnknownPaper(f'there is no paper "{paper}": choose one of {", ".join(PAPERS)}')
    view = _VIEW.search(picture)
    wide, tall = (float(view[1]), float(view[2])) if view is not None else (100.0, 100.0)
    short, long = PAPERS[paper]
    best, size = 0.0, (short, long)
    for across, down in ((short, long), (long, short)):
        scale = min((across - 2 * MARGIN) / wide, (down - 2 * MARGIN) / tall, _MOST)
        if scale > best * 1.1:  # upright unless lying down is clearly larger
            best, size = scale, (across, down)
    data = {"title": title, "language": language.partition("-")[0], "width": size[0], "height": size[1],
            "picture": picture, "across": wide * best, "down": tall * best}  # fmt: skip
    made = typeset(_PAGE, data)
    return OverviewPage(made.pdf, best * _TEXT, made.advice)
