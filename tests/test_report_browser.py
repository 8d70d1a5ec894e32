"""The page of a study's report in a browser."""

import pytest
from browser_support import check_telephone_and_themes, opened
from report_support import tiny

from rnnzoo.__main__ import command
from rnnzoo.study.report.figures import FIGURES


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
    check_telephone_and_themes(browser, address, scheme)
