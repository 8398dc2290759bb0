"""What an editor shows under the pointer: the rule behind a finding, when a limit falls due, what a name stands for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from carepolicy.businesstime import Calendar, CalendarError
from carepolicy.handbook.book import Book
from carepolicy.handbook.promises import examples_of
from carepolicy.lsp.completion import names_for
from carepolicy.policy.language.kinds import occurrences

if TYPE_CHECKING:
    from carepolicy.lsp.mentions import Mention
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Path, Place, Source


def of_finding(finding: Finding) -> str:
    """A finding, and the page of its rule."""
    from carepolicy.cli.explain import page_of

    page = page_of(finding.code)
    said = f"**{finding.code}** {finding.message}" + (f" — {finding.hint}" if finding.hint else "")
    if page is None:
        return said
    examples = "".join(
        f"\n\n{word}:\n\n```yaml\n{text.rstrip()}\n```"
        for word, text in (("Wrong", page.bad), ("Right", page.good))
        if text
    )
    return f"{said}\n\n*{page.title}.* {page.meaning}{examples}"


def limit_at(source: Source, kind: str, line: int, column: int) -> tuple[Path, str, Place] | None:
    """The limit at a place, from 1, of a file of a kind: its path, its text, and where it stands."""
    for here, path, _, _ in occurrences(kind, source.data):
        place = (source.keys if here.on_key else source.values).get(path) if here.shape.what == "limit" else None
        if place is not None and place.line == place.end_line == line and place.column <= column <= place.end_column:
            text = source.text.split("\n")[line - 1][place.column - 1 : place.end_column - 1].strip("'\"")
            return path, text, place
    return None


def of_limit(policies: Policies, flow: str | None, path: Path, text: str) -> str | None:
    """A limit in words, and when it falls due for typical arrivals in its calendar."""
    organisation = policies.organisation
    own = policies.flows.get(flow or "")
    name = (own.calendar if own is not None else None) or organisation.calendar
    if own is not None and len(path) > 1 and path[0] == "clocks" and path[1] in own.clocks:
        name = own.clocks[str(path[1])].calendar or name
    spec = organisation.calendars.get(name or "")
    if spec is None:
        return None
    try:
        book = Book(policies, "en", date.today().year, {spec.name: Calendar.from_spec(spec)})
    except CalendarError:
        return None
    limit = book.parsed(text)
    if limit is None:
        return None
    examples = examples_of(book, limit, spec.name, False)
    return "\n\n".join([f"**{book.limit(text)}**, calendar {spec.title or spec.name}", *examples])


def of_mention(policies: Policies, mention: Mention) -> str | None:
    """What a name stands for, in a line."""
    flow = policies.flows.get(mention.scope)
    title = names_for(policies, mention.kind, flow).get(mention.name)
    return None if title is None else f"{mention.kind} **{mention.name}**" + (f": {title}" if title else "")
