"""The handbook of the sample set, built once, and a browser where one is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import handbook_sets

from carepolicy.charts import renderer
from carepolicy.handbook import build, write


@pytest.fixture(scope="session")
def site():
    return build(handbook_sets.sample())


@pytest.fixture
def drawing():
    if renderer() is None:
        pytest.skip("nothing draws here: no dot, no pygraphviz, no graphviz-pure")


@pytest.fixture(scope="session")
def written(site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("handbook")
    write(site, folder)
    return folder


@pytest.fixture
def opened(browser, written):
    """Opens a page of the handbook; at the end no page may have written an error to its console."""
    contexts, said = [], []

    def open_page(path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((written / path.partition("#")[0]).as_uri() + "".join(path.partition("#")[1:]))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
