"""The whole handbook as files: which page says what, in which language, and how it stands on the disk."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from carepolicy.charts import chart_of, renderer
from carepolicy.charts.address import language_folder, page_of
from carepolicy.charts.render import how_to_draw
from carepolicy.charts.text import clean, identifier, safe_link
from carepolicy.cores import on_cores, without_collector
from carepolicy.files import write_file
from carepolicy.handbook.book import Book, Sent, calendars_of, year_of
from carepolicy.handbook.drawings import Drawings, draw_flows, draw_overview
from carepolicy.handbook.guide import guide_address, guide_of
from carepolicy.handbook.history import ChangeEntry, History, Since, entries_of, entry_of
from carepolicy.handbook.home import calendar_pages, matrix_of
from carepolicy.handbook.messages import message_anchor, messages_of
from carepolicy.handbook.promises import clocks_of, promises_of
from carepolicy.handbook.roles import role_file, role_pages
from carepolicy.handbook.search import index_of, missing_word, script_of, spoken, step_words, term_anchor
from carepolicy.handbook.settings import settings_of
from carepolicy.handbook.steps import always_of, anchor_of, ends_of, starting, steps_of
from carepolicy.handbook.stories import scenarios_of, stories_of
from carepolicy.machine.locales import is_right_to_left
from carepolicy.policy.phrases import in_language
from carepolicy.translations import locale_of, primary_language

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from jinja2 import Environment

    from carepolicy.businesstime import Calendar
    from carepolicy.charts.plan import Chart
    from carepolicy.handbook.steps import FlowStep
    from carepolicy.policy.model import Flow, Policies

ASSETS = (
    "handbook.css",
    "handbook.js",
    "chart.js",
    "marks.js",
    "guide.css",
    "guide.js",
    "offline.js",
    "role.js",
    "search.js",
)
WORTH_FORKING = 12
"""Pages of flows from which on each language is worth a process of its own."""

MANIFEST = "files.txt"
"""Lists every file of the site, so that a page whose flow is gone can be told from a file of someone else."""

WORKER = "worker.js"
APP = "app.webmanifest"
ICON = "assets/icon.svg"
KEPT = (".html", ".js", ".css", ".webmanifest")
"""What is kept of a language's folder; pictures and printed pages of the charts stay where they are."""

GROUND = "#1F4E79"
_ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">
<rect width="512" height="512" fill="{ground}"/>
<path d="M256 190v46M256 300v46" stroke="#ffffff" stroke-width="14"/>
<rect x="136" y="118" width="240" height="72" rx="14" fill="none" stroke="#ffffff" stroke-width="14"/>
<rect x="136" y="322" width="240" height="72" rx="14" fill="none" stroke="#ffffff" stroke-width="14"/>
<circle cx="256" cy="256" r="56" fill="#ffffff"/>
<text x="256" y="281" font-family="Arial, Helvetica, sans-serif" font-size="72" font-weight="bold" text-anchor="middle"\
 fill="{ground}">{letter}</text>
</svg>
"""


@dataclass(frozen=True, slots=True)
class SiteLanguage:
    """A language of the set: its tag, the folder of its pages, and what it calls itself."""

    tag: str
    folder: str
    name: str


@dataclass(slots=True)
class Site:
    """Files by their path, with slashes. ``advice`` is one line where there are no pictures, else "".

    ``history`` says whether what changed since the last versions is known.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    advice: str = ""
    history: bool = True

    def add(self, path: str, text: str) -> None:
        """Put a text file into the site."""
        self.files[path] = text.encode()


def build(
    policies: Policies,
    *,
    year: int | None = None,
    drawn: bool = True,
    pdf: bool = False,
    since: Policies | None = None,
    only: Sequence[str] = (),
    told: Callable[[int], None] = lambda pages: None,
) -> Site:
    """The handbook of a checked set. The same policies, with the same history in git, give the same bytes (SVG: with
    one version of Graphviz).

    ``year`` is that of the calendars and examples, by default the policies' own (``year_of``). ``drawn``
    False leaves the pictures out. ``since`` is the set to tell changes from, by default each flow's last version
    in git; ``only`` are the languages of the set in which it is written, by default all; ``told`` hears of each chart
    and of each page of a flow (``pages_of`` says of how many). Raises CalendarError and RenderError.
    """
    with without_collector():
        languages, history = languages_of(policies, only), History(policies, since)
        sent = Sent(policies, year or year_of(policies))
        calendars, scenarios = calendars_of(policies), scenarios_of(policies)
        builder = _Builder(policies, languages, sent, history, calendars, scenarios, environment_of(), drawn, pdf)
        return builder.site(told)


def pages_of(policies: Policies, only: Sequence[str] = ()) -> int:
    """How many charts and pages of flows a handbook has."""
    return 2 * len(languages_of(policies, only)) * len(policies.flows)


@dataclass(frozen=True)
class _Builder:
    """Builds the pages of each language, and what they have in common."""

    policies: Policies
    languages: list[SiteLanguage]
    sent: Sent
    history: History
    calendars: Mapping[str, Calendar]
    scenarios: list[Mapping[str, Any]]
    environment: Environment
    drawn: bool
    pdf: bool

    def site(self, told: Callable[[int], None]) -> Site:
        """The whole site."""
        policies, languages = self.policies, self.languages
        site = Site(advice=how_to_draw() if self.drawn and renderer() is None else "")
        if len(languages) * len(policies.flows) < WORTH_FORKING:
            parts = [self.pages(language, told) for language in languages]
        else:
            self.prepare()
            parts = on_cores(self.pages, languages, told)
        for part in parts:
            site.files |= part
        _add_common(site, self.environment, policies, languages)
        site.history = self.history.known
        site.add(MANIFEST, "".join(f"{name}\n" for name in sorted(site.files)))
        return site

    def prepare(self) -> None:
        """Do what all languages need before each has a process of its own, so that none does it again."""
        for name in self.environment.list_templates(["html"]):
            self.environment.get_template(name)
        for tag in self.policies.organisation.languages:
            in_language(self.policies, tag)
        self.history.read()
        self.sent.work_out()

    def pages(self, language: SiteLanguage, told: Callable[[int], None]) -> dict[str, bytes]:
        """All files of one language."""
        site = Site()
        policies, history, drawn = self.policies, self.history, self.drawn
        book = Book(in_language(policies, language.tag), language.tag, self.sent.year, self.calendars, shared=self.sent)
        flows = book.policies.flows.values()
        charts = draw_flows(map(book.words, flows), language.folder, drawn=drawn, pdf=self.pdf, told=told)
        found = {flow.name: history.since(flow, language.tag) for flow in flows}
        changes = entries_of(book, history, found)
        writer = _Writer(site, self.environment, book, language, self.languages, history)
        writer.home(draw_overview(policies, language.tag, language.folder, drawn=drawn), changes)
        writer.changes(changes)
        writer.settings()
        for flow in flows:
            writer.flow(flow, charts[flow.name], self.scenarios, found[flow.name])
            told(1)
        writer.roles()
        writer.app()
        index = index_of(book, {name: drawings.chart for name, drawings in charts.items()})
        site.add(f"{language.folder}/search-index.js", script_of(index))
        return site.files


def _add_common(site: Site, environment: Environment, policies: Policies, languages: list[SiteLanguage]) -> None:
    """What is there once, and for each language what names all its files."""
    for name in ASSETS:
        site.add(f"assets/{name}", (files("carepolicy.handbook") / "assets" / name).read_text(encoding="utf-8"))
    site.add(ICON, icon_of(policies.organisation.name))
    for language in languages:
        site.add(f"{language.folder}/{WORKER}", worker_of(site.files, language.folder))
    entrance = environment.get_template("entrance.html")
    site.add("index.html", entrance.render(languages=languages, organisation=policies.organisation))


def languages_of(policies: Policies, only: Sequence[str] = ()) -> list[SiteLanguage]:
    """The languages of a set, in its order, or ``only`` those of them; English where it names none."""
    found: dict[str, SiteLanguage] = {}
    tags = policies.organisation.languages or ("en",)
    for tag in [each for each in tags if not only or each in only]:
        folder = language_folder(tag)
        found.setdefault(folder, SiteLanguage(tag, folder, name_of(tag)))
    return list(found.values())


def name_of(tag: str) -> str:
    """What a language calls itself: "English", "Français"."""
    locale = locale_of(tag)
    known = primary_language(tag) == locale.language
    name = locale.get_display_name(locale) if known else None
    return name[:1].upper() + name[1:] if name else tag


class _Writer:
    """Writes the pages of one language."""

    def __init__(
        self,
        site: Site,
        environment: Environment,
        book: Book,
        language: SiteLanguage,
        languages: list[SiteLanguage],
        history: History,
    ) -> None:
        self._site = site
        self._history = history
        self._book = book
        self._language = language
        self._charts: dict[str, Chart] = {}
        self._steps: dict[str, list[FlowStep]] = {}
        self._environment = environment.overlay()

        @lru_cache(maxsize=None, typed=True)  # typed: what is escaped already may equal what is not
        def in_own(text: str) -> Markup:
            return in_own_language(text, book.spoken_of(text), book.ui_language)

        self._environment.filters = {
            **environment.filters,
            "own": in_own,
        }
        self._environment.globals = {
            **environment.globals,
            "ui": book.ui,
            "ui_language": book.ui_language,
            "language": language.tag,
            "languages": languages,
            "organisation": book.policies.organisation,
            "digest": book.policies.digest[:8],
            "direction": direction_of(book.ui_language),
            "direction_of": direction_of,
            "name_of": name_of,
            "message_anchor": message_anchor,
        }

    def app(self) -> None:
        """What a phone is told of the handbook as an app."""
        name, ui, tag = self._book.policies.organisation.name, self._book.ui, self._book.ui_language
        told = manifest_of(name, ui.handbook, tag, direction_of(tag))
        self._site.add(f"{self._language.folder}/{APP}", told)

    def home(self, overview: Drawings, changes: list[ChangeEntry]) -> None:
        """The first page: search, flows, promises, who owns what, calendars, glossary."""
        book, ui = self._book, self._book.ui
        several, matrix = len(book.policies.flows) > 1, matrix_of(book)
        if several:
            self._site.files |= overview.dots | overview.others
        self._page(
            "index.html",
            "home.html",
            "../",
            "",
            flows=[self._flow_row(flow) for flow in book.policies.flows.values()],
            several=several,
            overview=overview.picture,
            promises=[_with_file(promise) for promise in promises_of(book)],
            roles=matrix,
            role_links={row.name: {"t": row.title, "u": f"roles/{role_file(row.name)}"} for row in matrix},
            raci={"A": ui.accountable, "R": ui.responsible, "C": ui.consulted, "I": ui.informed},
            calendars=calendar_pages(book),
            channels=[
                {"title": clean(each.title) or each.name, "address": clean(each.address)}
                for each in book.policies.organisation.channels.values()
            ],
            glossary=[
                {"term": clean(term), "text": clean(text), "anchor": term_anchor(term)}
                for term, text in book.policies.organisation.glossary.items()
            ],
            step_words=step_words(book),
            missing_word=missing_word(book),
            changes=[entry.key for entry in changes],
        )

    def roles(self) -> None:
        """A page for each role, and the list of them. After the pages of all flows, whose steps it tells."""
        pages = role_pages(self._book, self._charts, self._steps)
        self._page("roles.html", "roles.html", "../", "", roles=pages)
        for role in pages:
            self._page(f"roles/{role.file}", "role.html", "../../", "../", role=role)

    def changes(self, entries: list[ChangeEntry]) -> None:
        """What changed in every flow, the newest first."""
        self._page("changes.html", "changes.html", "../", "", entries=entries)

    def settings(self) -> None:
        """What the house has decided once."""
        self._page("settings.html", "settings.html", "../", "", settings=settings_of(self._book))

    def flow(
        self, flow: Flow, drawings: Drawings, scenarios: list[Mapping[str, Any]], since: Since | None = None
    ) -> None:
        """The page of one flow, and its charts as files."""
        book = self._book
        chart = drawings.chart or chart_of(book.policies, flow.name, language=book.language)
        self._site.files |= drawings.dots | drawings.others
        about, steps, messages = self._about(flow), steps_of(book, flow, chart), messages_of(book, flow)
        self._charts[flow.name], self._steps[flow.name] = chart, steps
        ui = book.ui
        valid = f"{ui.valid_from} {about['valid_from']}" if about["valid_from"] else ""
        self._page(
            f"flows/{guide_address(flow.name)}",
            "guide.html",
            "../../",
            "../",
            flow=about,
            file=identifier(flow.name),
            guide=guide_of(book, flow, chart, steps, messages),
        )
        self._page(
            page_of(flow.name),
            "flow.html",
            "../../",
            "../",
            foot=self._foot(about["title"], f"{ui.version} {flow.version}", valid),
            flow=about,
            guide=guide_address(flow.name),
            picture=drawings.picture,
            files=sorted({**drawings.dots, **drawings.others}),
            starts=self._starts(flow),
            steps=steps,
            always=always_of(chart, book),
            ends=ends_of(book, flow),
            clocks=clocks_of(book, flow),
            messages=messages,
            stories=stories_of(book, flow, scenarios),
            entry=None if since is None else entry_of(book, flow, since),
            day=self._history.changed(flow),
        )

    def _page(self, path: str, template: str, root: str, home: str, **values: Any) -> None:
        page = self._environment.get_template(template)
        day = values.pop("day", self._history.last_changed)
        said = {"changed": self._book.day(day) if day is not None else "", "foot": self._foot(self._book.ui.handbook)}
        text = page.render(page=path, root=root, home=home, **{**said, **values})
        self._site.add(f"{self._language.folder}/{path}", text)

    def _foot(self, *parts: str) -> str:
        """What stands at the foot of each sheet of paper."""
        return " · ".join((clean(self._book.policies.organisation.name), *(each for each in parts if each)))

    def _flow_row(self, flow: Flow) -> dict[str, Any]:
        steps = sum(state.final is None for state in flow.states.values())
        return {**self._about(flow), "file": identifier(flow.name), "guide": guide_address(flow.name), "steps": steps}

    def _about(self, flow: Flow) -> dict[str, Any]:
        book = self._book
        based_on = clean(flow.based_on)
        link = safe_link(based_on) if based_on.lower().startswith("https://") and " " not in based_on else None
        return {
            "title": book.words(flow).flow_title(flow.name),
            "purpose": clean(flow.purpose),
            "owner": book.role(flow.owner),
            "steward": book.role(flow.steward),
            "version": flow.version,
            "valid_from": book.day(flow.valid_from) if flow.valid_from is not None else "",
            "synonyms": ", ".join(spoken(flow.synonyms)),
            "based_on": link or "",
        }

    def _starts(self, flow: Flow) -> list[tuple[str, str]]:
        words = self._book.words(flow)
        return [(words.event(event), anchor_of(state)) for state, event in starting(flow)]


def _with_file(promise: Any) -> dict[str, Any]:
    return {**asdict(promise), "file": identifier(promise.flow)}


def in_own_language(text: str, spoken: str, language: str) -> Markup:
    """A text of the policy, escaped, and marked with its language where the page is in another one."""
    if not text or primary_language(spoken) == primary_language(language):
        return escape(text)
    return Markup('<span lang="{}">{}</span>').format(spoken, text)


def _in_css(text: str) -> Markup:
    """A text inside of a string of CSS, in which nothing can end the string or the style."""
    plain = (each if each.isalnum() or each in " .,-" else f"\\{ord(each):x} " for each in text)
    return Markup("".join(plain))


_CHART = re.compile(rb"<!-- chart -->.*?<!-- /chart -->", re.DOTALL)
_CHANGES = re.compile(rb"<!-- changes -->.*?<!-- /changes -->", re.DOTALL)
_DAY = re.compile(rb"<!-- day -->.*?<!-- /day -->|/\* day \*/.*?/\* /day \*/", re.DOTALL)
_KEPT = re.compile(rb"/\* files \*/.*?/\* /files \*/", re.DOTALL)
_COMPARED = (".html", ".dot", ".js", ".css")


def write(site: Site, folder: str | os.PathLike[str], manifest: str = MANIFEST) -> list[Path]:
    """Write every file of the site below ``folder``, and delete what an earlier handbook wrote there and this one not.

    The files that changed, new ones included. Files that no handbook wrote stay; ``manifest`` is the file that lists
    them. Raises OSError.
    """
    root = Path(folder)
    for name in _written_before(root, manifest) - set(site.files):
        (root / name).unlink(missing_ok=True)
    changed: list[Path] = []
    for name, content in sorted(site.files.items()):
        path = root / name
        if _read(path) != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, content)
            changed.append(path)
    return changed


def stale(site: Site, folder: str | os.PathLike[str]) -> list[str]:
    """The files below ``folder`` that are not as the site says, by path: changed, missing, or left over.

    Pages, DOT files, scripts and styles are compared; pictures are not, since their bytes differ between
    versions of Graphviz, nor is what stands in a page for them; nor the day of the last change, which a page has only
    once git has the change; nor what changed since the last version, where the history that tells it is not there.
    """
    root = Path(folder)
    names = {name for name in site.files if name.endswith(_COMPARED)}

    def comparable(content: bytes | None) -> bytes | None:
        if content is None:
            return None
        kept = _KEPT.sub(b"", _DAY.sub(b"", _CHART.sub(b"", content.replace(b"\r\n", b"\n"))))
        return kept if site.history else _CHANGES.sub(b"", kept)

    found = {name for name in names if comparable(_read(root / name)) != comparable(site.files[name])}
    left = {name for name in _written_before(root) - names if name.endswith(_COMPARED) and (root / name).is_file()}
    return sorted(found | left)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _written_before(root: Path, manifest: str = MANIFEST) -> set[str]:
    """The files that the list of an earlier handbook names; a name that leads out of the folder is none of ours."""
    text = (_read(root / manifest) or b"").decode("utf-8", "replace")
    names = (line.strip() for line in text.splitlines())
    return {name for name in names if name and _is_inside(name)}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


_COMPILED: dict[str, bytes] = {}
"""The templates of the package, compiled, by Jinja's keys of them."""


def environment_of() -> Environment:
    """Jinja with everything escaped, and an error for a name that is not there."""
    from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
    from jinja2.bccache import Bucket

    class Compiled(BytecodeCache):
        """Keeps each template that is compiled, since every language of a handbook asks for it in an environment of
        its own."""

        def load_bytecode(self, bucket: Bucket) -> None:
            if bucket.key in _COMPILED:
                bucket.bytecode_from_string(_COMPILED[bucket.key])

        def dump_bytecode(self, bucket: Bucket) -> None:
            _COMPILED[bucket.key] = bucket.bytecode_to_string()

    environment = Environment(
        loader=PackageLoader("carepolicy.handbook"),
        bytecode_cache=Compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"own": escape, "css": _in_css}
    return environment


def direction_of(tag: str) -> str:
    """How a language is written, as HTML says it."""
    return "rtl" if is_right_to_left(tag) else "ltr"


def icon_of(organisation: str) -> str:
    """The icon of the app: a step, a question with the first letter of the organisation, a step."""
    return _ICON.format(ground=GROUND, letter=escape(clean(organisation)[:1].upper()))


def manifest_of(organisation: str, handbook: str, language: str, direction: str) -> str:
    """The manifest of the app in one language; it stands in the language's folder."""
    told = {
        "name": f"{clean(organisation)} – {handbook}",
        "short_name": clean(organisation),
        "lang": language,
        "dir": direction,
        "start_url": "index.html",
        "scope": "./",
        "display": "minimal-ui",
        "background_color": "#ffffff",
        "theme_color": GROUND,
        "icons": [{"src": f"../{ICON}", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def worker_of(site: Mapping[str, bytes], folder: str) -> str:
    """The worker of a language's folder, which keeps what ``site`` has for it; paths are relative to the folder.

    It holds the digest of each file, and takes a site only when every file is as the list says: what was published by
    half is not taken, and a page is never given parts of another version.
    """
    kept = {
        name.removeprefix(f"{folder}/") if name.startswith(f"{folder}/") else f"../{name}": _digest(content)
        for name, content in sorted(site.items())
        if name.startswith("assets/") or (name.startswith(f"{folder}/") and name.endswith(KEPT))
    }
    code = (files("carepolicy.handbook") / "assets" / WORKER).read_text(encoding="utf-8")
    listed = json.dumps(kept, ensure_ascii=True, indent=0)
    version = _digest((code + listed).encode())
    return f'"use strict";\n/* files */\nconst VERSION = "{version}";\nconst FILES = {listed};\n/* /files */\n{code}'


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
