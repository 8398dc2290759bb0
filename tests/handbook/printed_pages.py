"""What tests read in a printed PDF: its words by page, the sizes of its letters, its outline and links."""

from __future__ import annotations

import io
import re
from functools import cached_property

import pypdf

from carepolicy.charts.text import clean


class Printed:
    """A PDF as a reader sees it."""

    def __init__(self, pdf):
        self.reader = pypdf.PdfReader(io.BytesIO(pdf))
        self.count = len(self.reader.pages)

    @property
    def pages(self):
        """The text of each page."""
        return self._read[0]

    @cached_property
    def words(self):
        """Every word of the whole."""
        return words_of(" ".join(self.pages))

    def sizes(self):
        """The heights of all texts in points with the text and its page."""
        return self._read[1]

    @cached_property
    def _read(self):
        """Texts and sizes, of which a page is gone through once: that takes a while."""
        pages, found = [], []
        for number, page in enumerate(self.reader.pages, 1):

            def seen(text, ctm, matrix, font, size, number=number):
                if text.strip():
                    scale = abs(ctm[3] * matrix[3]) or abs(ctm[1] * matrix[2])
                    found.append((round(size * scale, 2), text, number))

            pages.append(page.extract_text(visitor_text=seen))
        return pages, found

    def outline(self):
        """Bookmarks: depth, title, and number of the page."""
        return list(self._flat(self.reader.outline, 1))

    def _flat(self, entries, depth):
        for entry in entries:
            if isinstance(entry, list):
                yield from self._flat(entry, depth + 1)
            else:
                yield depth, entry.title, self.reader.get_destination_page_number(entry) + 1

    def chapters(self):
        """The pages of each chapter, by its title: from its bookmark of the first level to the next one."""
        first = [(title, page) for depth, title, page in self.outline() if depth == 1]
        ends = [page for _, page in first[1:]] + [self.count + 1]
        return {title: range(page, max(end, page + 1)) for (title, page), end in zip(first, ends, strict=True)}

    def links(self):
        """The pages from which links lead, and those to which."""
        pages = {page.indirect_reference.idnum: number for number, page in enumerate(self.reader.pages, 1)}
        named = self.reader.named_destinations
        found = []
        for number, page in enumerate(self.reader.pages, 1):
            for each in page.get("/Annots", ()):
                to = each.get_object().get("/Dest") or each.get_object()["/A"]["/D"]
                place = named[to] if isinstance(to, str) else to
                target = place.page if hasattr(place, "page") else place[0]
                found.append((number, pages[getattr(target, "idnum", None) or target.indirect_reference.idnum]))
        return found


def words_of(text):
    """The words of a text, whatever sets them apart."""
    return set(re.findall(r"\w+", clean(text)))
