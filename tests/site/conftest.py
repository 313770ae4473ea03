"""What the tests of the site share."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "_config")]  # books; extensions

from books import Book  # noqa: E402


@pytest.fixture(scope="module")
def new_book(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Book]:
    """Begin an empty book beside an empty library."""

    def begin() -> Book:
        book = Book(tmp_path_factory.mktemp("house"))
        book.library()
        return book

    return begin
