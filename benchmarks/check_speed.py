"""How long reading and checking policies takes, beside PyYAML's C loader on the same files.

    python benchmarks/check_speed.py [--flows 500] [--runs 5] [--keep DIR]

Prints, for each stage, its time and how many times that of ``yaml.load(..., CSafeLoader)`` it is: the
median of the runs, all of one process, taken in turns. Times are the processor's.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from carepolicy.policy.files import digest_of, layered
from carepolicy.policy.load import load_policies
from carepolicy.policy.shape import check_shape
from carepolicy.policy.text import source_of

ORGANISATION = """\
organisation: Harbour & Finch
timezone: Europe/London
languages: [en]
calendar: office
calendars:
  office:
    hours: {mon-thu: [09:00-12:30, 13:30-17:30], fri: 09:00-16:00}
    holidays: {country: GB, subdivision: ENG}
roles:
  care_agent: {title: Care agent, calendar: office, people: [Aoife, Ben], deputy: care_lead}
  care_lead: {title: Care team lead, calendar: office, people: [Chidi], deputy: care_agent}
channels:
  email: {title: E-mail, address: care@harbour.example}
facts:
  customer.email: {type: text, private: true}
  customer.tier: {type: choice, of: [standard, gold], default: standard}
  order.total: {type: money, currency: GBP}
  order.attempts: {type: number, default: 0}
"""
MESSAGES = "language: en\nmessages:\n" + "".join(
    f'  {name}: {{subject: "{{case}}", text: "Dear customer, {name}."}}\n'
    for name in ("auto_reply", "need_more", "closing")
)
VERBS = ("received", "sorted", "examined", "decided", "repaired", "refunded", "shipped", "reviewed", "answered")


def flow_text(name: str, chance: random.Random) -> str:
    """A flow of four to nine states in a row, each with an owner, steps, a clock's events and a way back."""
    states = list(VERBS[: chance.randrange(4, 10)])
    lines = ["# yaml-language-server: $schema=../../schemas/flow.schema.json", f"flow: {name}", "version: 1"]
    lines += [f"title: The {name.replace('_', ' ')}", "purpose: What customers ask for is done inside the promise."]
    lines += ["owner: care_lead", "covers: [R07, R12]", "events:"]
    lines += [f"  {name}_begun: {{title: It begins, by: customer, carries: {{required: [customer.email]}}}}"]
    lines += [f"  {state}_done: {{title: The step {state} is done, by: staff}}" for state in states]
    lines += ["  customer_wrote: {title: The customer writes again, by: customer}", "clocks:", "  answer:"]
    lines += ["    title: Answer", "    promise: We answer within {limit}.", "    limit:"]
    lines += ['      - {when: customer.tier == "gold", is: 1 business hour}', "      - {is: 3 business hours}"]
    lines += [
        f"    runs_in: [{', '.join(states)}]",
        "    pauses_in: [waiting]",
        "    warn_at: [50%, 80%]",
        "    target: 95%",
    ]
    lines += ["states:"]
    for number, state in enumerate(states):
        after = states[number + 1] if number + 1 < len(states) else "closed"
        lines += [f"  {state}:", f"    title: The case is {state}", "    owner: care_agent", "    channel: email"]
        lines += [f"    start_on: {name}_begun", "    enter: {send: auto_reply}"] if number == 0 else []
        lines += ["    steps: [Read the whole message., Check the order and the contact log.]"]
        lines += ['    say: "Thank you for writing. I have your order in front of me."', "    on:"]
        lines += [f"      {state}_done:", f"        - {{when: order.total > 100, to: {after}, tell: care_lead}}"]
        lines += [f"        - {{to: {after}, set: {{order.attempts: order.attempts + 1}}}}"]
        lines += ["      answer.warned: {tell: care_lead}", "      answer.late: {tell: care_lead}"]
        lines += ["      customer_wrote: {to: waiting, send: need_more}"]
    lines += ["  waiting:", "    title: Waiting for the customer", "    owner: care_agent", "    channel: email"]
    lines += [f"    on: {{customer_wrote: {states[0]}}}", "    after: {7 days: {to: closed, send: closing}}"]
    lines += ["  closed: {title: Closed, final: resolved}"]
    return "\n".join(lines) + "\n"


def lay_down(root: Path, flows: int) -> None:
    """Write a policy set of so many flows, always the same for the same number."""
    chance = random.Random(flows)
    (root / "flows").mkdir(parents=True, exist_ok=True)
    (root / "messages").mkdir(exist_ok=True)
    (root / "organisation.yaml").write_text(ORGANISATION, encoding="utf-8")
    (root / "messages/en.yaml").write_text(MESSAGES, encoding="utf-8")
    for number in range(flows):
        name = f"flow_{number:04}"
        (root / f"flows/{name}.yaml").write_text(flow_text(name, chance), encoding="utf-8")


def lay_over(root: Path, flows: int) -> Path:
    """Write a layer that changes a limit and a text of each of so many flows, and a person; its folder."""
    upper = root / "upper"
    (upper / "flows").mkdir(parents=True, exist_ok=True)
    (upper / "organisation.yaml").write_text("roles: {care_agent: {people+: [Dana]}}\n", encoding="utf-8")
    for number in range(flows):
        text = "clocks: {answer: {limit: 2 business hours}}\nstates: {waiting: {say: We wait for you.}}\n"
        (upper / f"flows/flow_{number:04}.yaml").write_text(text, encoding="utf-8")
    return upper


def stages(root: Path) -> dict[str, Callable[[], object]]:
    """What is measured, by name; the first is what the others are compared with."""
    from carepolicy.checks import check_folder

    files = sorted((root / "flows").glob("*.yaml"))
    sources = [source for path in files if (source := source_of(path.read_bytes(), path.name)[0]) is not None]
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {
        "PyYAML's loader": lambda: [yaml.load(path.read_bytes(), Loader=loader) for path in files],
        "digest": lambda: digest_of(root),
        "read with places": lambda: [source_of(path.read_bytes(), path.name) for path in files],
        "shape": lambda: [check_shape(source, "flow") for source in sources],
        "load_policies": lambda: load_policies(root),
        "two layers": lambda: load_policies(layered((str(root), str(root / "upper")))),
        "check_folder": lambda: check_folder(root),
    }


def seconds(work: Callable[[], object]) -> float:
    """How much processor time one call takes, which others at work on the machine disturb less than wall time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Lay down the flows, measure each stage in turns, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--flows", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the flows here, and leave them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = options.keep or Path(scratch)
        lay_down(root, options.flows)
        lay_over(root, options.flows)
        work = stages(root)
        taken: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(options.runs):
            for name, call in work.items():
                taken[name].append(seconds(call))
        middle = {name: statistics.median(times) for name, times in taken.items()}
        base = next(iter(middle.values()))
        for name, value in middle.items():
            print(f"{name:<18}{value * 1000:9.1f} ms {value / base:6.2f} x")


if __name__ == "__main__":
    main()
