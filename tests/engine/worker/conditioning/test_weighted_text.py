"""ComfyUI's reading of a prompt: chunks, padding, weights."""

from __future__ import annotations

import pytest
import torch

from engine.worker.conditioning.weighted_text import Chunk, clip_chunks, encode, t5_tokens
from tests.fakes.tiny_models import CLIP_LENGTH, clip_tokenizer, t5_tokenizer

CLIP, T5 = clip_tokenizer(), t5_tokenizer()
START, END, PAD = CLIP.bos_token_id, CLIP.eos_token_id, CLIP.pad_token_id


def plain(chunk: Chunk) -> list[int]:
    """The tokens between start and end."""
    return chunk.ids[1 : chunk.ids.index(END)]


def test_a_short_prompt_is_one_padded_chunk_as_the_tokenizer_makes_it() -> None:
    [chunk] = clip_chunks(CLIP, "a red dog")
    assert chunk.ids == CLIP("a red dog", padding="max_length", max_length=CLIP_LENGTH).input_ids
    assert chunk.weights == [1.0] * CLIP_LENGTH


def test_an_empty_prompt_is_a_chunk_too() -> None:
    [chunk] = clip_chunks(CLIP, "")
    assert chunk.ids == [START, END] + [PAD] * (CLIP_LENGTH - 2)


def test_a_long_prompt_goes_on_in_the_next_chunk() -> None:
    text = "a red blue green apple dog house"
    ids = CLIP(text, add_special_tokens=False).input_ids
    chunks = clip_chunks(CLIP, text)
    assert len(chunks) == -(-len(ids) // (CLIP_LENGTH - 2))
    assert all(len(chunk.ids) == CLIP_LENGTH and chunk.ids[0] == START for chunk in chunks)
    assert [id for chunk in chunks for id in plain(chunk)] == ids


def test_a_short_piece_stays_in_one_chunk() -> None:
    """Fourteen tokens fit: after twelve, a weighted piece of three goes to the next chunk as a whole."""
    first = "abcdefghijkl"
    chunks = clip_chunks(CLIP, f"{first}(red a b:1.5)")
    assert [len(plain(chunk)) for chunk in chunks] == [12, 3]
    assert chunks[0].ids[13:] == [END, PAD, PAD]
    assert chunks[1].weights[:5] == [1.0, 1.5, 1.5, 1.5, 1.0]


def test_a_long_piece_is_torn_apart() -> None:
    chunks = clip_chunks(CLIP, "abcdefghijkl(mnopqrstuv:1.5)")
    assert [len(plain(chunk)) for chunk in chunks] == [14, 8]
    assert [chunk.weights.count(1.5) for chunk in chunks] == [2, 8]


def test_t5_reads_any_length_and_is_padded_to_the_least() -> None:
    assert t5_tokens(T5, "a dog", 6).ids == [*T5("a dog").input_ids, 0, 0, 0]
    assert len(t5_tokens(T5, "a dog " * 50, 6).ids) == 101
    assert t5_tokens(T5, "a (dog:0.5)", 2).weights == [1.0, 0.5, 1.0]


def run(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """An encoder of one number a token, which also knows the token before."""
    hidden = (ids + 0.5 * ids.roll(1, -1)).float()[..., None]
    return hidden, hidden[:, 0]


def empty(length: int) -> Chunk:
    return clip_chunks(CLIP, "")[0]


def test_weights_move_a_token_away_from_the_empty_text() -> None:
    chunks = clip_chunks(CLIP, "a (red:1.3) dog")
    weighted, pooled = encode(run, chunks, empty)
    z, z_empty = run(torch.tensor([chunks[0].ids]))[0], run(torch.tensor([empty(0).ids]))[0]
    place = chunks[0].weights.index(1.3)
    assert weighted[0, place] == pytest.approx((z - z_empty)[0, place] * 1.3 + z_empty[0, place])
    rest = [i for i in range(CLIP_LENGTH) if i != place]
    assert torch.equal(weighted[:, rest], z[:, rest])
    assert torch.equal(pooled, z[:, 0])


def test_chunks_follow_each_other_and_the_first_is_pooled() -> None:
    chunks = clip_chunks(CLIP, "a red blue green apple dog house")
    hidden, pooled = encode(run, chunks, empty)
    assert hidden.shape == (1, CLIP_LENGTH * len(chunks), 1)
    assert torch.equal(hidden[:, :CLIP_LENGTH], run(torch.tensor([chunks[0].ids]))[0])
    assert pooled.shape == (1, 1)


def test_without_weights_the_empty_text_is_not_encoded() -> None:
    rows = []
    encode(lambda ids: rows.append(len(ids)) or run(ids), clip_chunks(CLIP, "a dog"), empty)
    encode(lambda ids: rows.append(len(ids)) or run(ids), clip_chunks(CLIP, "a (dog)"), empty)
    assert rows == [1, 2]
