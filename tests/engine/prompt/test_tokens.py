"""Counts against transformers' own tokenizers, which the engine uses."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.paths import EMBEDDED_MODELS
from engine.models.catalog import FAMILIES
from engine.prompt.tokenizer_files import open_tokenizer
from engine.prompt.tokens import Rules, TokenCounter, merged
from engine.protocol.errors import ModelDamaged
from tests.fakes.tiny_models import clip_tokenizer

IMAGE = EMBEDDED_MODELS / "laterna-mini-image"
TEXT = "A red apple on the left, 2 owls — café in the sky's corner; "


@pytest.fixture(scope="module")
def counter() -> TokenCounter:
    return TokenCounter(IMAGE, FAMILIES["sd35"])


def reference(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


@pytest.mark.parametrize("index", [0, 2])
@pytest.mark.parametrize("repeats", [0, 1, 5])
def test_counts_and_cuts_are_those_of_the_engine(counter: TokenCounter, index: int, repeats: int) -> None:
    text, folder = TEXT * repeats, IMAGE / ("tokenizer", "tokenizer_2", "tokenizer_3")[index]
    tokenizer = reference(folder)
    rules = Rules(max_sequence_length=24)
    count = counter.count(text, rules)[index]
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert count.tokens == len(ids)
    assert count.limit == 24 - (1 if index == 2 else 2)
    read = tokenizer(text, truncation=True, max_length=24, add_special_tokens=True).input_ids
    if count.cut is None:
        assert len(ids) <= count.limit
    else:
        kept = tokenizer(text[: count.cut], add_special_tokens=False).input_ids
        assert kept == [id for id in read if id not in tokenizer.all_special_ids] or len(kept) == count.limit


def test_comfyui_reading_cuts_nothing_and_reads_weights(counter: TokenCounter) -> None:
    plain = counter.count("a red apple " * 20, Rules("comfyui"))
    assert all(count.cut is None and not count.limit and count.tokens == 60 for count in plain)
    assert [c.tokens for c in counter.count("a (red apple:1.25)", Rules("comfyui"))] == [3, 3, 3]
    assert counter.count("a (red apple:1.25)", Rules())[0].tokens > 3


def test_without_t5_only_clip_counts(counter: TokenCounter) -> None:
    assert [count.encoder for count in counter.count("an owl", Rules(use_t5=False))] == ["CLIP-L", "CLIP-G"]


def test_both_clips_show_as_one(counter: TokenCounter) -> None:
    assert [name for name, _ in merged(counter.count("an owl"))] == ["CLIP", "T5"]


@pytest.fixture(scope="module")
def published_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CLIP's files as SD3.5's repositories have them: no ``tokenizer.json``."""
    folder = tmp_path_factory.mktemp("clip")
    tokenizer = clip_tokenizer()
    (folder / "vocab.json").write_text(json.dumps(tokenizer.get_vocab()))
    (folder / "merges.txt").write_text("#version: 0.2\nr e\nre d</w>\n")
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 16}')
    return folder


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abred ,.'sS1é\n—", max_size=30))
def test_vocabulary_and_merges_are_read_as_transformers_does(published_clip: Path, text: str) -> None:
    ids = clip_tokenizer()(text, add_special_tokens=False).input_ids
    found = open_tokenizer(published_clip)
    assert len(found.starts(text)) == len(ids) and found.max_length == 16


def test_sentencepiece_files_count_as_t5_does(tmp_path: Path) -> None:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([TEXT] * 50), model_writer=model, vocab_size=60, minloglevel=2, hard_vocab_limit=False
    )
    (tmp_path / "spiece.model").write_bytes(model.getvalue())
    text = "a red owl — café"
    starts = open_tokenizer(tmp_path).starts(text)
    assert len(starts) == len(sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).encode(text))
    assert starts == sorted(starts) and starts[0] == 0 and starts[-1] < len(text)


@pytest.mark.parametrize("files", [{}, {"tokenizer.json": "{"}, {"vocab.json": "[]"}, {"spiece.model": "x"}])
def test_damaged_files_are_said_to_be(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ModelDamaged):
        open_tokenizer(tmp_path)
