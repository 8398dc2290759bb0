"""docs/texts.md says what is so: its commands run, and its entry is one that they write."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from commands import run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/texts.md").read_text()
SHOP = ROOT / "tests/policy/shop"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests/translations/shop", tmp_path / "policies")
    for line in "".join(blocks("sh")).splitlines():
        program, *words = shlex.split(line)
        assert program == "carepolicy"
        done = run(*words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_entry_of_the_page_is_one_of_the_catalogue() -> None:
    (entry,) = blocks("po")
    assert entry in (SHOP / "texts/fr.po").read_text()


def test_update_says_what_there_is_to_do_and_check_exits_with_1(tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path / "policies")
    flow = tmp_path / "policies/flows/cake_order.yaml"
    flow.write_text(flow.read_text().replace("title: Cake is ready", "title: The cake waits"))
    checked = run("texts", "check", "fr", cwd=tmp_path)
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[0] == "fr: 54 of 55 texts translated (98 %)"
    assert "stale or fuzzy: The cake waits (flows.cake_order.states.baked.title)" in checked.stdout
    assert run("check", "--strict", cwd=tmp_path).returncode == 1
    updated = run("texts", "update", "fr", cwd=tmp_path)
    assert updated.stdout == "policies/texts/fr.po: 54 of 55 texts translated, 1 fuzzy\n"
    assert '#, fuzzy\n#| msgid "Cake is ready"\n' in (tmp_path / "policies/texts/fr.po").read_text()
    before = (tmp_path / "policies/texts/fr.po").read_bytes()
    assert run("texts", "update", "fr", cwd=tmp_path).stdout == updated.stdout
    assert (tmp_path / "policies/texts/fr.po").read_bytes() == before


def test_a_broken_catalogue_is_not_written_over_and_an_unknown_language_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path / "policies")
    catalogue = tmp_path / "policies/texts/fr.po"
    catalogue.write_text(catalogue.read_text().replace('msgstr "Pâtissière"', 'msgstr "Pâtissière'))
    before = catalogue.read_bytes()
    done = run("texts", "update", "fr", cwd=tmp_path)
    assert (done.returncode, catalogue.read_bytes()) == (2, before)
    assert "CP620" in done.stderr
    for language, said in (("pt-BT", 'did you mean "pt-BR"?'), ("en", "it needs no translation")):
        done = run("texts", "update", language, cwd=tmp_path)
        assert (done.returncode, said in done.stderr) == (2, True)
