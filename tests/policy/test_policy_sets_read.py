"""What tests keep of sets that they read (tests/sets_read.py) is what reading them anew gives."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from carepolicy.checks import check_folder
from carepolicy.policy.load import load_policies
from sets_read import sets_read_anew, sets_read_once
from shops import SHOP

DAY = date(2026, 11, 30)


def test_a_set_that_is_the_same_is_read_once_and_one_that_is_not_anew(tmp_path: Path) -> None:
    root = Path(shutil.copytree(SHOP, tmp_path / "set"))
    flow = root / "flows" / "email_inquiry.yaml"
    with sets_read_once():
        first, found = check_folder(root, DAY)
        again, _ = check_folder(root, DAY)
        assert again is first
        assert check_folder(root, date(2190, 1, 1))[1] != found
        flow.write_text(flow.read_text().replace("3 business hours", "2 business hours"))
        after, _ = check_folder(root, DAY)
        assert after is not None
        assert after.flows["email_inquiry"] != first.flows["email_inquiry"]
        assert after.flows["complaint"] is first.flows["complaint"]
        flow.write_text(flow.read_text().replace("owner: care_agent", "owner: care_agnt", 1))
        _, wrong = check_folder(root, DAY)
        assert "CP201" in {each.code for each in wrong} - {each.code for each in found}
        flow.write_text("flow: [")
        assert load_policies(root)[1] == load_policies(root)[1] != []


def test_what_is_kept_of_a_set_is_what_is_read_anew() -> None:
    with sets_read_once():
        load_policies(SHOP)
        kept = check_folder(SHOP, DAY)
    with sets_read_anew():
        assert check_folder(SHOP, DAY) == kept
