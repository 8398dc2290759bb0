"""Work on all cores: what comes back is what one process alone would have made."""

import gc
import multiprocessing
import os
from contextlib import suppress

import handbook_sets as sets
import pytest

from carepolicy.cores import can_fork, cores, on_cores, without_collector
from carepolicy.handbook import build, pages_of, site

needs_forks = pytest.mark.usefixtures("forks")


@pytest.fixture
def forks(monkeypatch):
    """A machine of four cores."""
    monkeypatch.setattr(os, "cpu_count", lambda: 4)


@needs_forks
def test_what_is_made_comes_in_the_order_of_the_jobs_and_each_part_of_it_is_heard_of():
    heard = []

    def work(job, told):
        for _ in range(job):
            told(1)
        return job, multiprocessing.parent_process() is not None, cores()

    found = on_cores(work, [5, 1, 4, 2, 3, 0], heard.append)
    assert [job for job, _, _ in found] == [5, 1, 4, 2, 3, 0]
    assert sum(heard) == 15
    assert {(there, many) for _, there, many in found} == {(can_fork(), 1 if can_fork() else 4)}


@needs_forks
def test_what_fails_there_fails_here_for_the_same_reason():
    def work(job, told):
        if job == 2:
            raise LookupError("two")
        return job

    with pytest.raises(LookupError, match="two"):
        on_cores(work, [1, 2, 3], lambda done: None)
    assert not multiprocessing.active_children()


@needs_forks
def test_a_job_whose_process_dies_is_done_all_the_same():
    here = os.getpid()

    def work(job, told):
        if job == 2 and os.getpid() != here:
            os._exit(9)
        return job

    assert on_cores(work, [1, 2, 3], lambda done: None) == [1, 2, 3]


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_rests_only_meanwhile_and_stays_off_where_it_was_off(collects):
    (gc.enable if collects else gc.disable)()
    seen = []
    try:
        with suppress(LookupError), without_collector():
            seen.append(gc.isenabled())
            raise LookupError
        assert (seen, gc.isenabled()) == ([False], collects)
    finally:
        gc.enable()


@needs_forks
@pytest.mark.parametrize("only", [(), ("fr",)])
def test_a_site_is_the_same_from_one_process_and_from_many(tmp_path, monkeypatch, only):
    policies = sets.set_of(tmp_path, "Text", ("en", "fr", "de"))
    heard = {}
    found = {}
    for worth in (0, 1_000):
        monkeypatch.setattr(site, "WORTH_FORKING", worth)
        told = heard.setdefault(worth, [])
        found[worth] = build(policies, only=only, told=told.append).files
    assert list(found[0].items()) == list(found[1_000].items())
    assert sum(heard[0]) == sum(heard[1_000]) == pages_of(policies, only)
