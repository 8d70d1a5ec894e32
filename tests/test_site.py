"""The documentation site in a browser. Set RNNZOO_SITE to the folder that sphinx-build wrote; skipped without it."""

import os
import re
import shutil
import urllib.parse
from pathlib import Path

import pytest

from rnnzoo.drawing import DARK, INK

SITE = Path(os.environ.get("RNNZOO_SITE", "no site"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = (
    "index.html",
    "functions.html",
    "members.html",
    "guides/export.html",
    "guides/own_members.html",
    "notebooks/start.html",
    "notebooks/gallery.html",
    "_members/cells/LSTM.html",
    "_members/structures/Banded.html",
)

pytestmark = pytest.mark.skipif(not SITE.is_dir(), reason="RNNZOO_SITE names no folder")


def test_every_member_has_a_page():
    import rnnzoo

    for kind in ("structures", "unrolls", "tasks"):
        for name in rnnzoo.members(kind):
            assert (SITE / "_members" / kind / f"{name}.html").is_file(), name
    for name in rnnzoo.members("cells"):
        assert any((SITE / "_members" / kind / f"{name}.html").is_file() for kind in ("cells", "wrappers")), name


def test_every_link_leads_somewhere():
    for page in SITE.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text("utf-8")):
            target = urllib.parse.urlsplit(link)
            if not target.scheme and not target.netloc and target.path:
                assert (page.parent / urllib.parse.unquote(target.path)).exists(), (page, link)


def test_the_gallery_has_its_pictures_in_light_and_dark():
    page = (SITE / "notebooks" / "gallery.html").read_text("utf-8")
    for shown in ("only-light", "only-dark"):
        found = re.findall(rf'<img alt="([^"]+)" class="{shown}" src="([^"]+)"', page)
        assert len({alt for alt, _ in found}) == 5, found
        for _, src in found:
            colours = (SITE / "notebooks" / src).read_text("utf-8")
            assert (INK in colours) == (shown == "only-light") and (DARK[INK] in colours) == (shown == "only-dark")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as p:
        found = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--allow-file-access-from-files"])
        yield found
        found.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_a_telephone_and_say_no_error(browser, name, scheme):
    page = browser.new_page(viewport={"width": 375, "height": 800}, color_scheme=scheme)
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((SITE / name).resolve().as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert not said
    page.close()


def test_search_finds_a_cell(browser):
    page = browser.new_page()
    page.goto((SITE / "search.html").resolve().as_uri() + "?q=IndRNN")
    page.wait_for_selector("ul.search li")
    assert any("IndRNN" in text for text in page.locator("ul.search li").all_inner_texts())
    page.close()


def test_what_treescope_shows_is_there_and_scrolls_by_itself(browser):
    page = browser.new_page(viewport={"width": 375, "height": 800})
    page.goto((SITE / "notebooks" / "start.html").resolve().as_uri())
    page.locator("treescope-container").first.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('treescope-container')].some(e => e.shadowRoot.textContent.includes('LSTM('))"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.close()
