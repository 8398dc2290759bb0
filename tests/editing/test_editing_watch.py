"""``carepolicy check --watch``, and a set that is checked again and again."""

from __future__ import annotations

import random
import shutil
import sys
from datetime import date
from pathlib import Path

import pexpect
import pytest

from carepolicy.checks import check_folder
from carepolicy.editing.recheck import Rechecked

HARBOUR = Path(__file__).parents[1] / "checks" / "harbour"
FLOW = "flows/email_inquiry.yaml"
TODAY = date(2026, 3, 2)


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HARBOUR, tmp_path / "policies"))


def test_every_save_is_checked_until_somebody_interrupts(harbour: Path) -> None:
    command = ["-c", "from carepolicy.cli import main; main()", "check", "--watch", "--today", "2026-03-02"]
    child = pexpect.spawn(sys.executable, command, cwd=str(harbour.parent), encoding="utf-8", timeout=20)
    child.expect("6 files: nothing wrong")
    child.expect("waiting for a file to be saved")
    flow = harbour / FLOW
    text = flow.read_text()
    flow.write_text(text.replace("reply_sent: answered", "reply_sent: answred"))
    child.expect('CP203.* unknown state "answred"')
    child.expect("waiting for a file to be saved")
    # Editors write a file anew beside the old one and give it its name.
    (harbour / "new").write_text(text)
    (harbour / "new").rename(flow)
    child.expect("6 files: nothing wrong")
    child.expect("waiting for a file to be saved")
    child.sendintr()
    child.expect("interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_a_strict_watch_counts_warnings_as_failures(harbour: Path) -> None:
    organisation = harbour / "organisation.yaml"
    organisation.write_text(organisation.read_text().replace(", deputy: care_agent}", "}"))  # CP503, a warning
    command = ["-c", "from carepolicy.cli import main; main()", "check", "--watch", "--format", "junit"]
    for strict, failures in (([], "0"), (["--strict"], "1")):
        asked = [*command, *strict, "--today", "2026-03-02"]
        child = pexpect.spawn(sys.executable, asked, cwd=str(harbour.parent), encoding="utf-8", timeout=20)
        child.expect(rf'failures="{failures}"')
        child.expect("waiting for a file to be saved")
        child.sendintr()
        child.expect(pexpect.EOF)


def test_what_is_kept_is_what_a_fresh_check_finds(harbour: Path) -> None:
    """Files change, go and come back at random: the set that is kept never differs from one read anew."""
    dice = random.Random(7)
    kept = Rechecked(str(harbour))
    files = list(harbour.rglob("*.yaml"))
    texts = {each: each.read_text() for each in files}
    for _ in range(60):
        file = dice.choice(files)
        text = texts[file]
        at = dice.randrange(len(text))
        file.write_text(dice.choice([text, text[:at], text[:at] + text[at + 3 :], text.replace("care_lead", "lead")]))
        if dice.random() < 0.1:
            file.unlink()
        _, fresh = check_folder(harbour, TODAY)
        assert kept.check(TODAY)[0] == fresh


def test_text_that_is_not_saved_counts_in_place_of_the_file(harbour: Path) -> None:
    kept = Rechecked(str(harbour))
    text = (harbour / FLOW).read_bytes()
    broken = text.replace(b"reply_sent: answered", b"reply_sent: answred")
    assert [each.code for each in kept.check(TODAY, {FLOW: broken})[0]] == ["CP203"]
    assert kept.check(TODAY)[0] == []
    assert kept.check(TODAY, {FLOW: b"flow: ["})[0][0].code == "CP103"
    assert kept.policies is not None


def test_only_what_changed_is_read_again(harbour: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from carepolicy.policy import load

    read: list[str] = []

    def counting(content: bytes, name: str, *rest: object) -> load.MadeFile:
        read.append(name)
        return was(content, name, *rest)

    was = load._read
    monkeypatch.setattr(load, "_read", counting)
    kept = Rechecked(str(harbour))
    kept.check(TODAY)
    read.clear()
    flow = harbour / FLOW
    flow.write_text(flow.read_text() + "# more\n")
    kept.check(TODAY)
    assert read == [FLOW]
