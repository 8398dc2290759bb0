"""``carepolicy schema``: the JSON Schemas of the policy files, for editors, and of what commands print."""

from __future__ import annotations

from pathlib import Path

import click

from carepolicy.audit import schema as audit
from carepolicy.cli.status import CommandError
from carepolicy.cli.terminal import write_all
from carepolicy.engine.history import schema
from carepolicy.policy.language.kinds import SCHEMAS, schema_texts
from carepolicy.policy.likeness import with_hint


@click.command(epilog="Examples: carepolicy schema flow, carepolicy schema --output schemas")
@click.argument("name", required=False)
@click.option("--output", "-o", metavar="DIR", type=click.Path(path_type=Path), help="Write all schemas into DIR.")
def command(name: str | None, output: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of one kind of policy file, or their names.

    With --output all of them are written. An editor that knows the YAML language server completes and
    underlines by the schema that the first line of a policy file names.
    """
    if output is not None and name is not None:
        raise click.UsageError("name one schema, or write all with --output", click.get_current_context())
    kinds, texts = (
        {**SCHEMAS, **schema.FILES, "audit": audit.FILE},
        {
            **schema_texts(),
            **schema.schema_texts(),
            audit.FILE: audit.schema_text(),
        },
    )
    if output is not None:
        write_all({output / file: text for file, text in texts.items()})
    elif name is None:
        for kind, file in kinds.items():
            click.echo(f"{kind:<14}{file}")
    else:
        found = [file for kind, file in kinds.items() if name in (kind, file)]
        if not found:
            raise CommandError(with_hint(f'there is no schema "{name}"', name, kinds))
        click.echo(texts[found[0]], nl=False)
