"""The parser's tables can be kept, and the parser is not imported before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from carepolicy.guards.parsing import parse, parser_tables, tables_digest

PROGRAM = """
import pathlib, sys
from carepolicy.guards import parsing
assert "lark" not in sys.modules, "lark was imported too early"
parsing.use_parser_tables(pathlib.Path(sys.argv[1]).read_bytes())
assert parsing.tables_digest() == sys.argv[2]
print(parsing.parse(sys.argv[3]).pretty())
assert "celpy" not in sys.modules, "cel-python was imported"
"""


def test_an_expression_is_read_alike_by_tables_that_were_kept(tmp_path: Path) -> None:
    text = 'true && order.total > 1 ? x.all(y, y in ["a"]) : !false'
    kept = tmp_path / "tables"
    kept.write_bytes(parser_tables())
    command = [sys.executable, "-c", PROGRAM, str(kept), tables_digest(), text]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert found.strip() == parse(text).pretty().strip()
