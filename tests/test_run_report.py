"""``rnnzoo report RUN_DIR``: one page, complete by itself."""

import dataclasses
import json
import re

import pytest
from browser_support import check_telephone_and_themes, opened

import rnnzoo
from rnnzoo import UsageError, cells, structures, tasks
from rnnzoo.__main__ import command
from rnnzoo.config import Config

pytest.importorskip("jinja2")

CONFIG = Config(
    task=tasks.BinaryAddition(bits=4),
    cell=cells.GRU(hidden_size=4, structure=structures.Banded(bandwidth=1)),
    steps=4,
    log_every=1,
    eval_every=2,
    seeds=2,
    devices="one",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run <1>"
    rnnzoo.train(CONFIG, folder, progress=False)
    assert command(["report", str(folder)]) == 0
    return folder


def test_the_page_says_what_was_trained_and_what_came_out(run, capsys):
    page = (run / "report.html").read_text("utf-8")
    final = json.loads((run / "final.json").read_text())
    assert "<h1>GRU, 4 units, U Banded</h1>" in page and "BinaryAddition(bits=4), wrong sums (lower is better)" in page
    assert f"{final['params']:,} parameters" in page
    score = final["metrics"]["wrong_sums"]
    assert f'<td class="n">{score["median"]:.4g} [{score["min"]:.4g}, {score["max"]:.4g}]</td>' in page
    for name, value in final["baseline"].items():
        assert f'<td>baseline {name.replace("_", " ")}</td><td class="n">{value:.4g}</td>' in page
    assert "not solved" in page or "Solved by" in page
    assert final["versions"]["jax"] in page and final["device"] in page
    assert page.count("<svg") == 2 and "gate z (update)" in page and "validation wrong sums" in page
    assert "rnnzoo train " in page and "&#34;bits&#34;: 4" in page
    assert "run <1>" not in page and "run &lt;1&gt;" in page  # what is no HTML does not become it


def test_the_page_asks_for_nothing(run):
    page = (run / "report.html").read_text("utf-8")
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page.replace('xlink:href="data:', 'data="'))
    assert "@import" not in page and "url(http" not in page


def test_a_report_is_made_again_and_nothing_else_is_overwritten(run, tmp_path, capsys):
    assert command(["report", str(run), "--out", str(tmp_path / "a.html")]) == 0
    assert command(["report", str(run), "--out", str(tmp_path / "a.html")]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'a.html'}\n" * 2
    (tmp_path / "mine.html").write_text("mine")
    for name, message in {
        "mine.html": "exists and was not made by this command",
        "a.txt": r"accepted: a name that ends in \.html",
        "nowhere/a.html": "there is no folder",
    }.items():
        with pytest.raises(UsageError, match=message):
            command(["report", str(run), "--out", str(tmp_path / name)])
    with pytest.raises(UsageError, match="no run folder"):
        command(["report", str(tmp_path / "nothing")])


def test_an_unfinished_run_of_a_cell_without_u_has_a_page(tmp_path, capsys):
    config = dataclasses.replace(CONFIG, cell=cells.MinGRU(hidden_size=4), seeds=1)

    def stop(line):
        if line["step"] == 3:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        rnnzoo.train(config, tmp_path / "run", progress=False, callbacks=[stop])
    assert command(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "Not complete: step 3 of 4" in page and "newest validation" in page
    assert "Not drawn: the cell of" in page and page.count("<svg") == 1


def test_without_its_data_a_run_has_a_page_that_says_so(tmp_path, capsys):
    file = tmp_path / "text.txt"
    file.write_text("a line of text, and one more line, too\n" * 60)
    config = dataclasses.replace(CONFIG, task=tasks.CharLM(path=str(file), length=8), batch_size=4)
    rnnzoo.train(config, tmp_path / "run", progress=False)
    file.unlink()
    assert command(["report", str(tmp_path / "run")]) == 0
    assert "the report says less of the network: " in capsys.readouterr().err
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "Not drawn: " in page and page.count("<svg") == 1 and "baseline trigram" in page


def test_the_page_works_in_a_browser(browser, run):
    page, said, asked = opened(browser, (run / "report.html").as_uri(), 1280)
    assert all(page.locator("figure svg").nth(i).bounding_box()["height"] > 50 for i in range(2))
    config = page.locator("pre", has_text="configs.Config")
    assert not config.is_visible()
    page.locator("summary", has_text="config.json").click()
    assert json.loads(config.inner_text())["lr"] == CONFIG.lr
    assert said == [] and [at for at in asked if not at.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_telephone_and_has_two_themes(browser, run, scheme):
    check_telephone_and_themes(browser, (run / "report.html").as_uri(), scheme)
