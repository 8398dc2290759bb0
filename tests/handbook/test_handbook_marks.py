"""What has been read of the changes, in a real browser: marks that a browser keeps, and a count on the first page."""

from __future__ import annotations

import handbook_sets as sets
import pytest

from carepolicy.handbook import build, write


@pytest.fixture
def news(browser, tmp_path):
    """Opens pages of a handbook that tells what changed since an older set; all of one context, as one person's."""
    old, new = sets.set_of(tmp_path / "old", "Before"), sets.set_of(tmp_path / "new", "After")
    write(build(new, drawn=False, since=old), tmp_path / "site")
    context, said = browser.new_context(), []

    def open_page(path):
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((tmp_path / "site" / path).as_uri())
        return page

    yield open_page
    context.close()
    assert said == []


def test_the_first_page_counts_what_is_unread_and_marks_survive_a_reload(news):
    home = news("en/index.html")
    count = home.locator(".unread a")
    assert count.inner_text() == "2 changes to read"
    count.click()
    home.wait_for_url("**/changes.html")
    mark = home.get_by_role("checkbox", name="I have read it: After")
    assert not mark.is_checked()
    assert home.locator(".unread-tag:visible").count() == 2
    mark.check()
    assert home.locator(".unread a").inner_text() == "1 change to read"
    home.reload()
    assert home.get_by_role("checkbox", name="I have read it: After").is_checked()
    assert home.locator(".unread-tag:visible").count() == 1
    assert news("en/index.html").locator(".unread a").inner_text() == "1 change to read"
    mark = news("fr/flows/care.html").get_by_role("checkbox")
    assert mark.is_checked()
    mark.uncheck()
    assert news("en/index.html").locator(".unread a").inner_text() == "2 changes to read"


def test_all_is_marked_as_read_with_one_button(news):
    home = news("en/index.html")
    home.get_by_role("button", name="Mark all as read").click()
    assert home.locator(".unread a").inner_text() == "You have read all of it."
    assert not home.locator(".unread button").is_visible()
    changes = news("en/changes.html")
    assert all(each.is_checked() for each in changes.get_by_role("checkbox").all())
    assert "kept in this browser alone" in changes.locator("main").inner_text()


def test_without_scripts_the_changes_are_there_and_no_mark(browser, tmp_path):
    old, new = sets.set_of(tmp_path / "old", "Before"), sets.set_of(tmp_path / "new", "After")
    write(build(new, drawn=False, since=old), tmp_path / "site")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "site/en/changes.html").as_uri())
    assert page.get_by_text("was “Before”").first.is_visible()
    assert page.get_by_role("checkbox").count() == 0
    context.close()
