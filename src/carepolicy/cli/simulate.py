"""``carepolicy simulate``: what staff, and the cases that come, make of the promises in the days ahead."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import orjson

from carepolicy.cli.audit.logs import ReplayedLogs, replayed
from carepolicy.cli.audit.targets import least_share, share_option
from carepolicy.cli.completion import flows
from carepolicy.cli.configuration import store_asked_for
from carepolicy.cli.piped import copied_pipes, ending_tidily
from carepolicy.cli.sets import bundle_or_exit, format_option, policies_option, policies_or_exit, show
from carepolicy.cli.status import NO, USAGE, CommandError
from carepolicy.cli.terminal import breadth, fitted, plain, progress
from carepolicy.cli.times import moment, wall_clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carepolicy.engine.history.cases import CaseView
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.staff import StaffFile
    from carepolicy.simulation.run import RunResult
    from carepolicy.simulation.scene import Scene, SceneMaker
    from carepolicy.simulation.search import SearchAnswer, ShareTarget


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, as it was written on the command line."""

    names: tuple[str, ...]
    policies: str
    arrivals: tuple[str, ...]
    staff: str
    audit: str | None
    mapping: str | None
    store: str | None
    start: str | None
    days: int
    seeds: int
    target: str | None
    role: str | None
    fail_under: str | None
    form: str


@click.command(
    epilog='Examples: carepolicy simulate email_inquiry --arrivals "40 per business day" --staff staff.yaml, '
    "carepolicy simulate --arrivals calls.csv --staff staff.yaml --audit audit.json --fail-under target, "
    'carepolicy simulate email_inquiry --arrivals "12 per hour" --staff staff.yaml '
    "--target email_inquiry.first_reply=95% --role care_agent"
)
@click.argument("names", nargs=-1, metavar="[FLOW]...", shell_complete=flows)
@policies_option
@click.option(
    "--arrivals", metavar="RATE|FILE|audit", multiple=True,
    help='When cases come: "12 per hour", "40 per business day", FLOW=RATE, a CSV file of times, or as in --audit.',
)  # fmt: skip
@click.option("--staff", metavar="FILE", required=True, type=click.Path(), help="Who works, and how long work takes.")
@click.option("--audit", metavar="FILE", help="An audit's JSON, or a log: fits ways and lengths of time.")
@click.option("--map", "mapping", metavar="MAPPING", help="How the log of --audit becomes events.")
@click.option("--store", metavar="URL", help="Begin now, with the open cases of this store: who will be late.")
@click.option("--from", "start", metavar="TIME", help="When it begins; default: the next Monday.")
@click.option("--days", type=click.IntRange(1, 3_660), default=30, show_default=True, help="How many days.")
@click.option("--seeds", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many runs.")
@click.option("--target", metavar="CLOCK=SHARE", help="Search how many people it takes for it.")
@click.option("--role", metavar="ROLE", help="With --target: the role whose people are searched.")
@share_option
@format_option("text", "json")
def command(**given: Any) -> None:
    """Simulate FLOWs (default: those of --arrivals): cases come, wait for people, and are worked on in their hours.

    Tells for each clock the share in time and for each role how busy it is and what waits, over many runs with
    different chance, with intervals of 95 %. With --store also which of the open cases will be late, and how likely.
    Nothing is written. Exit status 1 means that a clock was below what --fail-under demands.
    """
    from carepolicy.audit.figures import goal, short_of
    from carepolicy.simulation.arrivals import ArrivalsFault
    from carepolicy.simulation.figures import Figures
    from carepolicy.simulation.scene import SceneFault

    options = Options(**given)
    store = _begun_with(options.arrivals, options.store)
    bundle = bundle_or_exit(options.policies)
    least = least_share(options.fail_under)
    try:
        maker = _maker(options, bundle)
        scene, results, answer = _simulated(options, store, bundle, maker)
    except (SceneFault, ArrivalsFault) as fault:
        raise CommandError(str(fault)) from None
    figures = Figures(bundle, scene, results, maker.notes)
    if options.form == "json":
        more = {} if answer is None else {"answer": answer.as_object()}
        click.echo(orjson.dumps({**figures.as_object(), **more}, option=orjson.OPT_INDENT_2).decode())
    else:
        told = [] if answer is None else ["", *answer.as_text(bundle)]
        columns, lines = breadth(), [plain(line) for line in [*figures.as_text(), *told]]
        click.echo("\n".join(part for line in lines for part in fitted(line, columns)))
    missed = figures.below(least) if options.fail_under is not None else []
    for flow, clock, share, bound in missed:
        click.echo(f"{flow}.{clock}: {short_of(share, bound)} in time, less than {goal(bound)}", err=True)
    if missed or (answer is not None and answer.people is None):
        raise SystemExit(NO)


def _simulated(
    options: Options, store: str | None, bundle: Bundle, maker: SceneMaker
) -> tuple[Scene, Sequence[RunResult], SearchAnswer | None]:
    """The scene, what became of it by each seed, and how many people a target takes; None where none is sought. Raises
    ``SceneFault`` and ``ArrivalsFault``."""
    arrivals, start, role, seeds = options.arrivals, options.start, options.role, options.seeds
    opened = () if store is None else maker.open_cases(_open_cases(store, maker))
    begin = wall_clock() if store is not None and start is None else _begin(start, arrivals, bundle)
    end = _days_after(begin, options.days, bundle.timezone)
    maker.note_later(opened, begin)
    streams = maker.streams(arrivals, begin, end)
    wanted = _target(options.target, role, maker)
    scene = maker.scene(begin, end, streams, {}, opened)
    if wanted is None or role is None:
        return scene, _played(scene, seeds, "simulate"), None
    from carepolicy.simulation.search import sought

    def played_with(number: int) -> list[RunResult]:
        return _played(maker.scene(begin, end, streams, {role: number}, opened), seeds, f"{number} people")

    people = len(next(each for each in scene.roles if each.name == role).members)
    answer, results = sought(wanted, role, people, played_with)
    return maker.scene(begin, end, streams, {role: answer.people or answer.tried[-1][0]}, opened), results, answer


def _begun_with(arrivals: Sequence[str], store: str | None) -> str | None:
    """The store whose open cases are there at the beginning; ends where there is neither such a one nor arrivals."""
    store = store_asked_for(store, bool(arrivals))
    if not arrivals and store is None:
        raise CommandError(
            'say when cases come, as in --arrivals "40 per business day", or begin with those of a --store'
        )
    return store


def _open_cases(url: str, maker: SceneMaker) -> list[CaseView]:
    """The open cases of a store, of the flows that are simulated."""
    from carepolicy.cli.stores import open_or_exit
    from carepolicy.store.cases.search import CaseFilter, open_cases

    with open_or_exit(url, create=False) as opened, opened.reading() as transaction:
        return [case for flow in maker.flows for case in open_cases(transaction, CaseFilter(flow=flow.name))]


def _played(scene: Scene, seeds: int, what: str) -> list[RunResult]:
    """What becomes of each seed."""
    from carepolicy.simulation.run import Run

    found = []
    with progress(what, seeds, 2) as done:
        for seed in range(seeds):
            found.append(Run(scene, seed).play())
            done(1)
    return found


def _maker(options: Options, bundle: Bundle) -> SceneMaker:
    """What makes scenes of the flows that were named; where none was, of those of --arrivals, or of all that events
    start."""
    from carepolicy.machine.compiler import ALWAYS
    from carepolicy.policy.likeness import with_hint
    from carepolicy.simulation.scene import SceneMaker

    names = options.names
    named = [each.partition("=")[0].strip() for each in options.arrivals if "=" in each]
    if not names and named and len(named) == len(options.arrivals):  # of which flows cases come is said there
        names = tuple(dict.fromkeys(named))
    known = [each.flow for each in bundle.programs]
    for name in names:
        if name not in known:
            raise CommandError(with_hint(f'there is no flow "{name}"', name, known))
    read = policies_or_exit(options.policies)
    organisation = read.organisation
    idle = [
        f"{flow.name}.{state.name}" for flow in read.flows.values() for state in flow.states.values()
        if state.waits not in (None, "customer")
    ]  # fmt: skip
    calendars = {name: role.calendar or organisation.calendar or ALWAYS for name, role in organisation.roles.items()}
    told = None if options.audit is None else _audited(options.audit, options.mapping, bundle, options.policies)
    return SceneMaker(bundle, names or known, _staff(options.staff, bundle), calendars, told, idle)


def _staff(path: str, bundle: Bundle) -> StaffFile:
    """The staff file; ends where there is something wrong with it."""
    from carepolicy.checks.staff import read_staff
    from carepolicy.simulation.scene import known_to

    if not os.path.exists(path):
        raise CommandError(f"{path}: there is no such file")
    made, findings = read_staff(path, known_to(bundle))
    if made is None:
        show(findings)
        raise SystemExit(USAGE)
    return made


def _audited(path: str, mapping: str | None, bundle: Bundle, policies: str) -> Mapping[str, Any]:
    """What an audit found: as its JSON tells, or of a log."""
    if path.endswith(".json") and mapping is None:
        return _audit_in(path)
    from carepolicy.audit.figures import as_object

    with ending_tidily(), copied_pipes([path], mapping is None) as paths:
        return as_object(replayed(ReplayedLogs(paths, policies, mapping, (), None), bundle))


def _audit_in(path: str) -> Mapping[str, Any]:
    """The audit that a file of JSON holds; ends where it holds none."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    from carepolicy.audit.schema import audit_schema

    no_audit = f"{path} is not what `carepolicy audit --format json` writes"
    with open(path, "rb") as file:
        try:
            told: Mapping[str, Any] = orjson.loads(file.read())
        except orjson.JSONDecodeError as fault:
            raise CommandError(f"{no_audit}: it is no JSON") from fault
    wrong = best_match(Draft202012Validator(audit_schema()).iter_errors(told))
    if wrong is not None:
        raise CommandError(f"{no_audit}: {wrong.json_path} is otherwise")
    return told


def _begin(start: str | None, arrivals: Sequence[str], bundle: Bundle) -> int:
    """When the days begin: as was said, else on the first day of a file of times, else on the next Monday."""
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from carepolicy.businesstime.instants import microseconds
    from carepolicy.engine.instants import FIRST_YEAR, LAST_YEAR, NoInstant, among_years, datetime_of
    from carepolicy.simulation.arrivals import read_times

    if start is not None:
        try:
            return among_years(microseconds(moment(start, bundle.timezone)))
        except NoInstant:
            raise CommandError(
                f'--from "{start}": days are simulated of the years {FIRST_YEAR} to {LAST_YEAR}'
            ) from None
    zone = ZoneInfo(bundle.timezone)
    firsts = [min(each.when for each in read_times(path, bundle.timezone)) for path in arrivals if os.path.isfile(path)]
    if firsts:
        day = datetime_of(min(firsts)).astimezone(zone).date()
    else:
        today = datetime.now(zone).date()
        day = today + timedelta(days=7 - today.weekday())
    return microseconds(datetime(day.year, day.month, day.day, tzinfo=zone))


def _days_after(begin: int, days: int, timezone: str) -> int:
    """The instant so many days later by the clock on the wall, also where that is put forward or back meanwhile."""
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from carepolicy.businesstime.instants import microseconds
    from carepolicy.engine.instants import datetime_of

    return microseconds(datetime_of(begin).astimezone(ZoneInfo(timezone)) + timedelta(days=days))


def _target(text: str | None, role: str | None, maker: SceneMaker) -> ShareTarget | None:
    """The target that is searched for; None where none is."""
    from carepolicy.policy.likeness import with_hint
    from carepolicy.simulation.search import ShareTarget

    if text is None:
        if role is not None:
            raise CommandError("--role says whose people are searched, and needs --target")
        return None
    if role is None:
        raise CommandError("--target needs --role: how many of whom are searched")
    if role not in maker.staff.roles:
        raise CommandError(with_hint(f'the staff file has no role "{role}"', role, maker.staff.roles))
    found = re.fullmatch(r"\s*(?:([a-z0-9_]+)\.)?([a-z0-9_]+)\s*=\s*(\d{1,3}(?:\.\d+)?)\s*%\s*", text)
    if found is None or float(found[3]) > 100:
        raise CommandError(f'--target "{text}": write it like email_inquiry.first_reply=95%')
    clocks = {f"{flow.name}.{each.table.name}": (flow.name, each.table.name) for flow in maker.flows
              for each in flow.clocks}  # fmt: skip
    meant = [key for name, key in clocks.items() if key[1] == found[2] and found[1] in (None, key[0])]
    if len(meant) != 1:
        name = text.partition("=")[0].strip()
        said = f'there is no one clock "{name}"'
        of = f"{said}; say of which flow: {', '.join(map('.'.join, meant))}"
        raise CommandError(of if meant else with_hint(said, name, clocks))
    return ShareTarget(*meant[0], float(found[3]) / 100)
