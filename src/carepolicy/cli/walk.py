"""``carepolicy try``: a walk through a flow by hand, in the terminal: a card, clocks, a list of what may happen, and a
line to type on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from carepolicy.cli.sets import demand_language, language_option, outcomes_in, policies_option, stage_or_exit, words_in
from carepolicy.cli.status import UNREACHABLE, CommandError, no_colour
from carepolicy.cli.terminal import plain
from carepolicy.engine.history.words import IN_ENGLISH, NAMES, UNITS, Titles, status_in_words
from carepolicy.machine.bundle import load_bundle
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.phrases import in_language
from carepolicy.scenarios.stage import CannotPlay
from carepolicy.scenarios.walk import Walk, WalkMove
from carepolicy.translations import ENGLISH, Translation, msg, pmsg, primary_language

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter

    from carepolicy.policy.model import Event
    from carepolicy.scenarios.walk import ClockStanding

HELP = (
    (msg("NUMBER or event"), msg("let it happen; asks for what it carries")),
    (msg("wait 2 business hours"), msg("let so much time pass")),
    (msg("until 2026-03-09 10:00"), msg("let time pass until then")),
    ("next", msg("let time pass until something happens by itself")),
    ("undo", msg("take the last step back")),
    ("history", msg("all that happened so far")),
    (msg("save FILE"), msg("write the walk as a scenario")),
    ("quit", msg("end (so does Ctrl-D; while an event is asked for, that goes back)")),
)
_OWNER, _CHANNEL, _OUTCOME = pmsg("card", "owner"), pmsg("card", "channel"), pmsg("card", "outcome")
_SAY, _NEVER, _NOTE = pmsg("card", "say"), pmsg("card", "never"), pmsg("card", "note")
_SHOWS, _NO_CASE = msg("What does it show?"), msg("no case yet")
_STILL, _LEFT, _OVER, _DUE = msg("stands still"), msg("{} left"), msg("{} over"), msg("due {}")
COMMANDS = ("wait", "until", "next", "undo", "history", "save", "help", "quit")


@click.command(epilog='Examples: carepolicy try email_inquiry, carepolicy try complaint --at "2026-03-06 15:30"')
@click.argument("flow")
@policies_option
@language_option("The language of titles and texts; default: the set's first.")
@click.option("--at", metavar="TIME", default="2026-03-02 10:00", show_default=True, help="When the walk begins.")
def command(flow: str, policies: str, language: str | None, at: str) -> None:
    """Walk through FLOW by hand: choose what happens, let time pass, watch the clocks.

    Shown are the state's card, its clocks and what may happen next. A step can be taken back, and the walk saved as
    a scenario that `carepolicy test` runs.
    """
    walk = _walk(flow, policies, at, language)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("try needs a terminal; `carepolicy scenarios suggest` finds ways through a flow without one")
    try:
        from prompt_toolkit import PromptSession
    except ImportError:
        raise CommandError("try needs prompt_toolkit: pip install 'carepolicy[try]'", UNREACHABLE) from None
    keep_walking(walk, PromptSession())


def _walk(flow: str, policies: str, at: str, language: str | None) -> Walk:
    stage, found = stage_or_exit(policies, flow)
    demand_language(language, stage.policies.organisation.languages)
    found = in_language(stage.policies, language).flows[flow]
    titles = NAMES
    if language is not None:
        titles = Titles(load_bundle(policies, language), words_in(policies, language), outcomes_in(policies, language))
    elif primary_language(stage.bundle.languages[0]) != ENGLISH:
        titles = Titles(words=words_in(policies, stage.bundle.languages[0]))
    try:
        return Walk(stage, found, at, titles)
    except CannotPlay as problem:
        raise CommandError(str(problem)) from None


def keep_walking(walk: Walk, ask: PromptSession[str], console: Console | None = None) -> None:
    """Walk until whoever walks has had enough. Ends at ``quit`` or the end of the input."""
    out = console or Console(no_color=no_colour(), highlight=False)
    show(walk, out)
    while True:
        words = [*(each.name for each in walk.events()), *COMMANDS]
        try:
            typed = ask.prompt("> ", completer=_completer(words, sentence=True), complete_while_typing=False).strip()
        except EOFError:
            return
        if typed in ("quit", "exit", "q"):
            return
        try:
            if typed and obey(walk, typed, ask, out):
                show(walk, out)
        except CannotPlay as problem:
            out.print(Text(plain(str(problem)), style="red"))
        except EOFError:
            out.print(Text(walk.titles.say(msg("nothing was done"))))


def _completer(words: Iterable[str], sentence: bool = False) -> WordCompleter:
    from prompt_toolkit.completion import WordCompleter

    return WordCompleter(list(words), sentence=sentence)


def obey(walk: Walk, typed: str, ask: PromptSession[str], out: Console) -> bool:
    """Do what was typed; whether the walk stands otherwise now. Raises ``CannotPlay`` with the reason why not."""
    word, _, rest = typed.partition(" ")
    rest = rest.strip()
    if word in ("wait", "until") and not rest:
        raise CannotPlay(walk.titles.say(msg("wait how long?") if word == "wait" else msg("until when?")))
    if word == "wait":
        walk.take(WalkMove(wait=rest))
    elif word == "until":
        walk.take(WalkMove(until=rest))
    elif word == "next":
        timer = walk.next_timer()
        if timer is None:
            raise CannotPlay(walk.titles.say(msg("nothing happens by itself here")))
        walk.take(WalkMove(until=timer))
    elif word == "undo":
        if not walk.undo():
            raise CannotPlay(walk.titles.say(msg("there is nothing to take back")))
    elif word == "history":
        nothing = walk.titles.say(msg("nothing happened so far"))
        out.print(Text("\n".join(map(plain, walk.history())) or nothing))
        return False
    elif word == "save":
        _save(walk, rest, ask, out)
        return False
    elif word in ("help", "?"):
        _help(walk, out)
        return False
    else:
        event = _event(walk, typed)
        walk.take(WalkMove(event.name, _data(walk, event, ask, out)))
    return True


def _event(walk: Walk, typed: str) -> Event:
    events = walk.events()
    if typed.isdecimal() and 0 < int(typed) <= len(events):
        return events[int(typed) - 1]
    for each in events:
        if each.name == typed:
            return each
    if typed in walk.flow.events:
        return walk.flow.events[typed]
    hint = did_you_mean(typed.split(" ")[0], [*(each.name for each in events), *walk.flow.events, *COMMANDS])
    raise CannotPlay(f'"{typed}" is no event of this flow and no command; {hint or "help says what there is"}')


def _data(walk: Walk, event: Event, ask: PromptSession[str], out: Console) -> dict[str, str]:
    """What an event carries, asked for one by one; what is left empty is not carried."""
    facts, say = walk.stage.policies.organisation.facts, walk.titles.say
    found: dict[str, str] = {}
    for name in (*event.required, *event.optional):
        fact = facts[name]
        values = fact.of or (("true", "false") if fact.type == "flag" else ())
        kind = "/".join(values) or fact.type
        needed = "" if name in event.required else say(msg(", Enter for none"))
        while True:
            said = ask.prompt(f"  {name} ({kind}{needed}): ", completer=_completer(values)).strip()
            if not said and name in event.required:
                continue
            try:
                if said:
                    walk.stage.held(name, said)
                    found[name] = said
                break
            except CannotPlay as problem:
                out.print(Text(f"  {plain(str(problem))}", style="red"))
    return found


def _save(walk: Walk, path: str, ask: PromptSession[str], out: Console) -> None:
    if not path:
        raise CannotPlay(
            "save to which file? It is best in the set's folder scenarios: save policies/scenarios/mine.yaml"
        )
    title = ask.prompt(f"  {walk.titles.say(_SHOWS)} ").strip() or f"A walk through {walk.flow.name}"
    text = walk.scenario(title)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise CannotPlay(f"{path} is there already; nothing was written") from None
    except OSError as problem:
        raise CannotPlay(f"{path} cannot be written: {problem.strerror}") from None
    out.print(Text(walk.titles.say(msg("{0} written; carepolicy test {0} runs it"), path)))


def _help(walk: Walk, out: Console) -> None:
    table = Table.grid(padding=(0, 3))
    for typed, does in HELP:
        table.add_row(Text(walk.titles.say(typed), style="bold"), Text(walk.titles.say(does)))
    out.print(table)


def show(walk: Walk, out: Console) -> None:
    """The news, the card of the state, its clocks, and what may happen next."""
    for line in walk.news:
        out.print(Text(plain(line), style="dim"))
    state = walk.state
    title = state.title if state is not None else walk.flow.title
    say = walk.titles.say
    head = f"{walk.flow.name} / {state.name if state is not None else say(_NO_CASE)}   {walk.now}"
    parts: list[Text | Table] = [Text(plain(title), style="bold")]
    if state is not None:
        owner = walk.titles.role(state.owner) if state.owner else None
        ended = walk.titles.outcome(walk.flow.name, state.name, state.final) if state.final else None
        facts = ((_OWNER, owner), (_CHANNEL, _channel(walk, state.channel)), (_OUTCOME, ended), (_SAY, state.say),
                 (_NEVER, state.never), (_NOTE, state.note))  # fmt: skip
        parts += [Text(plain(walk.titles.pair(say(name), value))) for name, value in facts if value]
        parts += [Text(plain(f"{number}. {step}")) for number, step in enumerate(state.steps, 1)]
    clocks = walk.clocks()
    if clocks:
        parts.append(_clocks(clocks, walk.titles))
    out.print(Panel(Group(*parts), title=escape(plain(head)), title_align="left", expand=False))
    _choices(walk, out)


def _channel(walk: Walk, name: str | None) -> str | None:
    """A channel as the card calls it: by its title where a language is asked for."""
    if walk.titles is NAMES or name is None:
        return name
    channel = in_language(walk.stage.policies, walk.titles.words.language).organisation.channels.get(name)
    return (channel.title if channel is not None else "") or name


def _clocks(clocks: Iterable[ClockStanding], titles: Titles) -> Table:
    table = Table.grid(padding=(0, 2))
    for each in clocks:
        colour = {"late": "red", "paused": "yellow"}.get(each.status, "green")
        if each.left is None:
            told = titles.say(_STILL) if each.status == "paused" else ""
        else:
            told = titles.say(_LEFT if each.left >= 0 else _OVER, length(abs(each.left), titles.words))
        table.add_row(
            Text(plain(each.title)),
            Text(status_in_words(each.status, titles.words), style=colour),
            Text(titles.say(_DUE, _short(each.due)) if each.due else ""),
            Text(told),
        )
    return table


def _choices(walk: Walk, out: Console) -> None:
    state, say = walk.state, walk.titles.say
    if state is not None and state.final is not None:
        out.print(Text(say(msg("The case is closed. undo, save FILE or quit."))))
        return
    for number, each in enumerate(walk.events(), 1):
        out.print(Text(plain(f"{number:>3}  {each.name}  {each.title}")))
    timer = walk.next_timer()
    after = f"next ({_short(timer)}), " if timer is not None else ""
    choices = msg("Type a number, {}wait LIMIT, until TIME, undo, save FILE, help or quit.")
    out.print(Text(say(choices, after), style="dim"))


def _short(time: str) -> str:
    """A time without the pieces of a second that a limit in parts of a day leaves."""
    return time.split(".")[0]


def length(seconds: float, words: Translation = IN_ENGLISH) -> str:
    """Seconds as people say them: 2 d 3 h, 3 h 30 min, 12 min."""
    minutes = round(seconds / 60)
    days, hours, rest = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    parts = [(amount, unit) for amount, unit in ((days, "d"), (hours, "h"), (rest, "min")) if amount]
    return " ".join(words.gettext(UNITS[unit]).format(amount) for amount, unit in parts[:2] or [(0, "min")])
