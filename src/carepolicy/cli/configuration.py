"""What a project says once for all commands: in ``carepolicy.toml``, or under ``[tool.carepolicy]`` of pyproject.toml.

The file is looked for in the working folder and the folders above it. An option of the command line wins over a
variable of the environment, and that over the file.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec import Struct

from carepolicy.cli.status import CommandError
from carepolicy.policy.files import LIBRARY, folder_meant, layers_of
from carepolicy.policy.likeness import did_you_mean
from carepolicy.store.url import SQLITE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE, PROJECT, TABLE = "carepolicy.toml", "pyproject.toml", b"[tool.carepolicy"

POLICIES, POLICIES_VARIABLE = "policies", "CAREPOLICY_POLICIES"
"""The folder of the policy set where no option names one, and the variable of the environment that may."""

STORE, STORE_VARIABLE = "sqlite:///care.db", "CAREPOLICY_STORE"
"""The store where no option names one, and the variable of the environment that may."""

PATHS = ("policies", "output")
"""Settings that are paths, told from the folder of the file."""

EVERYWHERE = ("policies", "store")
"""Settings that stand above the tables, for each command that has such an option."""


class Configuration(Struct, frozen=True):
    """What a file says: ``file`` is its path ("" where there is none), ``data`` its tables as they stand there."""

    file: str
    data: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """A setting that holds for all commands, as the option takes it. Raises ``CommandError`` if it is no text."""
        said = self.data.get(name)
        if name == "policies" and said is not None:
            return self._layers(said)
        if name == "store" and isinstance(said, dict):  # a table of the command of that name
            return None
        if said is not None and not isinstance(said, str):
            raise CommandError(f'{self.file}: {name} is to be a text, as in {name} = "…"')
        return None if said is None else self._here(name, said)

    def defaults(self, name: str, command: click.Command, commands: Iterable[str]) -> dict[str, Any]:
        """What the options of a command are where the command line does not say it, by the names of its parameters.

        Raises ``CommandError`` for a table that is of none of the ``commands``, or that names an option that the
        command lacks.
        """
        self._demand((*EVERYWHERE, *commands), self.data, "")
        above = {key: said for key in EVERYWHERE if (said := self.text(key)) is not None}
        return self._of(command, self._table(self.data, name), f"[{name}] ", above)

    def _of(
        self, command: click.Command, table: Mapping[str, Any], where: str, above: dict[str, str]
    ) -> dict[str, Any]:
        below: Mapping[str, click.Command] = getattr(command, "commands", {})
        named = {
            option.removeprefix("--"): each for each in command.params for option in (*each.opts, *each.secondary_opts)
        }
        options = {key: each for key, each in named.items() if not key.startswith("-") and key != each.metavar}
        self._demand((*options, *below), table, where)
        found: dict[str, Any] = {
            options[key].name or key: layers_of(said) if key == "policies" else said
            for key, said in above.items()
            if key in options
        }
        for key, said in table.items():
            if key == "policies" and key in options:
                found[options[key].name or key] = layers_of(self._layers(said))
            elif key in options:
                found[options[key].name or key] = self._here(key, said) if isinstance(said, str) else said
        for name, each in below.items():
            found[name] = self._of(each, self._table(table, name), f"{where.rstrip('] ')}.{name}] ", above)
        return found

    def _table(self, tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = tables.get(name, {})
        if tables is self.data and name in EVERYWHERE and isinstance(found, str):  # store = "…" beside a command store
            return {}
        if not isinstance(found, dict):
            raise CommandError(f"{self.file}: {name} is the name of a command: write its options under [{name}]")
        return found

    def _demand(self, known: tuple[str, ...], table: Mapping[str, Any], where: str) -> None:
        for key in table:
            if key not in known:
                hint = did_you_mean(key, known) or f"known here: {', '.join(sorted(known))}"
                raise CommandError(f'{self.file}: {where}unknown setting "{key}"; {hint}')

    def _layers(self, said: object) -> str:
        """The root of a set: a folder, or a list of those that lie one over another."""
        named = said if isinstance(said, list) else [said]
        layers = [self._layer(each) for each in named if isinstance(each, str)]
        if not layers or len(layers) < len(named):
            raise CommandError(f'{self.file}: policies is to be a text, as in policies = "…", or a list of texts')
        return os.pathsep.join(layers)

    def _layer(self, said: str) -> str:
        """A folder of the set: one beside the file, or the library where none of that name stands there."""
        here = self._here("policies", said)
        return folder_meant(said) if said == LIBRARY and not os.path.isdir(here) else here

    def _here(self, name: str, said: str) -> str:
        """A path of the file as it is called from the working folder."""
        folder = os.path.dirname(self.file)
        if name in PATHS and folder and not os.path.isabs(said):
            return os.path.join(folder, said)
        if name == "store" and folder and said.startswith(SQLITE) and not os.path.isabs(said.removeprefix(SQLITE)):
            return SQLITE + os.path.join(folder, said.removeprefix(SQLITE))
        return said


def configuration() -> Configuration:
    """That of the working folder. Raises ``CommandError`` for a file that cannot be read."""
    return _read(os.getcwd())


def configured_layers(folder: str) -> tuple[str, ...]:
    """The folders of the set, absolute, where the file that holds in a folder names several; none where it does not."""
    try:
        found = _read(folder)
        said = found.text("policies")
    except CommandError:
        return ()
    layers = said.split(os.pathsep) if said is not None and isinstance(found.data.get("policies"), list) else []
    return tuple(os.path.abspath(os.path.join(folder, each)) for each in layers) if len(layers) > 1 else ()


@cache
def _read(folder: str) -> Configuration:
    above, here = "", folder
    while True:
        for name, table in ((FILE, b""), (PROJECT, TABLE)):
            content = _content(os.path.join(here, name))
            if content is not None and table in content:
                file = os.path.join(above, name)
                return Configuration(file, _tables(file, content, name == PROJECT))
        parent = os.path.dirname(here)
        if parent == here:
            return Configuration("", {})
        above, here = os.path.join(above, os.pardir), parent


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _tables(file: str, content: bytes, inside: bool) -> Mapping[str, Any]:
    import tomllib  # which most folders have nothing for

    try:
        data = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise CommandError(f"{file} is no TOML: {fault}") from None
    found = data.get("tool", {}).get("carepolicy", {}) if inside else data
    return found if isinstance(found, dict) else {}


def store_asked_for(store: str | None, other: bool) -> str | None:
    """The store of ``--store``; one that is configured only where nothing ``other`` is named to begin with."""
    given = click.get_current_context().get_parameter_source("store")
    return None if other and given is not ParameterSource.COMMANDLINE else store
