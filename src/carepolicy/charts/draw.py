"""Draw a flow: DOT, a picture, an exact sheet of paper, or another format, by the ending of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from carepolicy.charts import card
from carepolicy.charts.colours import PLAIN
from carepolicy.charts.formats import FORMATS
from carepolicy.charts.paper import TOO_SMALL, exact, joined, too_small
from carepolicy.charts.plan import chart_of, finer
from carepolicy.charts.render import NoRenderer, how_to_draw, render, renderer
from carepolicy.charts.svg import cleaned
from carepolicy.files import write

if TYPE_CHECKING:
    import os

    from carepolicy.charts.order import Groups
    from carepolicy.charts.plan import Chart, Mark, Sheet
    from carepolicy.policy.model import Policies

PICTURES = (".svg", ".png", ".pdf")

Writer = Callable[["Chart", "Sheet", bool, bool], str]
"""Writes the DOT text of one sheet: with the words to say or without, with a heading or without."""


Planner = Callable[["Groups | None"], "Chart"]
"""Plans a chart anew: with its usual sheets (None), or with these."""


class UnknownFormat(ValueError):
    """No chart can be written with this ending, or in this style; the text names those that can."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was written: the files in order, and one line of advice ("" where there is none)."""

    files: tuple[Path, ...]
    advice: str = ""


def draw(
    policies: Policies,
    flow_name: str,
    output_path: str | os.PathLike[str],
    *,
    style: str = "card",
    paper: str | None = None,
    language: str | None = None,
    marks: Mapping[str, Mark] | None = None,
    say: bool | None = None,
    split: bool = True,
) -> Drawn:
    """Write the chart of one flow; what is written follows from the ending of ``output_path``.

    A flow of several sheets becomes ``name-1.svg``, ``name-2.svg``, … (one file for ``.pdf``). ``paper`` is
    "A4", "A3" or "Letter", for ``.pdf`` by default that of the organisation. ``say`` True or False shows or
    hides the words to say; None hides them on paper where the text would become too small to read.

    Raises UnknownFlow, UnknownFormat, NoRenderer (a picture was asked for and nothing can draw it),
    RenderError and OSError.
    """
    path = Path(output_path)
    ending = ending_of(path)
    if ending in PICTURES or ending == ".dot":

        def planned(groups: Groups | None) -> Chart:
            return chart_of(policies, flow_name, language=language, split=split, marks=marks, groups=groups)

        return draw_plan(planned, path, style=style, paper=paper or policies.organisation.paper, say=say)
    if ending not in FORMATS:
        known = ", ".join((".dot", *PICTURES, *FORMATS))
        raise UnknownFormat(f'cannot write a chart as "{path.name}": the ending must be one of {known}')
    text = FORMATS[ending]()(policies, flow_name, language)
    write(path, text)
    return Drawn((path,))


def draw_plan(
    planned: Planner, path: Path, *, style: str = "card", paper: str = "A4", say: bool | None = None
) -> Drawn:
    """Write a chart that is planned otherwise than from a flow as it stands, as .dot, .svg, .png or .pdf.

    Raises NoRenderer, RenderError and OSError.
    """
    ending = ending_of(path)
    if ending in PICTURES and renderer() is None:
        raise NoRenderer
    if ending == ".pdf":
        return _on_paper(planned, _dot(style), path, paper, say)
    chart, writer = planned(None), _dot(style)
    return _drawn(chart, [writer(chart, sheet, say is not False, True) for sheet in chart.sheets], path, ending)


def sources(
    policies: Policies,
    flow_name: str,
    *,
    style: str = "card",
    language: str | None = None,
    marks: Mapping[str, Mark] | None = None,
    say: bool = True,
    split: bool = True,
    heading: bool = True,
) -> list[str]:
    """The DOT text of each sheet. The same policies give the same text on every machine."""
    chart = chart_of(policies, flow_name, language=language, split=split, marks=marks)
    return [_dot(style)(chart, sheet, say, heading) for sheet in chart.sheets]


def pictures(
    policies: Policies,
    flow_name: str,
    *,
    style: str = "card",
    language: str | None = None,
    marks: Mapping[str, Mark] | None = None,
    split: bool = True,
    heading: bool = False,
) -> list[str]:
    """The cleaned SVG of each sheet, for use inside of a page. Raises NoRenderer."""
    chart = chart_of(policies, flow_name, language=language, split=split, marks=marks)
    return svgs_of(chart, style=style, heading=heading)


def svgs_of(chart: Chart, *, style: str = "card", heading: bool = True) -> list[str]:
    """The cleaned SVG of each sheet of a chart that is planned already. Raises NoRenderer, RenderError."""
    writer = _dot(style)
    return [cleaned(render(writer(chart, sheet, True, heading), "svg"), chart, sheet) for sheet in chart.sheets]


def ending_of(path: Path) -> str:
    """The ending that decides the format: ".svg", and ".xstate.json" as one."""
    name = path.name.lower()
    return ".xstate.json" if name.endswith(".xstate.json") else path.suffix.lower()


def _plain(chart: Chart, sheet: Sheet, say: bool = True, heading: bool = True) -> str:
    """The same cards in black on white, for grey printers and for cutting out."""
    return card.dot_of(replace(chart, shades=dict.fromkeys(chart.shades, PLAIN)), sheet, say, heading)


STYLES: Mapping[str, Writer] = {"card": card.dot_of, "plain": _plain}

_INSTEAD = {
    "lanes": "its sheets were half empty. Take .bpmn, which has a lane for each owner, or what is of one role alone: "
    "`carepolicy handbook --pdf --role ROLE`"
}
"""What to take for a style that there was (docs/decisions/0052)."""


def _dot(style: str) -> Writer:
    if style not in STYLES:
        known = f'there is no style "{style}": the styles are {", ".join(STYLES)}'
        raise UnknownFormat(f'there is no style "{style}" any more: {_INSTEAD[style]}' if style in _INSTEAD else known)
    return STYLES[style]


def _on_paper(planned: Planner, writer: Writer, path: Path, paper: str, say: bool | None) -> Drawn:
    """A PDF in which each sheet is cut in two until its text can be read, or until it has but a few steps."""
    chart = planned(None)
    while True:
        pages = [exact(_writing(writer, chart, sheet), paper, say) for sheet in chart.sheets]
        groups = finer(chart, {number for number, page in enumerate(pages, 1) if page.text < TOO_SMALL})
        if groups is None:
            break
        chart = planned(groups)
    contents = [page.pdf for page in pages]
    whole = joined(contents) if len(pages) > 1 else contents[0]
    return Drawn(_saved(path, contents if whole is None else [whole]), too_small(pages, paper))


def _writing(writer: Writer, chart: Chart, sheet: Sheet) -> Callable[[bool], str]:
    return lambda said: writer(chart, sheet, said, True)


def _drawn(chart: Chart, texts: list[str], path: Path, ending: str) -> Drawn:
    if ending == ".dot":
        return Drawn(_saved(path, [text.encode() for text in texts]), "" if renderer() else how_to_draw())
    if ending == ".png":
        return Drawn(_saved(path, [render(_at(text, 110), "png") for text in texts]))
    both = zip(texts, chart.sheets, strict=True)
    return Drawn(_saved(path, [cleaned(render(text, "svg"), chart, sheet).encode() for text, sheet in both]))


def _at(source: str, dpi: int) -> str:
    head, brace, rest = source.partition("{")
    return f"{head}{brace}\n\tgraph [dpi={dpi}]{rest}"


def _saved(path: Path, contents: list[bytes]) -> tuple[Path, ...]:
    files = [path] if len(contents) == 1 else [path.with_stem(f"{path.stem}-{n}") for n in range(1, len(contents) + 1)]
    for file, content in zip(files, contents, strict=True):
        write(file, content)
    return tuple(files)
