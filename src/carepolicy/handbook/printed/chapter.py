"""A flow as a chapter on paper: the same values as its page on the screen, without stories, in one language."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from carepolicy.charts.colours import PLAIN
from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.messages import message_anchor, messages_of
from carepolicy.handbook.printed.pieces import (
    BELOW,
    BookPen,
    Columns,
    Heading,
    Items,
    Paragraph,
    PrintedLetter,
    PrintedStep,
    StepPart,
    TextSpan,
    after,
    joined,
    label,
    plain,
    quiet,
)
from carepolicy.handbook.promises import clocks_of
from carepolicy.handbook.search import spoken
from carepolicy.handbook.steps import always_of, anchor_of, ends_of, starting, steps_of

if TYPE_CHECKING:
    from carepolicy.charts.plan import Chart
    from carepolicy.handbook.book import Book
    from carepolicy.handbook.messages import MessageGroup
    from carepolicy.handbook.printed.pieces import Piece, PrintedSheet, TextSpans
    from carepolicy.handbook.printed.words import PrintWords
    from carepolicy.handbook.promises import ClockRow
    from carepolicy.handbook.steps import Answer, End, FlowStep, StepHappening
    from carepolicy.policy.model import Flow

COLUMNS = 2
"""Steps stand in so many columns: lines of some fifty letters."""


@dataclass(slots=True)
class PrintedLetters:
    """Messages that are printed already: what several flows send is printed once, and the others lead there.

    ``moved`` gives to the label of a message that of the one in its place.
    """

    printed: dict[PrintedLetter, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)

    def first(self, letter: PrintedLetter) -> bool:
        """Whether a message is printed here for the first time."""
        place = self.printed.setdefault(replace(letter, label=""), letter.label)
        if place != letter.label:
            self.moved[letter.label] = place
        return place == letter.label


class Chapter:
    """Writes the pieces of one flow; ``letters`` are those of the flows before it."""

    def __init__(
        self, book: Book, words: PrintWords, flow: Flow, chart: Chart, letters: PrintedLetters | None = None
    ) -> None:
        self._printed = letters or PrintedLetters()
        self._book, self._ui, self._words = book, book.ui, words
        self._pen = BookPen(book)
        self._flow, self._chart = flow, chart

    def pieces(self, sheets: tuple[PrintedSheet, ...]) -> list[Piece]:
        """The whole chapter: what the flow is for, its chart, its steps, ends, limits and messages."""
        running = (*self._steps(), *self._clocks(), *self._letters())
        return [*self.opening(), Columns(COLUMNS, running), *sheets]

    def opening(self, *, fresh: bool = True) -> list[Piece]:
        """The title, the purpose, and who answers for the flow; ``fresh`` on a page of its own."""
        flow, ui = self._flow, self._ui
        title = self._book.words(flow).flow_title(flow.name)
        version = f"{ui.version} {flow.version}"
        heading = Heading(1, self._pen.own(title), chapter_label(flow.name), version, listed=True, fresh=fresh)
        about = [
            self._pen.pair(ui.owner, *self._pen.own(self._book.role(flow.owner), "bold")),
            self._pen.pair(ui.steward, *self._pen.own(self._book.role(flow.steward))),
            self._pen.pair(ui.version, *plain(str(flow.version))),
            self._pen.pair(ui.valid_from, *plain(self._book.day(flow.valid_from) if flow.valid_from else "")),
            self._pen.pair(ui.also_called, *self._pen.own(", ".join(spoken(flow.synonyms)))),
        ]
        purpose = self._pen.own(flow.purpose)
        return [heading, *([Paragraph(purpose, "lead")] if purpose else []), Paragraph(joined(about, "  ·  "), "about")]

    def _steps(self) -> list[Piece]:
        ui = self._ui
        steps: list[Piece] = [self._heading(2, ui.steps, "steps")]
        steps += [Paragraph(told) for told in self._starts()]
        steps += [self.step(each) for each in steps_of(self._book, self._flow, self._chart)]
        steps += self.always()
        ends = ends_of(self._book, self._flow)
        if ends:
            steps.append(self._heading(3, ui.ends, "ends"))
            steps.append(Items(tuple(self._end(each) for each in ends)))
        return steps

    def always(self) -> list[Piece]:
        """What may happen at many steps, told once: where, and under it what."""
        places: dict[str, list[TextSpans]] = {}
        for where, event in always_of(self._chart, self._book):
            places.setdefault(where, []).extend(self._lines(event))
        found: list[Piece] = [self._heading(3, self._ui.always, "always")] if places else []
        for where, lines in places.items():
            found += [Paragraph(self._pen.own(where, "bold"), "about"), Items(tuple(lines))]
        return found

    def _starts(self) -> list[TextSpans]:
        words, ui = self._book.words(self._flow), self._ui
        starts = [
            self._pen.own(words.event(event), "", self._label(anchor_of(state)))
            for state, event in starting(self._flow)
        ]
        return [self._pen.pair(ui.starts, *joined(starts, "; "))] if starts else []

    def step(self, step: FlowStep) -> PrintedStep:
        """One step with all that its page says of it."""
        shade = step.shade or PLAIN
        parts = [*self.limits(step), *self.words_of(step), *self._next(step)]
        return PrintedStep(
            number=str(step.number),
            title=self._pen.own(step.title),
            label=self._label(step.anchor),
            owner=self._pen.own(step.owner),
            aside=self._pen.own(step.channel),
            band=shade.band,
            on_band=shade.on_band,
            parts=tuple(part for part in parts if any(part.lines)),
        )

    def limits(self, step: FlowStep) -> list[StepPart]:
        """The limits of a step, and who waits there."""
        told = [self._pen.pair(title, *plain(limit, "bold")) for title, limit in step.limits]
        waits = self._pen.pair(self._ui.waits, *plain(step.waits))
        return [StepPart("", "limits", tuple(each for each in (*told, waits) if each))]

    def words_of(self, step: FlowStep) -> list[StepPart]:
        """What staff do and say at a step, and what never."""
        own, ui = self._pen.own, self._ui
        return [
            StepPart("", "note", tuple(each for each in (own(step.note),) if each)),
            StepPart(ui.what_to_do, "list", tuple(own(each) for each in step.steps)),
            StepPart(ui.to_say, "quote", tuple(each for each in (own(step.say),) if each)),
            StepPart(ui.never_say, "never", tuple(each for each in (own(step.never),) if each)),
        ]

    def _next(self, step: FlowStep) -> list[StepPart]:
        """What may happen at a step itself; what may happen at others too stands in ``always``."""
        ways = [line for each in step.next if not each.place for line in self._lines(each)]
        meanwhile = [joined([self._pen.own(each.text), *self._done(each)], " · ") for each in step.around]
        meanwhile += [line for each in step.meanwhile if not each.place for line in self._lines(each)]
        return [StepPart(self._ui.next, "ways", tuple(ways)), StepPart(self._ui.meanwhile, "list", tuple(meanwhile))]

    def _lines(self, event: StepHappening) -> list[TextSpans]:
        """What may happen, and what follows: on one line, or where a question decides with a line for each answer."""
        own, ui = self._pen.own, self._ui
        said = list(own(event.text))
        if event.by_itself:
            said.append(TextSpan(f" ({ui.by_itself})", "quiet"))
        if not event.question:
            return [(*said, *(span for answer in event.answers for span in self._outcome(answer)))]
        asked = (*said, TextSpan(f"{ui.colon} "), *own(event.question, "bold"))
        return [asked, *((BELOW, *own(answer.text), *self._outcome(answer)) for answer in event.answers)]

    def _outcome(self, answer: Answer) -> TextSpans:
        """Where an answer leads, and what goes with it."""
        own, ui = self._pen.own, self._ui
        there = answer.where
        to = self._label(there.anchor) if there is not None else ""
        said = [TextSpan(" → "), TextSpan(there.text if there is not None else ui.stays, "bold" if to else "", "", to)]
        more = [
            *self._done(answer),
            self._pen.pair(ui.note, *own(answer.note)),
            joined([own(each) for each in answer.steps], " · "),
            own(f"“{answer.say}”" if answer.say else ""),
            self._pen.pair(ui.never_say, *own(answer.never)),
        ]
        return (*said, *quiet(after(" · ", joined(more, " · "))))

    def _done(self, answer: Answer) -> list[TextSpans]:
        """What is done besides, and what the customer is sent."""
        own, sends = self._pen.own, TextSpan(f"{self._ui.sends} ")
        sent = ((sends, *own(title, "", self._message(name), page=True)) for name, title in answer.messages)
        return [own(answer.effects), *sent]

    def _end(self, end: End) -> TextSpans:
        own, ui = self._pen.own, self._ui
        more = [
            self._pen.pair(ui.outcome, *own(end.outcome)),
            own(end.inside),
            *(
                (TextSpan(f"{ui.sends} "), *own(title, "", self._message(name), page=True))
                for name, title in end.messages
            ),
            own(end.note),
        ]
        title = TextSpan(clean(end.title), "bold", label=self._label(end.anchor))
        return (title, *quiet(after(" · ", joined(more, " · "))))

    def _clocks(self) -> list[Piece]:
        clocks = clocks_of(self._book, self._flow)
        if not clocks:
            return []
        cards = [piece for clock in clocks for piece in self._clock(clock)]
        return [self._heading(2, self._ui.clocks, "clocks"), *cards]

    def _clock(self, clock: ClockRow) -> list[Piece]:
        own, ui, pair = self._pen.own, self._ui, self._pen.pair
        promise = clock.promise
        found: list[Piece] = [
            Heading(3, own(promise.title), self._label(promise.anchor)),
            Paragraph(own(promise.promise)),
        ]
        for choice in clock.choices:
            found.append(Paragraph((*plain(choice.limit, "bold"), *after(" ", plain(choice.condition)))))
            hangs = plain(ui.hangs_on.format(choice.hangs_on)) if choice.hangs_on else ()
            found += [Paragraph(hangs), Paragraph(plain(ui.rolls) if choice.rolls else ())]
            found.append(Items(tuple(plain(each, "quiet") for each in choice.examples)))
        places = [
            pair(ui.counted_in, *plain(promise.calendar)),
            pair(ui.target, *plain(promise.target)),
            pair(ui.runs_in, *joined([own(title, "", self._label(to)) for to, title in clock.runs_in], ", ")),
            pair(ui.pauses_in, *joined([own(title, "", self._label(to)) for to, title in clock.pauses_in], ", ")),
            pair(ui.never_pauses, *own(clock.never_pauses)),
            pair(ui.restarts_on, *own(clock.restarts_on)),
            pair(ui.warns_at, *plain(clock.warns_at)),
            pair(ui.counts_from, *own(clock.counts_from)),
        ]
        found.append(Paragraph(joined(places, "  ·  ")))
        return [each for each in found if not isinstance(each, Paragraph | Items) or _says(each)]

    def _letters(self) -> list[Piece]:
        every = [self.letter(group) for group in messages_of(self._book, self._flow)]
        letters = [each for each in every if self._printed.first(each)]
        if not letters:
            return []
        note = Paragraph(plain(self._ui.messages_note), "quiet")
        return [self._heading(2, self._ui.messages, "messages"), note, *letters]

    def letter(self, group: MessageGroup) -> PrintedLetter:
        """A message in the language of the book, or in the first that it has."""
        message = group.messages[0]
        without = plain(self._ui.without_values)
        asides = ((without, *(plain(each) for each in message.without))) if message.without else ()
        lines = tuple(clean(line) for line in message.text.strip().splitlines())
        return PrintedLetter(plain(group.title), self._label(group.anchor), lines, asides)

    def _heading(self, level: int, text: str, anchor: str) -> Heading:
        return Heading(level, plain(text), self._label(anchor))

    def _message(self, name: str) -> str:
        return self._label(message_anchor(name))

    def _label(self, anchor: str) -> str:
        return label(self._flow.name, anchor)


def chapter_label(flow: str) -> str:
    """The label of a flow's chapter."""
    return identifier(flow)


def _says(piece: Paragraph | Items) -> bool:
    return bool(piece.text if isinstance(piece, Paragraph) else piece.items)
