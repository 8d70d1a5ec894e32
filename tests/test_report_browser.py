"""The page of a report in a browser. Needs Chromium and `pip install playwright`, and is skipped without them."""

import os
import shutil

import pytest
from report_support import tiny

from rnnzoo.__main__ import command
from rnnzoo.study.report.figures import FIGURES

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def address(tmp_path_factory, monkeypatch_module):
    pytest.importorskip("jinja2")
    folder = tmp_path_factory.mktemp("report")
    tables = list(map(str, tiny(folder)))
    monkeypatch_module.setattr("rnnzoo.study.report.make.FIGURES", [f for f in FIGURES if f.name in ("heat", "unit")])
    assert command(["study", "report", *tables, "--out", str(folder / "out")]) == 0
    return (folder / "out/index.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        root = hasattr(os, "geteuid") and os.geteuid() == 0  # for whom Chromium has no sandbox
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if root else [])
        yield found
        found.close()


def opened(browser, address, width, scheme="light"):
    """The page, and what it complained about and asked for."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    return page, said, asked


def test_the_page_works(browser, address):
    page, said, asked = opened(browser, address, 1280)
    assert page.locator("figure svg").count() == 2
    assert all(page.locator("figure svg").nth(i).bounding_box()["height"] > 50 for i in range(2))
    rows = "#table-1 tbody tr"
    names = page.locator(f"{rows} td:first-child").all_inner_texts()
    head = page.locator("#table-1 th", has_text="median [min, max]")
    head.locator("button").focus()
    page.keyboard.press("Enter")  # sorts without a mouse
    medians = [float(cell.get_attribute("data-v")) for cell in page.locator(f"{rows} td:nth-child(3)").all()]
    assert head.get_attribute("aria-sort") == "ascending" and medians == sorted(medians)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert page.locator(f"{rows} td:first-child").all_inner_texts() != names
    page.locator("#table-1-filter").fill("adam BAND")
    assert page.locator(f"{rows}:visible").count() == 1
    assert page.locator('[data-for="table-1"] output').inner_text() == f"1 of {len(names)}"
    assert said == [] and [at for at in asked if not at.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_telephone_and_has_two_themes(browser, address, scheme):
    page, said, _ = opened(browser, address, 375, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    paper = "getComputedStyle(document.body).backgroundColor"
    first = page.evaluate(paper)
    page.locator("button.theme").click()
    second = page.evaluate(paper)
    assert {first, second} == {"rgb(254, 254, 252)", "rgb(22, 24, 27)"}
    assert (first == "rgb(22, 24, 27)") == (scheme == "dark")
    ink = page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")
    assert ink != ("rgb(29, 32, 37)" if second == "rgb(22, 24, 27)" else "rgb(230, 228, 222)")
    assert said == []
    page.close()
