from __future__ import annotations

import pytest

from engine.interop.prompt_weights import parse
from ui.generate.weights import step_weight


def stepped(text: str, marked: str, up: bool, times: int = 1) -> tuple[str, str]:
    """``text`` after the weight of ``marked`` was stepped, and what is selected then."""
    start = text.index(marked)
    end = start + len(marked)
    for _ in range(times):
        edit = step_weight(text, start, end, up)
        if edit is None:
            break
        text = text[: edit.start] + edit.text + text[edit.end :]
        start, end = edit.select_from, edit.select_from + edit.selected
    return text, text[start:end]


@pytest.mark.parametrize(
    ("text", "marked", "up", "times", "expected"),
    [
        ("a red apple", "red apple", True, 1, "a (red apple:1.05)"),
        ("a red apple", "red apple", True, 4, "a (red apple:1.2)"),
        ("a red apple", "red", False, 2, "a (red:0.9) apple"),
        ("a (red:1.05) apple", "red", False, 1, "a red apple"),
        ("a (red:1.05) apple", "(red:1.05)", True, 1, "a (red:1.1) apple"),
        ("a  red  apple", "  red  ", True, 1, "a  (red:1.05)  apple"),
        ("x", "x", True, 1000, "(x:10)"),
        ("x", "x", False, 1000, "(x:0)"),
    ],
)
def test_stepping(text: str, marked: str, up: bool, times: int, expected: str) -> None:
    made, selected = stepped(text, marked, up, times)
    assert made == expected and selected == marked.strip("( :)0123456789.") if "x" not in text else made == expected


def test_without_a_selection_the_word_at_the_cursor_is_weighed() -> None:
    edit = step_weight("a red apple", 3, 3, True)
    assert edit is not None and (edit.start, edit.end, edit.text) == (2, 5, "(red:1.05)")
    assert step_weight("a  , b", 2, 2, True) is None


def test_unbalanced_parentheses_are_left_alone() -> None:
    assert step_weight("(a b", 0, 4, True) is None


def test_what_is_written_is_what_the_engine_reads() -> None:
    made, _ = stepped("a red apple", "red apple", True, 4)
    assert [(piece.text, piece.weight) for piece in parse(made)] == [("a ", 1.0), ("red apple", 1.2)]
