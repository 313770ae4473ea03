"""Pictures show what they were given, in the book's colours."""

import subprocess
import sys

import pytest
import torch

import gdla
from gdla import plots


@pytest.fixture
def solution():
    return gdla.minimize(lambda x: (x - 3).square().sum(), torch.zeros(2))


def test_importing_the_library_does_not_import_matplotlib():
    code = "import sys, gdla; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib_the_remedy_is_named():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "try: import gdla.plots\n"
        "except ImportError as error: sys.exit('gdla[plots]' not in str(error))\n"
        "sys.exit(1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_convergence_draws_a_line_for_each_run(pyplot, solution):
    runs = {"plain": [1.0, 0.5, 0.25], "mine": solution, "records": solution.history}
    plots.convergence(runs, methods={"mine": "adam"})
    (ax,) = pyplot.shown[0].axes
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == list(runs)
    assert lines["plain"].get_color() == plots.COLOURS["plain"]
    assert lines["mine"].get_color() == plots.COLOURS["adam"]
    assert list(lines["mine"].get_ydata()) == [record.loss for record in solution.history]
    assert ax.get_yscale() == "log"


def test_the_predicted_slope_stands_beside_the_run(pyplot):
    plots.convergence({"plain": [0.5**k for k in range(30)]}, predicted={"plain": 0.5})
    _, slope = pyplot.shown[0].axes[0].get_lines()
    (x0, x1), (y0, y1) = slope.get_xdata(), slope.get_ydata()
    assert (y1 / y0) ** (1 / (x1 - x0)) == pytest.approx(0.5)
    assert y0 > 0.5**x0  # above it, not on it


def test_a_landscape_shows_its_paths(pyplot):
    path = [torch.tensor([0.9, 0.8]), torch.tensor([0.1, -0.2])]
    plots.landscape(lambda x: (x * x).sum(), {"momentum": path})
    (ax,) = pyplot.shown[0].axes
    (line,) = ax.get_lines()
    assert line.get_xdata().tolist() == pytest.approx([0.9, 0.1])
    assert line.get_ydata().tolist() == pytest.approx([0.8, -0.2])
    assert line.get_color() == plots.COLOURS["momentum"]


def test_a_level_line_lies_where_the_loss_has_that_level(pyplot):
    plots.landscape(lambda x: (x * x).sum())
    (lines,) = pyplot.shown[0].axes[0].collections
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        # Between the points of the grid, 1/60 apart, the lines are straight.
        assert (path.vertices**2).sum(axis=1) == pytest.approx(level, abs=1e-3)
    assert sum(len(path.vertices) > 0 for path in lines.get_paths()) > 10


def test_a_landscape_without_paths_has_no_legend(pyplot):
    plots.landscape(lambda x: (x * x).sum())
    assert pyplot.shown[0].axes[0].get_legend() is None


def test_matrices_show_their_entries_on_one_scale(pyplot):
    pictures = {"A": torch.eye(2), "B": -3 * torch.eye(3)}
    plots.matrices(pictures)
    images = [ax.get_images()[0] for ax in pyplot.shown[0].axes]
    assert [image.get_clim() for image in images] == [(-3.0, 3.0)] * 2
    assert [image.get_array().tolist() for image in images] == [
        A.tolist() for A in pictures.values()
    ]


def test_zero_is_clear_and_signs_differ(pyplot):
    plots.matrices({"A": torch.tensor([[-2.0, 0.0, 2.0, -0.5]])})
    (image,) = pyplot.shown[0].axes[0].get_images()
    below, zero, above, little = image.to_rgba(image.get_array())[0]
    assert zero[3] < 0.01 < little[3] < below[3] == above[3] == 1
    assert below[2] > below[0]
    assert above[0] > above[2]


def test_one_zero_matrix_can_be_drawn(pyplot):
    plots.matrices({"zero": torch.zeros(2, 2)})
    assert pyplot.shown[0].axes[0].get_title() == "zero"


def test_every_method_has_a_colour_and_a_dash_of_its_own():
    assert plots.COLOURS.keys() == plots.DASHES.keys()
    assert len(set(plots.COLOURS.values())) == len(plots.COLOURS)
    assert len(set(map(str, plots.DASHES.values()))) == len(plots.DASHES)


def test_runs_of_one_method_share_its_colour_and_differ_by_dash(pyplot):
    runs = {"momentum": [1.0, 0.5], "best momentum": [1.0, 0.4], "Nesterov": [1.0, 0.3]}
    family = dict.fromkeys(("best momentum", "Nesterov"), "momentum")
    plots.convergence(runs, methods=family)
    lines = pyplot.shown[0].axes[0].get_lines()
    assert {line.get_color() for line in lines} == {plots.COLOURS["momentum"]}
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(runs)


def test_what_is_no_method_has_no_method_s_colour(pyplot):
    plots.convergence({"M1": [1.0, 0.5], "M2": [1.0, 0.4], "M3": [1.0, 0.3]})
    lines = pyplot.shown[0].axes[0].get_lines()
    assert not {line.get_color() for line in lines} & set(plots.COLOURS.values())
    looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}
    assert len(looks) == len(lines)


def test_a_run_can_be_drawn_against_seconds_on_two_log_axes(pyplot, solution):
    plots.convergence({"lbfgs": solution}, against="seconds", log=True)
    (ax,) = pyplot.shown[0].axes
    (line,) = ax.get_lines()
    later = solution.history[1:]  # zero has no logarithm
    assert list(line.get_xdata()) == [record.seconds for record in later]
    assert list(line.get_ydata()) == [record.loss for record in later]
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel()) == ("log", "log", "seconds")


@pytest.mark.parametrize(("against", "remedy"), [("seconds", "history"), ("hours", "'step'")])
def test_what_cannot_be_drawn_against_names_the_remedy(pyplot, against, remedy):
    with pytest.raises(ValueError, match=remedy):
        plots.convergence({"plain": [1.0, 0.5]}, against=against)
