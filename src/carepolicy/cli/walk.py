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

from carepolicy.cli.sets import demand_language, language_option, policies_option, stage_or_exit
from carepolicy.cli.status import UNREACHABLE, CommandError
from carepolicy.cli.terminal import no_colour, plain
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.phrases import in_language
from carepolicy.scenarios.stage import CannotPlay
from carepolicy.scenarios.walk import Move, Walk

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter

    from carepolicy.policy.model import Event
    from carepolicy.scenarios.walk import Standing

HELP = (
    ("NUMBER or event", "let it happen; asks for what it carries"),
    ("wait 2 business hours", "let so much time pass"),
    ("until 2026-03-09 10:00", "let time pass until then"),
    ("next", "let time pass until something happens by itself"),
    ("undo", "take the last step back"),
    ("history", "all that happened so far"),
    ("save FILE", "write the walk as a scenario"),
    ("quit", "end (so does Ctrl-D; while an event is asked for, that goes back)"),
)
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
    try:
        return Walk(stage, found, at)
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
            out.print("nothing was done")


def _completer(words: Iterable[str], sentence: bool = False) -> WordCompleter:
    from prompt_toolkit.completion import WordCompleter

    return WordCompleter(list(words), sentence=sentence)


def obey(walk: Walk, typed: str, ask: PromptSession[str], out: Console) -> bool:
    """Do what was typed; whether the walk stands otherwise now. Raises ``CannotPlay`` with the reason why not."""
    word, _, rest = typed.partition(" ")
    rest = rest.strip()
    if word in ("wait", "until") and not rest:
        raise CannotPlay(f"{word} how long?" if word == "wait" else "until when?")
    if word == "wait":
        walk.take(Move(wait=rest))
    elif word == "until":
        walk.take(Move(until=rest))
    elif word == "next":
        timer = walk.next_timer()
        if timer is None:
            raise CannotPlay("nothing happens by itself here")
        walk.take(Move(until=timer))
    elif word == "undo":
        if not walk.undo():
            raise CannotPlay("there is nothing to take back")
    elif word == "history":
        out.print(Text("\n".join(map(plain, walk.history())) or "nothing happened so far"))
        return False
    elif word == "save":
        _save(walk, rest, ask, out)
        return False
    elif word in ("help", "?"):
        _help(out)
        return False
    else:
        event = _event(walk, typed)
        walk.take(Move(event.name, _data(walk, event, ask, out)))
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
    facts = walk.stage.policies.organisation.facts
    found: dict[str, str] = {}
    for name in (*event.required, *event.optional):
        fact = facts[name]
        values = fact.of or (("true", "false") if fact.type == "flag" else ())
        kind = "/".join(values) or fact.type
        needed = "" if name in event.required else ", Enter for none"
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
    title = ask.prompt("  What does it show? ").strip() or f"A walk through {walk.flow.name}"
    text = walk.scenario(title)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise CannotPlay(f"{path} is there already; nothing was written") from None
    except OSError as problem:
        raise CannotPlay(f"{path} cannot be written: {problem.strerror}") from None
    out.print(Text(f"{path} written; carepolicy test {path} runs it"))


def _help(out: Console) -> None:
    table = Table.grid(padding=(0, 3))
    for typed, does in HELP:
        table.add_row(Text(typed, style="bold"), Text(does))
    out.print(table)


def show(walk: Walk, out: Console) -> None:
    """The news, the card of the state, its clocks, and what may happen next."""
    for line in walk.news:
        out.print(Text(plain(line), style="dim"))
    state = walk.state
    title = state.title if state is not None else walk.flow.title
    head = f"{walk.flow.name} / {state.name if state is not None else 'no case yet'}   {walk.now}"
    parts: list[Text | Table] = [Text(plain(title), style="bold")]
    if state is not None:
        facts = (("owner", state.owner), ("channel", state.channel), ("outcome", state.final), ("say", state.say),
                 ("never", state.never), ("note", state.note))  # fmt: skip
        parts += [Text(plain(f"{name}: {value}")) for name, value in facts if value]
        parts += [Text(plain(f"{number}. {step}")) for number, step in enumerate(state.steps, 1)]
    clocks = walk.clocks()
    if clocks:
        parts.append(_clocks(clocks))
    out.print(Panel(Group(*parts), title=escape(plain(head)), title_align="left", expand=False))
    _choices(walk, out)


def _clocks(clocks: Iterable[Standing]) -> Table:
    table = Table.grid(padding=(0, 2))
    for each in clocks:
        colour = {"late": "red", "paused": "yellow"}.get(each.status, "green")
        if each.left is None:
            told = "stands still" if each.status == "paused" else ""
        else:
            told = f"{length(abs(each.left))} {'left' if each.left >= 0 else 'over'}"
        table.add_row(
            Text(plain(each.title)),
            Text(each.status, style=colour),
            Text(f"due {_short(each.due)}" if each.due else ""),
            Text(told),
        )
    return table


def _choices(walk: Walk, out: Console) -> None:
    state = walk.state
    if state is not None and state.final is not None:
        out.print("The case is closed. undo, save FILE or quit.")
        return
    for number, each in enumerate(walk.events(), 1):
        out.print(Text(plain(f"{number:>3}  {each.name}  {each.title}")))
    timer = walk.next_timer()
    after = f"next ({_short(timer)}), " if timer is not None else ""
    out.print(Text(f"Type a number, {after}wait LIMIT, until TIME, undo, save FILE, help or quit.", style="dim"))


def _short(time: str) -> str:
    """A time without the pieces of a second that a limit in parts of a day leaves."""
    return time.split(".")[0]


def length(seconds: float) -> str:
    """Seconds as people say them: 2 d 3 h, 3 h 30 min, 12 min."""
    minutes = round(seconds / 60)
    days, hours, rest = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    parts = [f"{amount} {unit}" for amount, unit in ((days, "d"), (hours, "h"), (rest, "min")) if amount]
    return " ".join(parts[:2]) or "0 min"
