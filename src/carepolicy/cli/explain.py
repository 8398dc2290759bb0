"""``carepolicy explain``: what a code means, with a bad and a good example, wherever the code comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from carepolicy.checks import rule_of
from carepolicy.checks.allowances import may_be_silenced
from carepolicy.checks.rule import modules
from carepolicy.cli.sets import demand_folder, format_option, policies_option, refuse
from carepolicy.cli.status import CommandError
from carepolicy.cli.terminal import write_all
from carepolicy.engine.codes import CODES as EVENTS
from carepolicy.guards.faults import CODES as GUARDS
from carepolicy.policy.codes import CODES as TEXTS
from carepolicy.policy.likeness import did_you_mean

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies

EVENT = "event"
"""The severity of what is wrong with an event; the policies may be right."""

ALLOWANCES = {
    "CP190": (
        "allowance without a reason",
        "A comment that silences a rule says why, for whoever reads the policy next.",
        "# carepolicy: allow CP412\n",
        "# carepolicy: allow CP412 because the law sets this limit\n",
    ),
    "CP191": (
        "allowance without use",
        "A comment allows a rule that finds nothing on its line (or a code that cannot be allowed: errors of text, "
        "references and types, CP1xx and CP2xx, must be mended before anything can run).",
        "received:  # carepolicy: allow CP203 because the state comes later\n",
        "received:\n",
    ),
}


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say about one code. ``bad`` and ``good`` are pieces of a file."""

    code: str
    title: str
    meaning: str
    severity: str
    bad: str
    good: str
    silent: bool

    def text(self) -> str:
        """The page as plain text."""
        parts = [f"{self.code} {self.title} ({self.severity})", "", *_wrapped(self.meaning)]
        for name, example in (("Wrong:", self.bad), ("Right:", self.good)):
            if example:
                parts += ["", name, "", *(f"    {line}".rstrip() for line in example.rstrip("\n").split("\n"))]
        if self.silent:
            parts += ["", "To allow it on one line, write there or on the line above:", ""]
            parts += [f"    # carepolicy: allow {self.code} because …"]
        return "\n".join(parts) + "\n"

    def markdown(self) -> str:
        """The page as it stands in docs/rules/."""
        parts = [f"# {self.code}: {self.title}", "", f"Severity: {self.severity}", "", *_wrapped(self.meaning)]
        catalogue = "msgid" in self.bad
        language = "text" if self.severity == EVENT else "po" if catalogue else "yaml"
        for name, example in (("Wrong", self.bad), ("Right", self.good)):
            if example:
                parts += ["", f"## {name}", "", f"```{language}", example.rstrip("\n"), "```"]
        if self.silent:
            parts += ["", "## To allow it", "", "On the line, or alone on the line above:", ""]
            parts += ["```yaml", f"# carepolicy: allow {self.code} because …", "```"]
        return "\n".join(parts) + "\n"


def page_of(code: str) -> Page | None:
    """The page of a code, None where there is no such code. Imports no more than the one rule where it is a rule's."""
    rule = rule_of(code)
    if rule is not None:
        silent = may_be_silenced(code)
        return Page(code, rule.title, rule.explanation, rule.severity.value, rule.bad, rule.good, silent)
    return _others().get(code)


def pages() -> dict[str, Page]:
    """All pages, by code in order."""
    ruled = {code: page for code in modules() if (page := page_of(code)) is not None}
    return dict(sorted({**_others(), **ruled}.items()))


def _wrapped(text: str) -> list[str]:
    return wrap(text, 92, break_long_words=False, break_on_hyphens=False)


def _others() -> dict[str, Page]:
    """Pages of codes that no rule has: of comments, of the text and shape of files, of guards, and of events."""
    found = {
        code: Page(code, title, meaning, "note" if code == "CP191" else "error", bad, good, False)
        for code, (title, meaning, bad, good) in ALLOWANCES.items()
    }
    for codes, severity in ((TEXTS, "error"), (GUARDS, "error"), (EVENTS, EVENT)):
        for code, told in codes.items():
            found[code] = Page(code, told.title, told.meaning, severity, told.bad, told.good, False)
    return found


def codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Codes of findings that begin so."""
    return [code for code in pages() if code.startswith(incomplete.upper())]


@click.command(
    epilog="Examples: carepolicy explain CP203, carepolicy explain --all, "
    "carepolicy explain --value settings.goodwill_limit"
)
@click.argument("code", required=False, shell_complete=codes)
@click.option("--all", "every", is_flag=True, help="List all codes, a line each.")
@click.option(
    "--output", metavar="DIR", type=click.Path(path_type=Path), help="With --all: write a page (Markdown) a code."
)
@click.option(
    "--value", metavar="PATH", help="Where a value of the policies comes from, such as settings.goodwill_limit."
)
@format_option("text", "json")
@policies_option
def command(code: str | None, every: bool, output: Path | None, value: str | None, form: str, policies: str) -> None:
    """Say what CODE means, with a wrong and a right example; or which layer says a value of the policies.

    PATH is that of the keys: settings.NAME, roles.NAME.people, flows.NAME.clocks.NAME.limit,
    messages.LANGUAGE.NAME.text.
    """
    if (every + (code is not None) + (value is not None)) != 1 or (output is not None and not every):
        raise click.UsageError("name one code, or --all, or --value", click.get_current_context())
    if value is not None:
        from carepolicy.cli.values import tell_value

        tell_value(_read_or_exit(policies), value, form)
        return
    if code is None:
        _list(output)
        return
    page = page_of(code.upper())
    if page is None:
        raise CommandError(f'there is no code "{code}"; {did_you_mean(code.upper(), pages()) or "--all lists them"}')
    click.echo(page.text(), nl=False)


def _read_or_exit(policies: str) -> Policies:
    """A set that could be read, whatever the check finds in it."""
    from carepolicy.policy.load import load_policies

    demand_folder(policies)
    found, findings = load_policies(policies)
    if found is None:
        refuse(policies, findings)
    return found


def _list(output: Path | None) -> None:
    if output is not None:
        write_all({output / f"{page.code}.md": page.markdown() for page in pages().values()})
        return
    for page in pages().values():
        click.echo(f"{page.code}  {page.severity:<7}  {page.title}")
