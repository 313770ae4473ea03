"""Exercises answer back: a check, a stub to fill in, a solution that shows what the check is worth.

That all cells run is the build's affair. Here the pages are read: a check that accepted everything
would run as well.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import yaml
from books import CHAPTERS, HOUSE

SECTION = re.compile(r"^## Exercises\n(.*?)(?=^## |\Z)", re.M | re.S)
BLOCK = re.compile(r"^(`{3,}|:{3,})\{([\w-]+)\} *(.*?)\n(.*?)^\1$", re.M | re.S)
HEAD = re.compile(r"---\n(.*?)^---\n|((?::[^\n]*\n)+)", re.M | re.S)
ORDER = re.compile(r"task check answer (words )?solution")


def hidden(what: str) -> dict[str, object]:
    prompts = {"code_prompt_show": f"Show the {what}", "code_prompt_hide": f"Hide the {what}"}
    return {"tags": ["hide-cell", what], "mystnb": prompts}


HEADS = {
    "check": hidden("check"),
    "answer": {"tags": ["answer"]},
    "solution": hidden("solution"),
}


@dataclass
class Exercise:
    """The kinds of its blocks in order, and of its cells by kind the heads and the code."""

    title: str = "before the first exercise"
    kinds: list[str] = field(default_factory=list)
    heads: dict[str, dict[str, object]] = field(default_factory=dict)
    cells: dict[str, ast.Module] = field(default_factory=dict)

    def cell(self, kind: str) -> ast.Module:
        return self.cells.get(kind, ast.Module([], []))

    @property
    def check(self) -> str:
        """The name of the function that the first cell defines."""
        functions = [x for x in self.cell("check").body if isinstance(x, ast.FunctionDef)]
        names = [x.name for x in functions if [arg.arg for arg in x.args.args] == ["answer"]]
        return names[-1] if names else ""


def exercises(page: str) -> list[Exercise]:
    """Read the exercises of a page; blocks that stand before the first make one without a task."""
    found = [Exercise()]
    (section,) = SECTION.findall(page)
    for _, name, title, body in BLOCK.findall(section):
        if name == "admonition" and title.startswith("Exercise "):
            found.append(Exercise(title, ["task"]))
        elif name == "code-cell":
            head = HEAD.match(body)
            lines = head[1] or re.sub("^:", "", head[2], flags=re.M) if head else "{}"
            given = yaml.safe_load(lines)
            kind = next(iter(HEADS.keys() & given.get("tags", [])), "cell")
            found[-1].kinds.append(kind)
            found[-1].heads[kind] = given
            found[-1].cells[kind] = ast.parse(body[head.end() :] if head else body)
        else:
            found[-1].kinds.append("words" if title == "Solution, in words" else name)
    return [exercise for exercise in found if exercise.kinds]


# What may be wrong with an exercise


def parts(exercise: Exercise) -> Iterator[str]:
    """Say which part is missing, too many, or shown in another way."""
    if not ORDER.fullmatch(" ".join(exercise.kinds)):
        yield f"its parts are {' '.join(exercise.kinds)}"
    for kind, head in exercise.heads.items():
        if head != HEADS.get(kind):
            yield f"the head of its {kind} is {head}"


def judge(exercise: Exercise) -> Iterator[str]:
    """Say what the check lacks."""
    body = exercise.cell("check").body
    function = next((x for x in body if getattr(x, "name", "") == exercise.check), None)
    if function is None or not exercise.check.startswith("check_"):
        yield "its first cell defines no check_NAME(answer)"
    else:
        if not re.fullmatch(r".+", ast.get_docstring(function) or ""):
            yield "its check has no docstring of one line"
        texts = [x.value for x in ast.walk(function) if isinstance(x, ast.Constant)]
        if not [x for x in texts if isinstance(x, str) and x.startswith("Your turn: ")]:
            yield "its check has no hint for who has not begun"


def stub(exercise: Exercise) -> Iterator[str]:
    """Say why the stub would print no hint."""
    body = exercise.cell("answer").body
    name = exercise.check.removeprefix("check_")
    begins = body and (
        ast.unparse(body[0]) == f"{name} = ..."
        or (
            isinstance(body[0], ast.FunctionDef)
            and body[0].name == name
            and ast.unparse(body[0].body) == "return ..."
        )
    )
    if not begins:
        yield f"its stub does not leave {name} open"
    if [ast.unparse(x) for x in body[1:]] != [f"print(check_{name}({name}) or 'Right.')"]:
        yield f"its stub does not print what check_{name} says"


def proof(exercise: Exercise) -> Iterator[str]:
    """Say what the solution leaves unproven."""
    asserted = [x.test for x in ast.walk(exercise.cell("solution")) if isinstance(x, ast.Assert)]
    claims = [
        claim
        for test in asserted
        for claim in (test.values if isinstance(test, ast.BoolOp) else [test])
    ]
    right, wrong = set(), set()
    for claim in claims:
        match claim:
            case ast.Compare(left=call, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
                right |= asked(call, exercise.check)
            case ast.Compare(left=ast.Constant(), ops=[ast.In()], comparators=[call]):
                wrong |= asked(call, exercise.check)
            case call:
                wrong |= asked(call, exercise.check)
    if not right:
        yield "its solution does not assert that the check accepts it"
    if not wrong:
        yield "its solution does not assert that the check refuses a wrong answer"


def asked(call: ast.expr, check: str) -> set[str]:
    """Return the answer that a call hands to the check."""
    match call:
        case ast.Call(func=ast.Name(id=name), args=[answer]) if name == check:
            return {ast.unparse(answer)}
    return set()


def faults(page: str) -> list[str]:
    """Say all that is wrong with the exercises of a page."""
    return [
        f"{exercise.title}: {fault}"
        for exercise in exercises(page)
        for find in (parts, judge, stub, proof)
        for fault in find(exercise)
    ]


# The pages

PAGES = {file.stem: file.read_text(encoding="utf-8") for file in (HOUSE / "book").glob("*.md")}
PAGES = {name: text for name, text in sorted(PAGES.items()) if SECTION.search(text)}
ALL = [
    pytest.param(exercise, id=f"{name}-{exercise.title.replace(' ', '-')}")
    for name, text in PAGES.items()
    for exercise in exercises(text)
]


def test_every_chapter_has_exercises():
    assert set(CHAPTERS) <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_chapter_has_two_exercises_or_more_and_they_are_numbered(name):
    titles = [exercise.title for exercise in exercises(PAGES[name])]
    assert len(titles) >= 2
    assert titles == [f"Exercise {number + 1}" for number in range(len(titles))]


@pytest.mark.parametrize("name", PAGES)
def test_no_two_exercises_of_a_page_share_a_check(name):
    checks = [exercise.check for exercise in exercises(PAGES[name])]
    assert len(set(checks)) == len(checks)


@pytest.mark.parametrize("exercise", ALL)
def test_an_exercise_has_a_task_a_check_a_stub_and_a_solution(exercise):
    assert list(parts(exercise)) == []


@pytest.mark.parametrize("exercise", ALL)
def test_a_check_takes_an_answer_and_has_a_hint_for_who_has_not_begun(exercise):
    assert list(judge(exercise)) == []


@pytest.mark.parametrize("exercise", ALL)
def test_a_stub_prints_a_hint(exercise):
    assert list(stub(exercise)) == []


@pytest.mark.parametrize("exercise", ALL)
def test_a_check_accepts_the_solution_and_refuses_a_wrong_answer(exercise):
    assert list(proof(exercise)) == []


# These tests can fail

SOUND = """\
## Exercises

:::{admonition} Exercise 1
Which number is even? The name `even` gets one.
:::

```{code-cell} ipython3
---
tags: [hide-cell, check]
mystnb:
  code_prompt_show: Show the check
  code_prompt_hide: Hide the check
---
def check_even(answer):
    \"\"\"Return a hint, or None if two divide `answer`.\"\"\"
    if not isinstance(answer, int):
        return "Your turn: even is a number."
    return "It is odd." if answer % 2 else None
```

```{code-cell} ipython3
---
tags: [answer]
---
even = ...  # a number

print(check_even(even) or "Right.")
```

```{code-cell} ipython3
---
tags: [hide-cell, solution]
mystnb:
  code_prompt_show: Show the solution
  code_prompt_hide: Hide the solution
---
assert check_even(4) is None
assert "odd" in check_even(3)
```

## What to remember
"""


@pytest.mark.parametrize(
    "same",
    [
        ('assert "odd" in check_even(3)', "for wrong in 3, 5:\n    assert check_even(wrong)"),
        ("assert check_even(4) is None", "assert 4 > 3 and check_even(4) is None"),
        ("even = ...  # a number", "def even(n):\n    return ...  # a number"),
    ],
)
def test_a_sound_exercise_has_no_faults(same):
    assert faults(SOUND) == faults(SOUND.replace(*same)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('assert "odd" in check_even(3)\n', "", "refuses a wrong answer"),
        ("in check_even(3)", "in check_odd(3)", "refuses a wrong answer"),
        ("check_even(4) is None", "4 % 2 == 0", "accepts it"),
        ("check_even(4) is None", "check_even(4) is not None", "accepts it"),
        ("tags: [answer]", "tags: []", "its parts are task check cell solution"),
        ("Show the check", "Look", "the head of its check"),
        ("[hide-cell, check]", "[check]", "the head of its check"),
        (":::{admonition} Exercise 1", ":::{note}", "its parts are note check answer solution"),
        ("def check_even(answer)", "def even_numbers(answer)", "no check_NAME"),
        ("def check_even(answer)", "def check_even(a, b)", "no check_NAME"),
        ("if two divide `answer`.", "\n\n    if two divide it.", "no docstring of one line"),
        ("Your turn", "Well", "no hint for who has not begun"),
        ("even = ...", "even = 4", "does not leave even open"),
        ('(even) or "Right."', "(even)", "does not print what check_even says"),
    ],
)
def test_a_fault_is_reported(old, new, fault):
    assert old in SOUND
    assert any(fault in said for said in faults(SOUND.replace(old, new)))
