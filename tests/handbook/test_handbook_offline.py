"""The handbook without a network: kept whole by a browser, of one version, and never where it is read from a folder."""

from __future__ import annotations

import functools
import hashlib
import json
import queue
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import handbook_sets as sets
import pytest
from lxml import etree

from carepolicy.handbook import build, write
from carepolicy.handbook.site import icon_of, worker_of

PAGE = "en/flows/care.html"
READY = "navigator.serviceWorker.ready.then((found) => found.active.state)"
TAKEN = """navigator.serviceWorker.ready.then(async (found) => {
  await found.update();
  const fresh = found.installing || found.waiting;
  const over = () => ["activated", "redundant"].includes(fresh.state);
  if (fresh && !over()) await new Promise((done) => fresh.addEventListener("statechange", () => over() && done()));
  return fresh ? fresh.state : "none";
})"""
"""Looks for a new handbook, and waits until it is taken or given up; while pages are loaded a browser does not look."""
LOOK = """navigator.serviceWorker.ready.then((found) => {
  setInterval(() => found.update().catch(() => undefined), 300);
})"""
"""Looks for a new handbook, again and again: a look that was under way may have seen the one before."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and tells the test what it was asked for."""

    def log_message(self, *_):
        self.server.asked.put(self.path)

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")  # what is written in the same second would count as unchanged
        super().end_headers()


class Served:
    """Serves a folder at ``address`` until ``end``; ``asked`` are the paths that it was asked for."""

    def __init__(self, folder):
        self.server = ThreadingHTTPServer(("localhost", 0), functools.partial(Quiet, directory=str(folder)))
        self.asked = self.server.asked = queue.Queue()
        self.address = f"http://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def wait_until_asked(self, path):
        while self.asked.get(timeout=30) != path:
            pass

    def end(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()


@pytest.fixture
def served(tmp_path):
    """Serves ``tmp_path/site``."""
    found = Served(tmp_path / "site")
    yield found
    found.end()


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def site_of(folder, text):
    return build(sets.set_of(folder, text, ("en",)), drawn=False)


def test_the_worker_lists_every_page_script_and_style_of_its_language_by_its_digest(site):
    for language in ("en", "fr"):
        code = site.files[f"{language}/worker.js"].decode()
        listed = json.loads(re.search(r"const FILES = (\{.*?\});", code, re.DOTALL)[1])
        paths = {(f"{language}/{path}" if not path.startswith("../") else path[3:]): it for path, it in listed.items()}
        pages = {name for name in site.files if name.startswith(f"{language}/") and name.endswith(".html")}
        assert pages <= set(paths)
        assert {name for name in site.files if name.startswith("assets/")} <= set(paths)
        for path, digest in paths.items():
            assert hashlib.sha256(site.files[path]).hexdigest().startswith(digest), path


def test_the_app_says_what_it_is_in_its_language(site):
    told = json.loads(site.files["fr/app.webmanifest"])
    assert (told["lang"], told["dir"], told["start_url"]) == ("fr", "ltr", "index.html")
    assert told["name"].endswith("Guide de l’équipe")
    assert etree.fromstring(site.files["assets/icon.svg"]).tag.endswith("svg")


@pytest.mark.parametrize("name", ["<script>", "&", "", "\u202e", "ق", "東京"])
def test_an_icon_is_well_formed_for_any_name(name):
    etree.fromstring(icon_of(name))


def test_the_version_changes_with_a_page_and_only_then(tmp_path):
    one, same, other = (
        site_of(tmp_path / str(number), text).files["en/worker.js"] for number, text in enumerate(("A", "A", "B"))
    )
    assert one == same
    assert one != other


def test_once_read_the_handbook_is_there_without_a_network(page, served, tmp_path):
    address = served.address
    write(site_of(tmp_path / "set", "First"), tmp_path / "site")
    page.goto(f"{address}/en/index.html")
    assert page.evaluate(READY) in ("activating", "activated")
    served.end()
    page.goto(f"{address}/en/flows/care-guide.html#state-waiting")
    assert page.locator("#state-waiting").is_visible()
    assert page.locator("#start").is_hidden()
    page.goto(f"{address}/en/")
    assert "First" in page.locator("h1").inner_text()
    assert page.evaluate("getComputedStyle(document.querySelector('.flows')).display") == "grid"


def test_a_new_handbook_is_taken_whole_and_no_page_is_of_two_versions(page, served, tmp_path):
    address = served.address
    first, second = site_of(tmp_path / "a", "First"), site_of(tmp_path / "b", "Second")
    second.files["assets/handbook.css"] += b"\n/* second */\n"
    del second.files["en/worker.js"]
    second.files["en/worker.js"] = worker_of(second.files, "en").encode()
    write(first, tmp_path / "site")
    page.goto(f"{address}/en/index.html")
    page.evaluate(READY)
    page.reload()  # from now on it is given out by the worker
    write(second, tmp_path / "site")
    style = "fetch('../assets/handbook.css').then((answer) => answer.text())"
    assert page.evaluate(TAKEN) in ("activated", "none")
    assert "First" in page.locator("h1").inner_text()
    assert "second" not in page.evaluate(style)  # the page that is still being read stays of one version
    page.reload()
    assert "Second" in page.locator("h1").inner_text()
    assert "second" in page.evaluate(style)


def test_a_handbook_that_was_published_by_half_is_not_taken(page, served, tmp_path):
    address = served.address
    first, second = site_of(tmp_path / "a", "First"), site_of(tmp_path / "b", "Second")
    write(first, tmp_path / "site")
    page.goto(f"{address}/en/index.html")
    page.evaluate(READY)
    (tmp_path / "site/en/worker.js").write_bytes(second.files["en/worker.js"])
    (tmp_path / "site/en/index.html").write_bytes(second.files["en/index.html"])
    served.asked.queue.clear()
    page.evaluate(LOOK)
    served.wait_until_asked("/en/worker.js")
    served.wait_until_asked("/assets/icon.svg")
    page.reload()
    assert "First" in page.locator("h1").inner_text()
    served.end()
    page.goto(f"{address}/{PAGE}")
    assert "First" in page.locator("h1").inner_text()


def test_from_a_folder_there_is_neither_a_manifest_nor_a_worker(opened):
    page = opened("en/index.html")
    assert page.locator("link[rel=manifest]").count() == 0
