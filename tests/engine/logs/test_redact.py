import logging

import pytest

from engine.logs.bounded import tail, trim
from engine.logs.redact import RedactingFormatter, redact
from engine.logs.report import Circumstances, compose, keep, plan_of, prompts_of
from engine.protocol.recipe import Recipe

TOKEN = "hf_" + "AbCdEfGhIjKlMnOp"
RECIPE = Recipe(
    family="sd35", model="mini", prompt="my secret garden", negative_prompt="weeds and snails", width=512, steps=9
)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"using {TOKEN}.",
        f"Authorization: Bearer {TOKEN}",
        "authorization: Bearer abcdefgh12345",
        "token=abcdefgh12345",
        "HF_TOKEN='abcdefgh12345'",
        '{"access_token": "abcdefgh12345"}',
        "password: abcdefgh12345",
        "https://cdn.example/file?X-Amz-Signature=abcdefgh12345&x=1",
        "Cookie: abcdefgh12345",
    ],
)
def test_no_token_stays(text: str) -> None:
    cleaned = redact(text)
    assert "abcdefgh12345" not in cleaned and TOKEN not in cleaned


def test_ordinary_words_stay() -> None:
    text = "Loading the tokenizer; 77 tokens; https://example.org/path failed with 404"
    assert redact(text) == text


def test_prompts_and_file_names_made_of_them_go() -> None:
    text = "saving /home/x/2026-11-22_072152_my-secret-garden_42.png for “My Secret Garden”"
    cleaned = redact(text, ["my secret garden", "ab"])
    assert "secret" not in cleaned.lower() and "garden" not in cleaned.lower()
    assert "2026-11-22_072152_[prompt]_42.png" in cleaned


def test_tracebacks_are_redacted_too() -> None:
    try:
        raise ValueError(f"no access with {TOKEN}")
    except ValueError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", None, sys.exc_info())
    text = RedactingFormatter().format(record)
    assert "Traceback" in text and "[token]" in text and TOKEN not in text


def test_a_plan_says_nothing_that_was_written() -> None:
    plan = plan_of(RECIPE)
    assert "width 512" in plan and "model mini" in plan
    assert "garden" not in plan and "snails" not in plan


def test_a_report_says_what_helps_and_no_prompt_unless_it_is_added(tmp_path) -> None:
    log = tmp_path / "window.log"
    log.write_text("line one\nsaving my secret garden failed\n")
    known = Circumstances("NVIDIA Test", {"torch": "2.13"}, RECIPE, prompts_of([RECIPE]))
    text = compose("The engine crashed.", {"window": log, "engine": tmp_path / "none.log"}, known)
    for part in ("The engine crashed.", "NVIDIA Test", "torch 2.13", "width 512", "line one", "(empty)", "Python"):
        assert part in text
    assert "garden" not in text and "snails" not in text
    added = compose("x", {"window": log}, known, prompt=RECIPE.prompt, note="it was raining")
    assert "Prompt: my secret garden" in added and "it was raining" in added


def test_the_end_of_a_log(tmp_path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"line %03d\n" % number for number in range(100)))
    assert tail(path, 27) == "line 098\nline 099\n"
    assert tail(path, 10_000).startswith("line 000")
    assert tail(tmp_path / "none", 10) == ""


def test_a_log_that_another_process_writes_is_trimmed(tmp_path) -> None:
    path = tmp_path / "engine.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * 500)
        assert not trim(path, 1000)
        writer.write(b"y" * 1000)
        assert trim(path, 1000)
        writer.write(b"after")
    assert path.read_bytes() == b"after"
    assert (tmp_path / "engine.1.log").read_bytes() == b"y" * 1000
    assert not trim(tmp_path / "none.log")


def test_the_newest_reports_are_kept(tmp_path) -> None:
    for number in range(14):
        assert keep(tmp_path, "engine", f"report {number}", when=1_700_000_000 + number)
    left = sorted(tmp_path.glob("*.txt"))
    assert len(left) == 10
    assert left[-1].read_text() == "report 13"
    (tmp_path / "file").write_text("x")
    assert keep(tmp_path / "file" / "x", "engine", "x") is None
