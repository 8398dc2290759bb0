"""A store that was put back from a backup writes under ids that nothing written after the backup was made bears."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from carepolicy.cli import app
from carepolicy.store.backup import epoch_of
from shops import Said, Shop, rows


def ids(said: Said) -> list[str]:
    return [each["id"] for each in said.lines()]


def first(shop: Shop) -> None:
    shop.event("email_received", "mail-1", "2026-03-02 09:05", "customer.email=a@example.org")


def further(shop: Shop) -> list[str]:
    """What happens after the backup: a case goes on, one is opened, and an event is not taken."""
    said = shop.event("reply_sent", "mail-1", "2026-03-02 10:00")
    said2 = shop.event("email_received", "mail-2", "2026-03-02 10:05", "customer.email=b@example.org")
    said3 = shop.event("email_received", "mail-2", "2026-03-02 10:05", "customer.email=b@example.org")
    tick = shop("tick", "--now", "2026-03-04 09:00")
    return [each for one in (said, said2, said3, tick) for each in ids(one)]


def outbox(shop: Shop) -> set[str]:
    return {id for (id,) in rows(shop, "SELECT id FROM outbox")}


def restored(shop: Shop) -> str:
    said = shop("store", "restored", "--format", "json")
    assert said.status == 0, said.err
    epoch: str = json.loads(said.out)["epoch"]
    return epoch


def test_ids_that_went_out_after_the_backup_are_not_used_again(file_shop: Shop, tmp_path: Path) -> None:
    shop, copy = file_shop, str(tmp_path / "copy.db")
    first(shop)
    assert shop("store", "backup", copy).status == 0
    kept = outbox(shop)
    gone, asked = further(shop), outbox(shop)
    seen: list[set[str]] = [set(gone)]
    for _ in range(2):  # the same backup is put back twice
        shutil.copy(copy, shop.file())
        epoch = restored(shop)
        again = further(shop)
        assert all(each.endswith(epoch) for each in again)
        assert [each.removesuffix(epoch) for each in again] == gone
        assert outbox(shop) & asked == kept
        assert kept < outbox(shop)
        assert not any(set(again) & one for one in seen)
        seen.append(set(again))
        assert shop("verify").status == 0


def test_without_being_told_a_store_that_was_put_back_gives_the_same_bytes(file_shop: Shop, tmp_path: Path) -> None:
    first(file_shop)
    assert file_shop("store", "backup", str(tmp_path / "copy.db")).status == 0
    gone = further(file_shop)
    shutil.copy(tmp_path / "copy.db", file_shop.file())
    assert further(file_shop) == gone


def test_what_is_asked_of_a_store_that_was_put_back_is_answered_as_before(shop: Shop) -> None:
    first(shop)
    epoch = restored(shop)
    further(shop)
    assert [each["sequence"] for each in shop("case", "history", "mail-1").lines()] == list(range(1, 10))
    (taken,) = shop("outbox", "take", "--kind", "message", "--limit", "1", "--now", "2026-03-05 09:00").lines()
    assert taken["record"]["id"] == taken["id"]
    assert epoch not in taken["id"]  # it was asked for before
    waiting = [each for each in outbox(shop) if each.endswith(epoch)]
    for each in waiting:
        assert shop("outbox", "done", each).status == 0
    proof = shop("case", "history", "mail-2", "--proof")
    assert epoch in proof.out
    assert shop("verify").status == 0


def test_a_set_that_is_installed_then_writes_under_new_ids_too(shop: Shop, tmp_path: Path) -> None:
    first(shop)
    epoch = restored(shop)
    policies = tmp_path / "policies"
    shutil.copytree(shop.policies, policies)
    flow = policies / "flows" / "email_inquiry.yaml"
    flow.write_text(flow.read_text().replace("limit: less than 2 business days", "limit: less than 3 business days"))
    assert app.run(["apply", "--policies", str(policies), "--store", shop.url]) == 0
    written = rows(shop, "SELECT line FROM records ORDER BY no DESC LIMIT 1")[0][0]
    assert json.loads(written)["id"].endswith(epoch)
    assert shop("verify").status == 0


def test_an_epoch_is_always_later_than_the_one_before(shop: Shop) -> None:
    first(shop)
    epochs = [restored(shop) for _ in range(3)]
    assert sorted(set(epochs)) == epochs
    assert epoch_of(0) == ""
