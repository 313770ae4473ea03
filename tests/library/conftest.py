"""What holds for every test of the library."""

import pytest
from hypothesis import settings

# The same examples on every machine and in every run; a deadline would be an absolute time.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=40, database=None)
settings.load_profile("house")


@pytest.fixture
def pyplot(monkeypatch):
    """matplotlib's pyplot that draws off screen; `plt.show` is counted in `pyplot.shown`."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    monkeypatch.setattr(plt, "shown", shown, raising=False)
    yield plt
    plt.close("all")
