"""docs/print.md does not lie: each command writes one PDF, as they stand there one after the other."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from commands import run
from shops import SHOP

pytest.importorskip("typst", reason="the extra carepolicy[render] is not installed")
pypdf = pytest.importorskip("pypdf", reason="the extra carepolicy[render] is not installed")

PAGE = Path(__file__).parents[2] / "docs" / "print.md"


def test_each_command_of_the_page_writes_a_pdf_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path / "policies")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    commands = block.splitlines()
    for number, command in enumerate(commands, 1):
        program, *arguments = shlex.split(command)
        done = run(*arguments, cwd=tmp_path)
        assert (program, done.returncode) == ("carepolicy", 0), done.stderr
        assert len(list(tmp_path.glob("*.pdf"))) == number
    assert len(commands) > 4
    for file in tmp_path.glob("*.pdf"):
        page = pypdf.PdfReader(file).pages[0]
        assert sorted(round(float(each)) for each in page.mediabox[2:]) == [595, 842]
