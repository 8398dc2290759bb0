"""No room, no right to write, no connection: told in a sentence, and the store is as it was before the step."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from carepolicy.cli import app
from complaint_events import lines

COMPLAINTS = str(Path(__file__).parents[2] / "benchmarks" / "complaints")


def carepolicy(*arguments: str, largest: int | None = None) -> subprocess.CompletedProcess[str]:
    def bound() -> None:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    command = [sys.executable, "-m", "carepolicy", *arguments]
    # Python would put modules that it could only write a part of into its cache.
    environment = os.environ if largest is None else {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, preexec_fn=bound, timeout=120, env=environment
    )


def test_a_full_disk_undoes_the_step_and_the_run_goes_on_when_there_is_room(tmp_path: Path) -> None:
    log, store = tmp_path / "log", f"sqlite:///{tmp_path}/care.db"
    log.write_bytes(b"".join(lines(1_500)))
    run = ["run", str(log), "--policies", COMPLAINTS, "--quiet"]
    kept = ["--store", store, "--batch", "50", "--resume", "--output", str(tmp_path / "kept")]
    assert carepolicy(*run, "--output", str(tmp_path / "plain")).returncode == 0
    done = carepolicy(*run, *kept, largest=1_500_000)
    assert (done.returncode, "cannot grow" in done.stderr, "Traceback" in done.stderr) == (3, True, False)
    assert "the same command with --resume goes on" in done.stderr
    assert carepolicy("verify", "--store", store).returncode == 0
    assert carepolicy(*run, *kept).returncode == 0
    assert (tmp_path / "kept").read_bytes() == (tmp_path / "plain").read_bytes()


def test_what_a_full_disk_has_no_room_for_is_named_and_a_store_on_it_can_be_read(tmp_path: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "care.db"
    log.write_bytes(b"".join(lines(20)))
    kept = ["--store", f"sqlite:///{file}"]
    run = ["run", str(log), "--policies", COMPLAINTS, "--quiet"]
    event = ["event", "complaint_received", "c-1", "complaint.severity=low", "--policies", COMPLAINTS, *kept]
    assert carepolicy(*event).returncode == 0
    listed = carepolicy("case", "list", *kept)
    assert (listed.returncode, "c-" in listed.stdout) == (0, True)
    for refused, named in (
        (["store", "backup", str(tmp_path / "copy.db"), *kept], f"{tmp_path}/copy.db.part cannot grow"),
        ([*run, "--output", str(tmp_path / "out")], f"{tmp_path}/out: File too large"),
        ([*run, "--dead-letters", str(tmp_path / "dead")], f"{tmp_path}/dead: File too large"),
        (event, f"{file} cannot grow"),
    ):
        dead = b"".join(b"no event\n" for _ in range(100)) if "--dead-letters" in refused else b""
        log.write_bytes(b"".join(lines(20)) + dead)
        done = carepolicy(*refused, largest=1_000)
        assert (done.returncode, named in done.stderr, "Traceback" in done.stderr) == (3, True, False), done
    assert carepolicy("case", "list", *kept, largest=1_000).stdout == listed.stdout
    assert carepolicy("verify", *kept).returncode == 0
    assert sorted(each.name for each in tmp_path.iterdir() if "copy" in each.name) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_a_full_file_system_is_told(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        log = tmp_path / "log"
        log.write_bytes(b"".join(lines(2_000)))
        store = f"sqlite:///{small}/care.db"
        done = carepolicy("run", str(log), "--policies", COMPLAINTS, "--quiet", "--store", store, "--batch", "50")
        assert (done.returncode, "cannot grow" in done.stderr, "Traceback" in done.stderr) == (3, True, False)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_that_may_only_be_read_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "care.db"
    event = ["event", "complaint_received", "c-1", "--policies", COMPLAINTS, "--store", f"sqlite:///{store}"]
    assert app.run([*event, "complaint.severity=low", "--at", "2026-03-02 10:00"]) == 0
    before = store.read_bytes()
    guard = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && "$@"',
    ]
    command = [*guard, "sh", str(tmp_path), sys.executable, "-m", "carepolicy", *event, "--at", "2026-03-02 11:00"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no read-only file system can be made here")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "may only be read" in done.stderr or "cannot be opened" in done.stderr
    assert store.read_bytes() == before


def test_a_lost_server_is_told_and_what_was_acknowledged_is_there(server: str, postgres: str) -> None:
    import psycopg

    from carepolicy.store.faults import Unreachable
    from carepolicy.store.live.operation import Operation
    from carepolicy.store.open import open_store

    operation = Operation(open_store(postgres), COMPLAINTS, 0)
    few = lines(40)
    assert operation.take(list(enumerate(few[:20], 1))).records
    with psycopg.connect(server, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
        )
    with pytest.raises(Unreachable, match=r"the connection to the store was lost.* is kept whole or not at all"):
        operation.take(list(enumerate(few[20:], 21)))
    again = Operation(open_store(postgres), None, 0)
    assert "event.duplicate" in again.take([(1, few[19])]).records
    assert "event.duplicate" not in again.take(list(enumerate(few[20:], 21))).records
