"""Draw a flow: DOT, a picture, an exact sheet of paper, or another format, by the ending of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from carepolicy.charts import card
from carepolicy.charts.colours import PLAIN
from carepolicy.charts.formats import FORMATS
from carepolicy.charts.plan import chart_of
from carepolicy.charts.printed import printed, shown
from carepolicy.charts.render import NoRenderer, how_to_draw, render, renderer
from carepolicy.charts.sheets import sheets_of
from carepolicy.charts.svg import cleaned
from carepolicy.files import write_file

if TYPE_CHECKING:
    import os

    from carepolicy.charts.plan import Chart, Mark, Sheet
    from carepolicy.policy.model import Policies

PICTURES = (".svg", ".png", ".pdf")

Writer = Callable[["Chart", "Sheet", bool, bool], str]
"""Writes the DOT text of one sheet: with the words to say or without, with a heading or without."""


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
    say: bool = True,
    sheets: bool = False,
) -> Drawn:
    """Write the chart of one flow; what is written follows from the ending of ``output_path``.

    One picture for a screen, or as ``.pdf`` sheets of ``paper``: "A4", "A3" or "Letter", by default that of the
    organisation. ``sheets`` True writes these as pictures too: ``name-1.svg``, ``name-2.svg``, … ``say`` False
    leaves out the words to say.

    Raises UnknownFlow, UnknownFormat, UnknownPaper, NoRenderer (a picture was asked for and nothing can draw it),
    NoTypesetter (as much of sheets), RenderError, TypesetError and OSError.
    """
    path = Path(output_path)
    ending = ending_of(path)
    if ending in PICTURES or ending == ".dot":
        chart = chart_of(policies, flow_name, language=language, marks=marks)
        paper = paper or policies.organisation.paper
        return draw_chart(chart, path, style=style, paper=paper, say=say, sheets=sheets)
    if ending not in FORMATS:
        known = ", ".join((".dot", *PICTURES, *FORMATS))
        raise UnknownFormat(f'cannot write a chart as "{path.name}": the ending must be one of {known}')
    if sheets:
        raise _no_sheets(path)
    text = FORMATS[ending]()(policies, flow_name, language)
    write_file(path, text)
    return Drawn((path,))


def draw_chart(
    chart: Chart, path: Path, *, style: str = "card", paper: str = "A4", say: bool = True, sheets: bool = False
) -> Drawn:
    """Write a chart that is planned already, as .dot, .svg, .png or .pdf; as ``draw`` does."""
    ending, writer = ending_of(path), _dot(style)
    if sheets and ending not in PICTURES:
        raise _no_sheets(path)
    if sheets or ending == ".pdf":
        return _on_paper(_coloured(chart, style), path, ending, paper, say)
    if ending in PICTURES and renderer() is None:
        raise NoRenderer
    (sheet,) = chart.sheets
    text = writer(chart, sheet, say, True)
    if ending == ".dot":
        write_file(path, text)
        return Drawn((path,), "" if renderer() else how_to_draw())
    content = render(_at(text, 110), "png") if ending == ".png" else cleaned(render(text, "svg"), chart, sheet).encode()
    write_file(path, content)
    return Drawn((path,))


def _no_sheets(path: Path) -> UnknownFormat:
    return UnknownFormat(f'cannot write sheets of paper as "{path.name}": take .pdf, .svg or .png')


def _on_paper(chart: Chart, path: Path, ending: str, paper: str, say: bool) -> Drawn:
    """Sheets of paper: a PDF, or a picture of each."""
    laid = sheets_of(chart, paper, say=say)
    if ending != ".pdf":
        return Drawn(_saved(path, shown(laid, ending.removeprefix("."))))
    made = printed(laid)
    write_file(path, made.pdf)
    return Drawn((path,), made.advice)


def sources(
    policies: Policies,
    flow_name: str,
    *,
    style: str = "card",
    language: str | None = None,
    marks: Mapping[str, Mark] | None = None,
    say: bool = True,
    heading: bool = True,
) -> list[str]:
    """The DOT text of the chart. The same policies give the same text on every machine."""
    chart = chart_of(policies, flow_name, language=language, marks=marks)
    return [_dot(style)(chart, sheet, say, heading) for sheet in chart.sheets]


def pictures(
    policies: Policies,
    flow_name: str,
    *,
    style: str = "card",
    language: str | None = None,
    marks: Mapping[str, Mark] | None = None,
    heading: bool = False,
) -> list[str]:
    """The cleaned SVG of the chart, for use inside of a page. Raises NoRenderer."""
    chart = chart_of(policies, flow_name, language=language, marks=marks)
    return svgs_of(chart, style=style, heading=heading)


def svgs_of(chart: Chart, *, style: str = "card", heading: bool = True) -> list[str]:
    """The cleaned SVG of each sheet of a chart that is planned already. Raises NoRenderer, RenderError."""
    writer = _dot(style)
    return [cleaned(render(writer(chart, sheet, True, heading), "svg"), chart, sheet) for sheet in chart.sheets]


def ending_of(path: Path) -> str:
    """The ending that decides the format: ".svg", and ".xstate.json" as one."""
    name = path.name.lower()
    return ".xstate.json" if name.endswith(".xstate.json") else path.suffix.lower()


def _coloured(chart: Chart, style: str) -> Chart:
    return replace(chart, shades=dict.fromkeys(chart.shades, PLAIN)) if style == "plain" else chart


def _plain(chart: Chart, sheet: Sheet, say: bool = True, heading: bool = True) -> str:
    """The same cards in black on white, for grey printers and for cutting out."""
    return card.dot_of(_coloured(chart, "plain"), sheet, say, heading)


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


def _at(source: str, dpi: int) -> str:
    head, brace, rest = source.partition("{")
    return f"{head}{brace}\n\tgraph [dpi={dpi}]{rest}"


def _saved(path: Path, contents: list[bytes]) -> tuple[Path, ...]:
    files = [path] if len(contents) == 1 else [path.with_stem(f"{path.stem}-{n}") for n in range(1, len(contents) + 1)]
    for file, content in zip(files, contents, strict=True):
        write_file(file, content)
    return tuple(files)
