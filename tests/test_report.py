"""The report of a study: rows, comparisons, predictions, and the page."""

import html.parser
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from report_support import ACCURACY, NATS, WRONG_SUMS, lines, tiny, write

import rnnzoo
from rnnzoo.__main__ import command
from rnnzoo.drawing import DARK, dark
from rnnzoo.structures import Banded
from rnnzoo.study.plan import load_study
from rnnzoo.study.report import predictions
from rnnzoo.study.report.answer import read_text_file
from rnnzoo.study.report.compare import compare, comparisons, differs
from rnnzoo.study.report.figures import gradient, hero, memory
from rnnzoo.study.report.figures.matrix import structure_of
from rnnzoo.study.report.figures.memory import lines_of, longest
from rnnzoo.study.report.figures.pareto import time_of
from rnnzoo.study.report.figures.unit_map import parity_of
from rnnzoo.study.report.loading import load
from rnnzoo.study.report.predictions import Part, judge, part
from rnnzoo.study.report.rows import NotRunError, place_of
from rnnzoo.study.report.words import markup, number
from rnnzoo.study.table import checksum

ROOT = Path(__file__).parents[1]
PREDICTIONS = """# Predictions
## P1: addition
- **P1a** A band of 3 solves <addition> in all
  seeds. *(suggested)*
- **P1b** The moon.
- **P1c** The diagonal solves it, too.
- **P1d** Nobody checks this.

  This is no part of it.
"""
CHECKS = """
from rnnzoo.study.report import judge, part
def claim(t, name):
    return t[name].solved() == t[name].n, f"{t[name].solved()} of {t[name].n}"
checks = {
    "P1a": lambda t: judge([part(lambda: claim(t, "adam/gru/band 3"))]),
    "P1b": lambda t: judge([part(lambda: claim(t, "adam/gru/moon"))]),
    "P1c": lambda t: judge([part(lambda: claim(t, "adam/gru/diagonal")), part(lambda: claim(t, "adam/gru/moon"))]),
}
concerns = {"P1a": "adam/gru/band 3"}
"""
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(html.parser.HTMLParser):
    """What a page is made of. Tags have to nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.loads, self.ids, self.text, self.tags = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            if name in found and (tag != "a" or name != "href"):
                self.loads.append(found[name])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of tiny tables: the folder, the page as text and as parsed."""
    pytest.importorskip("jinja2")
    folder = tmp_path_factory.mktemp("report")
    (folder / "predictions.md").write_text(PREDICTIONS)
    (folder / "checks.py").write_text(CHECKS)
    args = ["--predictions", str(folder / "predictions.md"), "--checks", str(folder / "checks.py")]
    tables = list(map(str, tiny(folder)))
    assert command(["study", "report", *tables, "--out", str(folder / "out"), *args]) == 0
    text = (folder / "out/index.html").read_text()
    return folder, text, Page(text)


# ---- rows ----


def test_names_say_where_a_row_stands():
    place = place_of("real/digits rows/gru/band 3/equal params")
    assert (place.suite, place.task, place.cell, place.structure, place.budget) == (
        "real", "digits rows", "gru", "band 3", "equal params",
    )  # fmt: skip
    place = place_of("memory/adding T=100/lstm/dense")
    assert (place.kind, place.length, place.budget) == ("adding", 100, "")
    assert place_of("question/10k/dense").group == ("question", "addition 10k", "sigmoid", "")
    assert place_of("adam/gru/dense").task == "addition" and place_of("mine").structure == "mine"


def test_rows_have_medians_ranges_and_counts(tmp_path):
    values = lines("adam/gru/diagonal", [0.5, 0.0, 0.02, float("nan")], **WRONG_SUMS)
    row = load([write(tmp_path / "a.csv", values)])["adam/gru/diagonal"]
    assert row.median == pytest.approx(0.26)  # the seed that diverged is the worst of all
    assert (row.low, row.high, row.solved(), row.solved(4), row.n, row.diverged) == (0.0, 0.5, 1, 1, 4, 1)
    assert row.solved(8) is None and row.lengths == [1, 2, 4] and row.device.startswith("cpu")
    with pytest.raises(AttributeError):
        _ = row.moon


def test_seeds_of_a_row_may_stand_in_two_tables(tmp_path):
    one = write(tmp_path / "a.csv", lines("x/dense", [1.0], **ACCURACY))
    two = write(tmp_path / "b.csv", lines("x/dense", [0.5], seed=1, **ACCURACY))
    assert load([one, two])["X/Dense"].seeds == [0, 1]
    other = write(tmp_path / "c.csv", lines("x/dense", [0.5], seed=2, **ACCURACY | {"config": "ffff"}))
    for paths, message in [([one, one], "seed 0 twice"), ([one, other], "two configurations")]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            load(paths)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("test", "abc", "line 3: test is 'abc'; accepted: a number"),
        ("seed", "1.5", "line 3: seed is '1.5'; accepted: an integer"),
        ("better", "most", "line 3: better is 'most'; accepted: lower, higher"),
        ("test@2x", "x", "line 3: test@2x is 'x'"),
    ],
)
def test_a_bad_line_is_refused_by_its_number(tmp_path, column, value, message):
    values = lines("x/dense", [1.0, 1.0], **ACCURACY)
    values[1][column] = value
    with pytest.raises(rnnzoo.UsageError, match=re.escape(message)):
        load([write(tmp_path / "a.csv", values)])


def test_tables_that_are_none_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(rnnzoo.UsageError, match=r"a\.csv is not the table of a study: it lacks the column row"):
        load([tmp_path / "a.csv"])
    with pytest.raises(rnnzoo.UsageError, match="no results"):
        load([write(tmp_path / "b.csv")])
    with pytest.raises(NotRunError):
        load([write(tmp_path / "c.csv", lines("x/dense", [1.0], **ACCURACY))])["y/dense"]


# ---- comparisons ----


def rows_of(tmp_path, kind, **scores):
    table = write(tmp_path / "t.csv", *(lines(f"s/t/gru/{n}", v, **kind) for n, v in scores.items()))
    return [load([table])[f"s/t/gru/{name}"] for name in scores]


def test_verdicts_know_which_way_is_better(tmp_path):
    for kind, verdict in [(WRONG_SUMS, "worse"), (ACCURACY, "better")]:
        diagonal, dense = rows_of(tmp_path, kind, diagonal=[0.5, 0.51, 0.52], dense=[0.1, 0.11, 0.12])
        assert compare(diagonal, dense).verdict == verdict
    diagonal, dense = rows_of(tmp_path, ACCURACY, diagonal=[0.95, 0.951, 0.949], dense=[0.95, 0.95, 0.95])
    assert compare(diagonal, dense).words == "no difference within noise: difference [-0.001, 0.001]"
    diagonal, dense = rows_of(tmp_path, ACCURACY, diagonal=[0.9, 1.0, 0.8], dense=[0.9, 0.9, 0.9])
    assert "undecided: the interval [-0.1, 0.1] is wider than the margin" in compare(diagonal, dense).words


def test_squared_errors_are_compared_by_their_ratio(tmp_path):
    kind = ACCURACY | {"metric": "mse", "better": "lower"}
    diagonal, dense = rows_of(tmp_path, kind, diagonal=[0.03, 0.02, 0.01], dense=[0.02, 0.02, 0.02])
    verdict, low, high = differs(diagonal, dense)
    assert verdict == "no difference" and (low, high) == pytest.approx((0.5, 1.5))


def test_what_cannot_be_compared_says_why(tmp_path):
    diagonal, dense = rows_of(tmp_path, ACCURACY, diagonal=[0.5, float("nan")], dense=[0.5, 0.5])
    assert compare(diagonal, dense).words == "not compared: 1 of 2 seeds of diagonal diverged"
    diagonal, dense = rows_of(tmp_path, ACCURACY, diagonal=[0.5], dense=[0.5])
    assert compare(diagonal, dense).words == "not compared: 1 seeds in common"


def test_comparisons_are_with_dense_of_the_same_cell_and_adjusted(tmp_path):
    found = {c.row.name: c for c in comparisons(load(tiny(tmp_path)))}
    assert "adam/gru/dense" not in found and found["adam/gru/diagonal"].p == pytest.approx(1.0)
    assert found["question/10k/diagonal"].verdict == "worse" and not found["question/10k/diagonal"].informative
    assert found["real/jsb/gru/diagonal/equal params"].base.name == "real/jsb/gru/dense/equal H"
    assert "memory/delayed recall T=50/lru/diagonal" not in found


# ---- predictions ----


def test_judging_parts():
    right, wrong, open_, missing = (
        Part(True, "a"),
        Part(False, "b"),
        Part(None, "c"),
        Part(None, "no row x", run=False),
    )
    assert judge([right, right]) == ("right", "a; a")
    assert judge([right, wrong, missing])[0] == "wrong"
    assert judge([right, open_])[0] == judge([right, missing])[0] == "not decided"
    assert judge([missing, missing]) == ("not run", "no row x and 1 more")

    def claim():
        raise NotRunError("adam/x")

    assert part(claim) == Part(None, "no row adam/x", run=False)


def test_predictions_are_read_with_the_lines_that_go_on(tmp_path):
    (tmp_path / "p.md").write_text(PREDICTIONS)
    found = predictions.read_predictions(tmp_path / "p.md")
    assert [p.name for p in found] == ["P1a", "P1b", "P1c", "P1d"]
    assert found[0].text == "A band of 3 solves <addition> in all seeds. *(suggested)*"
    for text, message in [("- **A** x\n- **A** y\n", "has A twice"), ("# none\n", "has no line")]:
        (tmp_path / "q.md").write_text(text)
        with pytest.raises(rnnzoo.UsageError, match=message):
            predictions.read_predictions(tmp_path / "q.md")


@pytest.mark.parametrize(
    ("text", "message"),
    [("checks = 3", "defines checks = 3"), ("", "defines checks = None"), ("checks = {'P1a': 3}", "defines checks")],
)
def test_files_without_checks_are_refused(tmp_path, text, message):
    (tmp_path / "c.py").write_text(text)
    with pytest.raises(rnnzoo.UsageError, match=message):
        predictions.load_checks(tmp_path / "c.py")


@pytest.mark.parametrize(
    ("body", "message"),
    [("1 / 0", "ZeroDivisionError"), ("('maybe', '')", "the check of P1a gives"), ("None", "gives")],
)
def test_a_check_that_fails_is_named(tmp_path, body, message):
    (tmp_path / "c.py").write_text(f"checks = {{'P1a': lambda t: {body}}}")
    checks, _ = predictions.load_checks(tmp_path / "c.py")
    found = [predictions.Prediction("P1a", "", "")]
    with pytest.raises(rnnzoo.UsageError, match=message):
        predictions.outcomes(found, checks, load(tiny(tmp_path)), tmp_path / "c.py")


def test_every_prediction_of_the_study_has_a_check_that_runs(tmp_path):
    path = ROOT / "docs/study/predictions.py"
    checks, concerns = predictions.load_checks(path)
    wanted = predictions.read_predictions(ROOT / "docs/study/predictions.md")
    assert {p.name for p in wanted} == set(checks) and set(concerns) <= set(checks)
    found = {o.prediction.name: o for o in predictions.outcomes(wanted, checks, load(tiny(tmp_path)), path)}
    assert found["P6c"].verdict == "right" and found["P6c"].words.startswith("diagonal 8.51, dense 8.705")
    assert found["P1d"].verdict == "not decided" and found["P2a"].verdict == found["P7a"].verdict == "not run"
    assert found["P8b"].verdict in ("right", "wrong")  # from the measured times


# ---- words, figures ----


def test_numbers_and_markup():
    assert [number(x) for x in (0, 0.5, 0.12345, 8.4567, 12345.6, 1e-6, float("nan"))] == [
        "0", "0.5", "0.1235", "8.457", "12,346", "1.0e-06", "-",
    ]  # fmt: skip
    assert markup("a **b** *c* `d<` [e](https://f.org) [g](javascript:h)") == (
        'a <strong>b</strong> <em>c</em> <code>d&lt;</code> <a href="https://f.org">e</a> [g](javascript:h)'
    )


def test_a_text_has_an_answer_and_limits(tmp_path):
    (tmp_path / "answer.md").write_text("# Answer\n\nOne <b>.\n\nTwo\nlines.\n\n## What we cannot say\n\nMuch.\n")
    assert read_text_file(tmp_path / "answer.md") == (["One &lt;b&gt;.", "Two lines."], ["Much."])


def test_structures_are_read_without_running_code():
    assert structure_of("Banded(bandwidth=2)") == Banded(bandwidth=2)
    assert structure_of("Scaled(structure=Dense(), scale=0.95)") is not None
    for text in ("__import__('os').getcwd()", "Banded(1)", "Banded(bandwidth=-1)", "Nothing()", "", "(", "3"):
        assert structure_of(text) is None


def test_the_longest_length_that_most_seeds_solve(tmp_path):
    found = {key[1:3]: longest(rows) for key, rows in lines_of(load(tiny(tmp_path))).items()}
    assert found == {("gru", "dense"): (50, 100), ("lru", "diagonal"): (50, 50)}


def test_seconds_are_equal_where_a_step_takes_longer_and_is_done_less_often(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "TIMES", tmp_path / "times.csv")
    at = "memory/adding T={}/gru/{}"
    rows = [
        lines(at.format(t, "diagonal"), [0.01, 0.02, 0.03], **ACCURACY, solved_step=step)
        for t, step in ((50, 600), (100, 1800))
    ]
    line = lines_of(load([write(tmp_path / "t.csv", *rows)]))["adding", "gru", "diagonal", ""]
    assert memory.at_equal_seconds(line) is None  # nothing was timed
    for diagonal, found in ((2.0, (50, 100)), (1.5, (100, 100)), (9.0, (0, 100)), (0.9, None)):
        text = f"candidate,wall_ms\n{at.format(100, 'diagonal')},{diagonal}\n{at.format(100, 'dense')},1.0\n"
        (tmp_path / "times.csv").write_text(text)
        assert memory.at_equal_seconds(line) == found  # 3000 steps of the dense network


def test_times_are_those_of_the_nearest_measured_size(tmp_path):
    row = load([write(tmp_path / "t.csv", lines("s/t/gru/dense", [1.0], **NATS))])["s/t/gru/dense"]
    assert time_of(row, {("Dense()", 64): 1.0, ("Dense()", 1024): 9.0}) == 1.0
    assert time_of(row, {("Diagonal()", 64): 1.0}) is None


def test_gradients_are_drawn_for_the_networks_of_the_table_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    study = load_study(gradient.STUDY).rows
    names = [f"memory/adding T=50/{name}" for name in ("elman/diagonal", "gru/diagonal", "gru/band 3")]
    rows = [lines(name, [0.1, 0.2], **NATS, config=checksum(study[name])) for name in names]
    drawn = gradient.draw(load([write(tmp_path / "t.csv", *rows)]))
    assert drawn is not None
    assert [line["lag"] for line in drawn.data] == [*range(50)] * 3
    assert [line["gradient"] for line in drawn.data if line["lag"] == 0] == [1.0] * 3
    for line in drawn.data:
        assert 0 <= line["gradient"] < 10, line
    changed = [*rows[1:], lines(names[0], [0.1, 0.2], **NATS)]  # trained with other options
    assert gradient.draw(load([write(tmp_path / "u.csv", *changed)])) is None


def test_the_picture_of_the_readme_has_the_counts_of_the_table():
    tables = load([ROOT / "results/addition.csv"])
    drawn = hero.draw(tables)
    assert drawn is not None
    assert len(drawn.data) == 8 * 4
    for line in drawn.data:
        row = tables[line["row"]]
        assert (line["solved"], line["solved_longer"]) == (row.solved(), row.solved(4))
    assert "band 3 sigmoid 20, tanh 20, gru 20, lstm 20" in drawn.alt


def test_a_table_without_enough_structures_has_no_such_picture(tmp_path):
    assert hero.draw(load(tiny(tmp_path))) is None


def test_a_dark_picture_has_no_colour_of_the_light_one():
    assert dark(" ".join(DARK)) == " ".join(DARK.values())
    assert not set(DARK) & set(DARK.values())


def test_one_diagonal_gru_unit_computes_parity():
    bits = np.random.default_rng(0).integers(0, 2, 10_000)
    np.testing.assert_allclose(parity_of(bits), bits.cumsum() % 2, atol=0.01)


# ---- the page ----


def test_the_page_has_every_row_and_prediction(report):
    folder, text, page = report
    shown = "".join(page.text)
    for row in load(tiny(folder)):
        assert row.name in shown
    assert shown.count("adam/gru/diagonal") >= 2  # beside the dense one, and in its table
    for name, verdict, words in [
        ("P1a", "right", "4 of 4"), ("P1b", "not run", "no row adam/gru/moon"), ("P1c", "wrong", "3 of 4"),
        ("P1d", "not decided", "has no check of P1d"),
    ]:  # fmt: skip
        line = re.search(rf'<tr id="{name}">.*?</tr>', text, re.S)
        assert line and words in line[0] and re.search(rf'class="verdict[^"]*">{verdict}<', line[0])
    assert "A band of 3 solves &lt;addition&gt; in all seeds. <em>(suggested)</em>" in text
    assert "8.5 [8.4" not in shown and "8.51 [8.5, 8.52]" in shown and "3 of 4" in shown
    order = [text.index(f'id="{name}"') for name in ("figures", "predictions", "published", "limits", "tables")]
    assert order == sorted(order)


def test_the_page_loads_nothing_from_elsewhere(report):
    _, text, page = report
    assert all(at.startswith(("#", "data:")) for at in page.loads), page.loads
    assert not re.search(r"url\((?!#)|@import", text) and len(set(page.ids)) == len(page.ids)
    assert page.tags.count("svg") == 6 and "DOCTYPE html" in text[:20]
    assert page.tags.count("title") == 7 and page.tags.count("desc") == 6
    assert {"var(--ink)", "var(--s0)"} <= set(re.findall(r"var\(--\w+\)", text))


def test_the_folder_has_figures_and_medians(report):
    folder, _, _ = report
    for name in ("question", "heat", "real", "memory", "pareto", "unit"):
        picture = folder / "out/figures" / name
        assert picture.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert "<text" in picture.with_suffix(".svg").read_text()  # text stays text
        assert len(picture.with_suffix(".csv").read_text().splitlines()) > 1
    medians = (folder / "out/rows.csv").read_text().splitlines()
    assert len(medians) == 12 and medians[0].startswith("row,file,metric,median,min,max,solved,seeds")


def test_a_report_is_replaced_and_nothing_else(report, tmp_path, capsys, monkeypatch):
    folder, _, _ = report
    monkeypatch.setattr("rnnzoo.study.report.make.FIGURES", ())
    out, table = tmp_path / "out", str(folder / "others.csv")
    out.mkdir()
    (out / "answer.md").write_text("Nobody knows.")
    args = ["study", "report", table, "--out", str(out), "--predictions", str(folder / "predictions.md")]
    args += ["--checks", str(folder / "checks.py")]
    assert command(args) == command(args) == 0
    assert "<p>Nobody knows.</p>" in (out / "index.html").read_text()
    assert (out / "answer.md").read_text() == "Nobody knows."
    (out / "index.html").write_text("<p>mine</p>")
    with pytest.raises(rnnzoo.UsageError, match="was not made by this command"):
        command(args)
    assert (out / "index.html").read_text() == "<p>mine</p>"
    capsys.readouterr()


def test_what_the_command_refuses(report, tmp_path, monkeypatch):
    folder, _, _ = report
    table = str(folder / "others.csv")
    (tmp_path / "file").write_text("")
    for args, message in [
        (["--out", str(tmp_path)], "TABLE is missing"),
        ([table], "--out is missing"),
        ([table, "--out", str(tmp_path), "--text", str(tmp_path / "no.md")], "no file '.*no.md'"),
        ([str(tmp_path / "no.csv"), "--out", str(tmp_path)], "cannot read"),
    ]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            command(["study", "report", *args])
    monkeypatch.setattr("rnnzoo.study.report.make.FIGURES", ())
    with pytest.raises(rnnzoo.UsageError, match="which is a file"):
        command(["study", "report", table, "--out", str(tmp_path / "file")])
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(rnnzoo.UsageError, match=r"pip install 'rnnzoo\[report\]'"):
        command(["study", "report", table, "--out", str(tmp_path / "out")])
