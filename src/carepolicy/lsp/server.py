"""The server: what an editor asks, put to the project, and answered in the editor's own lines and columns."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from carepolicy._version import __version__
from carepolicy.businesstime import Calendar, CalendarError
from carepolicy.editing.files import kind_of
from carepolicy.editing.fixes import fix_of
from carepolicy.editing.layout import formatted_text
from carepolicy.handbook.book import Book
from carepolicy.handbook.promises import examples_of
from carepolicy.lsp import completion
from carepolicy.lsp.completion import names_for
from carepolicy.lsp.project import Project, path_of, root_of
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.language.kinds import KINDS, occurrences
from carepolicy.policy.language.shapes import Named
from carepolicy.policy.places import Path as Keys
from carepolicy.policy.places import Place, Source

if TYPE_CHECKING:
    from carepolicy.lsp.mentions import Mention
    from carepolicy.policy.model import Policies

QUIET = 0.1
"""Seconds without a key pressed before the set is checked."""

_SEVERITY = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.NOTE: lsp.DiagnosticSeverity.Information,
}
_KIND = {
    "state": lsp.CompletionItemKind.EnumMember,
    "event": lsp.CompletionItemKind.Event,
    "trigger": lsp.CompletionItemKind.Event,
    "fact": lsp.CompletionItemKind.Field,
    "role": lsp.CompletionItemKind.Class,
    "setting": lsp.CompletionItemKind.Constant,
    "placeholder": lsp.CompletionItemKind.Variable,
}
RENAMED = ("state", "event")
WATCHED = ("**/*.yaml", "**/*.yml", "**/*.ics")


class PolicyServer(LanguageServer):
    """Holds the projects that are open, and what was said last of each."""

    def __init__(self) -> None:
        super().__init__("carepolicy-lsp", __version__, max_workers=1)
        self.projects: dict[str, Project] = {}
        self.found: dict[str, list[Finding]] = {}
        self.waiting: dict[str, int] = {}

    def project(self, uri: str) -> tuple[Project, str] | None:
        """The project of a file, and the file's path; None of a file that belongs to no policy set."""
        path = path_of(uri)
        root = root_of(path) if path is not None else None
        if path is None or root is None:
            return None
        return self.projects.setdefault(root, Project(root)), path

    def publish(self, project: Project) -> None:
        """Check a project, and tell the editor what is wrong in each of its files, or that nothing is any more."""
        found = project.findings()
        below = project.root + os.sep
        for path in {*found, *(each for each in self.found if each.startswith(below))}:
            self.found[path] = found.get(path, [])
            diagnostics = [self.diagnostic(project, path, each) for each in self.found[path]]
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(Path(path).as_uri(), diagnostics))

    def diagnostic(self, project: Project, path: str, finding: Finding) -> lsp.Diagnostic:
        """A finding as the editor has it."""
        said = finding.message + (f"; {finding.hint}" if finding.hint else "")
        key = self.key_of(project, path, finding)
        if key and f'"{key}"' not in said:
            said = f"{key}: {said}"
        where = self.range(project.text(path), finding.place)
        return lsp.Diagnostic(where, said, _SEVERITY[finding.severity], finding.code, source="carepolicy")

    def key_of(self, project: Project, path: str, finding: Finding) -> str:
        """The key whose value has a wrong shape, since a list of findings shows no line; "" of another finding."""
        if finding.code[:3] != "CP1":
            return ""
        for source in project.sources(path):
            for at, place in source.values.items():
                if place[1:] == finding.place[1:]:  # the files are called otherwise
                    return next((str(part) for part in reversed(at) if isinstance(part, str)), "")
        return ""

    def range(self, text: str, place: Place) -> lsp.Range:
        """A place in the editor's lines and columns."""
        lines = text.removeprefix("\ufeff").splitlines(keepends=True)
        start = lsp.Position(place.line - 1, place.column - 1)
        end = lsp.Position(place.end_line - 1, place.end_column - 1)
        return self.workspace.position_codec.range_to_client_units(lines, lsp.Range(start, end))

    def place(self, text: str, position: lsp.Position) -> tuple[int, int]:
        """A line and a column, both from 1, of the editor's position."""
        lines = text.removeprefix("\ufeff").splitlines(keepends=True)
        found = self.workspace.position_codec.position_from_client_units(lines, position)
        return found.line + 1, found.character + 1


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether something is a fault of the server's: a name that is refused is told to who asked for it, and no more."""
    return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcInvalidParams))


logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_ours)
server = PolicyServer()


async def _changed(uri: str, text: str | None) -> None:
    """Take the text of a file (None: what is saved counts again), and check once nobody has typed for a moment."""
    found = server.project(uri)
    if found is None:
        return
    project, path = found
    if text is None:
        project.unsaved.pop(path, None)
    else:
        project.unsaved[path] = text
    turn = server.waiting[project.root] = server.waiting.get(project.root, 0) + 1
    await asyncio.sleep(QUIET)
    if server.waiting[project.root] == turn:
        server.publish(project)


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
    """A file is shown."""
    await _changed(params.text_document.uri, params.text_document.text)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
    """A key was pressed."""
    uri = params.text_document.uri
    await _changed(uri, server.workspace.get_text_document(uri).source)


@server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
async def saved(params: lsp.DidSaveTextDocumentParams) -> None:
    """A file was saved."""
    uri = params.text_document.uri
    await _changed(uri, server.workspace.get_text_document(uri).source)


@server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
    """A file is not shown any more."""
    await _changed(params.text_document.uri, None)


@server.feature(lsp.INITIALIZED)
async def initialised(params: lsp.InitializedParams) -> None:
    """The editor is ready: ask it to tell of files that others write, where it can."""
    workspace = server.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    if watched is None or not watched.dynamic_registration:
        return
    options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(each) for each in WATCHED])
    asked = lsp.Registration("files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    await server.client_register_capability_async(lsp.RegistrationParams([asked]))


@server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
async def files_changed(params: lsp.DidChangeWatchedFilesParams) -> None:
    """Files were written, made or taken away by somebody else: a branch of git, a colleague, `carepolicy fmt`."""
    paths = [path for each in params.changes if (path := path_of(each.uri)) is not None]
    for project in list(server.projects.values()):
        if any(path.startswith(project.root + os.sep) for path in paths):
            server.publish(project)


@server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    """What a file defines: states, events, clocks, roles, messages."""
    found = server.project(params.text_document.uri)
    kind = kind_of(found[1]) if found is not None else None
    if found is None or kind is None:
        return []
    text = found[0].text(found[1])
    return [_symbol(text, each, True) for source in found[0].sources(found[1]) for each in entries(source, kind)]


def _symbol(text: str, entry: Definition, section: bool) -> lsp.DocumentSymbol:
    kind = lsp.SymbolKind.Namespace if section else lsp.SymbolKind.Field
    below = [_symbol(text, each, False) for each in entry.below]
    where, key = server.range(text, entry.whole), server.range(text, entry.key)
    return lsp.DocumentSymbol(entry.name, kind, where, key, detail=entry.title, children=below)


@server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
def folding(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
    """The blocks of a file that can be folded."""
    found = server.project(params.text_document.uri)
    if found is None:
        return []
    project, path = found
    return [lsp.FoldingRange(first - 1, last - 1) for first, last in folds(project.sources(path))]


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list(" :[,.{")))
def complete(params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
    """The names that may stand here."""
    found = server.project(params.text_document.uri)
    if found is None:
        return []
    project, path = found
    if project.policies is None:
        project.findings()
    if project.policies is None:
        return []
    text = project.text(path)
    line, column = server.place(text, params.position)
    lines = text.removeprefix("\ufeff").splitlines()
    kind = completion.kind_at(lines, line - 1, column - 1, kind_of(path) or "")
    if kind is None:
        return []
    names = completion.names_for(project.policies, kind, project.policies.flows.get(_flow(lines)))
    return [lsp.CompletionItem(name, kind=_KIND.get(kind), detail=title) for name, title in names.items()]


def _flow(lines: Sequence[str]) -> str:
    """The flow that a file is, or that its scenario is about."""
    return next((each.partition(":")[2].strip() for each in lines if each.startswith("flow:")), "")


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
def hover(params: lsp.HoverParams) -> lsp.Hover | None:
    """The rule behind a finding, else when a limit falls due, else what a name stands for."""
    found = server.project(params.text_document.uri)
    if found is None:
        return None
    project, path = found
    text = project.text(path)
    line, column = server.place(text, params.position)
    for finding in server.found.get(path, ()):
        start, end = finding.place[1:3], finding.place[3:5]
        if start <= (line, column) <= end:
            return _hover(_about_finding(finding), server.range(text, finding.place))
    if project.policies is None:
        return None
    for source in project.sources(path):
        limit = _limit_at(source, kind_of(path) or "", line, column)
        if limit is not None:
            said = _about_limit(project.policies, _flow(text.splitlines()), limit[0], limit[1])
            if said is not None:
                return _hover(said, server.range(text, limit[2]))
    mention = project.mention_at(path, line, column)
    said = None if mention is None else _about_mention(project.policies, mention)
    return None if said is None or mention is None else _hover(said, server.range(text, mention.place))


def _hover(text: str, where: lsp.Range) -> lsp.Hover:
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), where)


def _locations(uri: str, position: lsp.Position, definitions: bool, others: bool) -> list[lsp.Location]:
    """Where the thing at a position is defined, and where else it is named."""
    found = server.project(uri)
    if found is None:
        return []
    project, path = found
    mention = project.mention_at(path, *server.place(project.text(path), position))
    if mention is None:
        return []
    return [
        lsp.Location(Path(file).as_uri(), server.range(project.text(file), each.place))
        for file, mentions in project.all_mentions().items()
        for each in mentions
        if each.what == mention.what and (definitions if each.defines else others)
    ]


@server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
def definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
    """Where a name is given."""
    return _locations(params.text_document.uri, params.position, True, False)


@server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
def references(params: lsp.ReferenceParams) -> list[lsp.Location]:
    """Wherever a name stands."""
    return _locations(params.text_document.uri, params.position, params.context.include_declaration, True)


@server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
def prepare_rename(params: lsp.PrepareRenameParams) -> lsp.Range | None:
    """The name that would be renamed: a state's or an event's."""
    found = server.project(params.text_document.uri)
    if found is None:
        return None
    project, path = found
    text = project.text(path)
    mention = project.mention_at(path, *server.place(text, params.position))
    return server.range(text, mention.place) if mention is not None and mention.kind in RENAMED else None


@server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
def rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
    """The edits of all files that rename a state of a flow, or an event."""
    found = server.project(params.text_document.uri)
    if found is None:
        return None
    project, path = found
    mention = project.mention_at(path, *server.place(project.text(path), params.position))
    if mention is None or mention.kind not in RENAMED:
        return None
    try:
        places = project.renamed(mention, params.new_name)
    except ValueError as problem:
        raise JsonRpcInvalidParams(str(problem)) from None
    edits = {}
    for file, named in places.items():
        ranges = [server.range(project.text(file), each) for each in named]
        edits[Path(file).as_uri()] = [lsp.TextEdit(each, params.new_name) for each in ranges]
    return lsp.WorkspaceEdit(edits)


@server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
def formatting(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    """The canonical layout of a file; none of one that cannot be laid out."""
    path = path_of(params.text_document.uri)
    kind = kind_of(path) if path is not None else None
    if path is None or kind is None:
        return []
    text = server.workspace.get_text_document(params.text_document.uri).source
    done = formatted_text(text, path, kind)
    if not done.changed:
        return []
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(len(text.splitlines()) + 1, 0))
    return [lsp.TextEdit(whole, done.after)]


@server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix]))
def code_actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What would mend the findings in a range."""
    found = server.project(params.text_document.uri)
    if found is None:
        return []
    project, path = found
    text = project.text(path)
    actions = []
    for finding in server.found.get(path, ()):
        if not params.range.start.line <= finding.place.line - 1 <= params.range.end.line:
            continue
        source = next(iter(project.sources(path)), None)
        fix = fix_of(finding, source)
        if fix is not None:
            edit = lsp.TextEdit(server.range(text, fix.place), fix.text)
            title = f"Replace by {fix.text}" if finding.replacement is not None else f"Write {fix.text.splitlines()[0]}"
            actions.append(
                lsp.CodeAction(
                    title,
                    lsp.CodeActionKind.QuickFix,
                    [server.diagnostic(project, path, finding)],
                    is_preferred=True,
                    edit=lsp.WorkspaceEdit({params.text_document.uri: [edit]}),
                )
            )
    return actions


class Definition(NamedTuple):
    """A thing that a file defines: its name and title, where both stand, and what is below it."""

    name: str
    title: str
    whole: Place
    key: Place
    below: tuple[Definition, ...]


def entries(source: Source, kind: str) -> list[Definition]:
    """The sections of a file with the things that they define; of a scenario its own name."""
    data = source.data
    if not isinstance(data, dict):
        return []
    if kind == "scenario":
        return [_entry(source, ("scenario",), str(data["scenario"]), ())] if "scenario" in data else []
    found = []
    for section, things in data.items():
        key = KINDS[kind].keys.get(section)
        if key is not None and isinstance(key.shape, Named) and key.shape.defines and isinstance(things, dict):
            below = (_entry(source, (section, name), _title(said), ()) for name, said in things.items())
            found.append(_entry(source, (section,), "", tuple(below)))
    return found


def folds(sources: Iterable[Source]) -> Iterator[tuple[int, int]]:
    """The first and last line, both from 1, of each block of several lines that a key leads to."""
    for source in sources:
        lines = source.text.splitlines()
        for path, key in source.keys.items():
            last = _last_line(source, path, lines)
            if last > key.line:
                yield key.line, last


def _entry(source: Source, path: Keys, title: str, below: tuple[Definition, ...]) -> Definition:
    key = source.key(path)
    last = _last_line(source, path, source.text.splitlines())
    end = source.value(path)
    column = end.end_column if end.end_line == last else 1
    return Definition(
        str(path[-1]), title, key._replace(end_line=max(last, key.end_line), end_column=column), key, below
    )


def _last_line(source: Source, path: Keys, lines: list[str]) -> int:
    """The last line with text of the value at a path: a block of YAML reaches to where the next one begins."""
    value = source.value(path)
    last = value.end_line - (value.end_column == 1)
    while last > value.line and (
        last > len(lines) or not lines[last - 1].strip() or lines[last - 1].lstrip()[0] == "#"
    ):
        last -= 1
    return last


def _title(said: object) -> str:
    title = said.get("title") or said.get("subject") if isinstance(said, dict) else None
    return title if isinstance(title, str) else ""


def _about_finding(finding: Finding) -> str:
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


def _limit_at(source: Source, kind: str, line: int, column: int) -> tuple[Keys, str, Place] | None:
    """The limit at a place, from 1, of a file of a kind: its path, its text, and where it stands."""
    for here, path, _, _ in occurrences(kind, source.data):
        place = (source.keys if here.on_key else source.values).get(path) if here.shape.what == "limit" else None
        if place is not None and place.line == place.end_line == line and place.column <= column <= place.end_column:
            text = source.text.split("\n")[line - 1][place.column - 1 : place.end_column - 1].strip("'\"")
            return path, text, place
    return None


def _about_limit(policies: Policies, flow: str | None, path: Keys, text: str) -> str | None:
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


def _about_mention(policies: Policies, mention: Mention) -> str | None:
    """What a name stands for, in a line."""
    flow = policies.flows.get(mention.scope)
    title = names_for(policies, mention.kind, flow).get(mention.name)
    return None if title is None else f"{mention.kind} **{mention.name}**" + (f": {title}" if title else "")
