"""What is drawn in pages of policies/, as a browser sets it: no text over another or out of its box, no crossing."""

from __future__ import annotations

import handbook_sets
import pytest

from carepolicy.handbook import write
from shops import LIBRARY

FLOWS = sorted(handbook_sets.sample(LIBRARY).flows)
SAMPLE = {"complaint_decision", "lost_or_wrong_item", "email_inquiry", "gold_customer"}
"""Looked at in every run of the suite; all of them by ``-m soak``."""

FAULTS = """() => {
  const svg = document.querySelector(".picture svg");
  const found = [];
  const boxes = [...svg.querySelectorAll("text")].filter((each) => each.textContent.trim())
    .map((each) => [each.textContent, each.getBBox(), each.closest("g.node")]);
  const shared = (from, to, size, other) => Math.min(from + size, to + other) - Math.max(from, to);
  const meet = (one, other) => shared(one.x, other.x, one.width, other.width) > 1
    && shared(one.y, other.y, one.height, other.height) > 4;
  boxes.forEach(([text, box, node], place) => {
    for (const [other, there] of boxes.slice(place + 1)) if (meet(box, there)) found.push(["over", text, other]);
    if (!node) return;
    const shapes = [...node.querySelectorAll("polygon, path, ellipse")].map((each) => each.getBBox());
    const inside = shapes.some((shape) => box.x >= shape.x - 1 && box.x + box.width <= shape.x + shape.width + 1
      && box.y >= shape.y - 4 && box.y + box.height <= shape.y + shape.height + 4);
    if (!inside) found.push(["out of its box", text, ""]);
  });
  const lines = [...svg.querySelectorAll("g.edge")].map((edge) => {
    const path = edge.querySelector("path");
    const length = path.getTotalLength();
    const count = Math.max(2, Math.ceil(length / 4));
    const points = Array.from({ length: count + 1 }, (_, at) => path.getPointAtLength((length * at) / count));
    return [edge.dataset.way.split(" "), points];
  });
  const side = (a, b, c) => Math.sign((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x));
  const cut = (a, b, c, d) => side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
  lines.forEach(([ends, points], place) => {
    for (const [others, there] of lines.slice(place + 1)) {
      if (ends.some((end) => others.includes(end))) continue;
      const crossed = points.slice(1).some((point, at) =>
        there.slice(1).some((next, on) => cut(points[at], point, there[on], next)));
      if (crossed) found.push(["crossing", ends.join(" to "), others.join(" to ")]);
    }
  });
  return [boxes.length, found];
}"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    write(handbook_sets.library_site("en", "fr"), folder)
    return folder


def flows():
    return [each if each in SAMPLE else pytest.param(each, marks=pytest.mark.soak) for each in FLOWS]


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("flow", flows())
@pytest.mark.parametrize("language", ["en", "fr"])
def test_texts_stand_apart_in_their_boxes_and_no_line_crosses_another(browser, library, language, flow):
    page = browser.new_page()
    page.goto((library / language / f"flows/{flow}.html").as_uri())
    texts, faults = page.evaluate(FAULTS)
    page.close()
    assert texts > 5
    assert faults == []


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize(
    ("kind", "put"),
    [
        ("over", "t.cloneNode(true)"),
        ("out of its box", "Object.assign(t.cloneNode(true), {textContent: 'much too long '.repeat(9)})"),
    ],
)
def test_such_a_fault_is_seen(browser, library, kind, put):
    page = browser.new_page()
    page.goto((library / "en/flows/email_inquiry.html").as_uri())
    page.evaluate(f"() => {{ const t = document.querySelector('.picture g.node text'); t.after({put}); }}")
    assert kind in {each[0] for each in page.evaluate(FAULTS)[1]}
    page.close()
