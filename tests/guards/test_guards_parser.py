"""The parser is not imported before it is needed, and reads alike in every process."""

from __future__ import annotations

import subprocess
import sys

from carepolicy.guards.parser import parse

PROGRAM = """
import sys
from carepolicy.guards import parser
assert "lark" not in sys.modules, "lark was imported too early"
print(parser.parse(sys.argv[1]).pretty())
assert "celpy" not in sys.modules, "cel-python was imported"
"""


def test_an_expression_is_read_alike_in_another_process_by_a_parser_that_is_imported_late() -> None:
    text = 'true && order.total > 1 ? x.all(y, y in ["a"]) : !false'
    command = [sys.executable, "-c", PROGRAM, text]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert found.strip() == parse(text).pretty().strip()
