"""What is wrong with sheets of paper, as they were laid out and as they stand in the PDF."""

from __future__ import annotations

import io
from itertools import combinations

from carepolicy.charts.letters import length
from carepolicy.charts.sheets import MARGIN
from carepolicy.charts.strips import Area, StripText, Stroke

SMALLEST = 8.0


def faults(laid):
    """Texts too small, wider than their place, over one another or outside of the paper; steps that stand nowhere."""
    found = []
    for sheet in laid.sheets:
        texts = [item for item in sheet.items if isinstance(item, StripText) and item.lines]
        found += [f"sheet {sheet.number}: {why}" for why in (*_too_small(texts), *_too_wide(texts), *_over(texts))]
        found += [f"sheet {sheet.number}: {item} is outside" for item in sheet.items if _outside(laid, item)]
    stand = [state for sheet in laid.sheets for state in sheet.states]
    (chart,) = laid.chart.sheets
    found += [f"{card.state} stands nowhere" for card in chart.cards if card.state not in stand]
    return found


def _too_small(texts):
    return [f"{text.lines} has {text.size:.2f} points" for text in texts if text.size < SMALLEST]


def _too_wide(texts):
    for text in texts:
        wide = max(length(line, text.size, text.bold) for line in text.lines)
        if wide > text.width + 0.1:
            yield f"{text.lines} is {wide:.1f} points wide in {text.width:.1f}"


def _over(texts):
    for one, other in combinations([(text, *_box(text)) for text in texts], 2):
        left, top = max(one[1], other[1]), max(one[2], other[2])
        if min(one[3], other[3]) - left > 0.2 and min(one[4], other[4]) - top > 0.2:
            yield f"{one[0].lines} is over {other[0].lines}"


def _box(text):
    wide = max(length(line, text.size, text.bold) for line in text.lines)
    left = text.x + text.width - wide if text.far else text.x
    return left, text.y, left + wide, text.y + text.height


def _outside(laid, item):
    if isinstance(item, Stroke):
        corners = item.points
    else:
        corners = ((item.x, item.y), (item.x + item.width, item.y + item.height))
    side = MARGIN - 1
    return any(not side <= x <= laid.width - side or not side <= y <= laid.height - side for x, y in corners)


def width_used(laid):
    """Which part of the width between the margins is taken: by all sheets on the average over the height to which they
    are filled, and by the widest line of each."""
    rows, widest = [], []
    for sheet in laid.sheets:
        top, bottom = sheet.body
        boxes = [each for each in sheet.items if isinstance(each, Area) and top - 1 <= each.y < bottom]
        across = [
            (max(each.x + each.width for each in here) - min(each.x for each in here)) / (laid.width - 2 * MARGIN)
            for y in range(int(top) + 1, int(bottom), 2)
            if (here := [each for each in boxes if each.y <= y <= each.y + each.height])
        ]
        rows += across
        widest.append(max(across))
    return sum(rows) / len(rows), min(widest)


def words_of(chart, *, say=True):
    """Every text that sheets of a chart have to hold."""
    (sheet,) = chart.sheets
    yield chart.title
    yield from (part for part in chart.footer if part != chart.title)
    for card in sheet.cards:
        yield from (f"{card.number} {card.title}", card.owner, card.band)
        yield from ([chart.labels.quoted.format(card.say)] if say and card.say else [])
        yield from (f"• {text}" for text in card.inside)
        for event in card.events:
            if not event.where and not event.moves:
                continue
            yield from (event.text, event.where, event.question, *event.settings)
            for answer in event.answers:
                yield from (answer.text if event.question else "", answer.effects)
                if answer.target is not None:
                    yield answer.target.title


def absent(sheet, height, letters):
    """Texts of a sheet that do not stand in the file at their places, line by line."""
    placed = [((each.x0 + each.x1) / 2, height - (each.y0 + each.y1) / 2, each.get_text()) for each in letters]
    for text in (item for item in sheet.items if isinstance(item, StripText)):
        for number, line in enumerate(text.lines):
            top = text.y + number * text.size * 1.2
            here = [(x, letter) for x, y, letter in placed
                    if top < y < top + text.size * 1.2 and text.x - 1 < x < text.x + text.width + 1]  # fmt: skip
            if squeezed("".join(letter for _, letter in sorted(here))) != squeezed(line):
                yield f"lacks {line!r}"


def squeezed(text):
    """A text without what a break of a line may change."""
    return "".join(character for character in text if not character.isspace() and character not in "-\u00ad\u200b")


def read(pdf):
    """Each page of a PDF: its size, and its letters in the order of the file with their size in points."""
    from pdfminer.high_level import extract_pages
    from pdfminer.layout import LTChar

    for page in extract_pages(io.BytesIO(pdf), laparams=None):
        letters = [each for each in _leaves(page) if isinstance(each, LTChar)]
        yield page.bbox, letters


def _leaves(item):
    if hasattr(item, "__iter__"):
        for each in item:
            yield from _leaves(each)
    else:
        yield item
