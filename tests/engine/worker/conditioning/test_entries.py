"""Entries of a recipe as what the network is told."""

from __future__ import annotations

import torch

from engine.protocol.conditioning import Entry, Mix, Range, Words
from engine.worker.conditioning.entries import all_texts, told

LENGTHS = {"one": 3, "other": 2, "longer": 5}


def encoded(words: Words) -> dict[str, torch.Tensor]:
    value = float(sum(map(ord, words.text or "")) % 7 + 1)
    return {"embeds": torch.full((1, LENGTHS[words.text or ""], 2), value), "pooled": torch.full((1, 4), value)}


def one(entry: Entry) -> dict[str, torch.Tensor]:
    [found] = told((entry,), encoded, 1)
    return found.conditioning


def test_every_combination_of_texts_is_encoded_once() -> None:
    entries = (
        Entry("a"),
        Entry("a", zero=True, range=Range(0.5, 1.0)),
        Entry("a", clip_l="b", mix=(Mix(Words("c"), 0.5), Mix(Words("a", zero=True), 0.5))),
    )
    assert all_texts(entries) == [Words("a"), Words("a", clip_l="b"), Words("c")]


def test_zeros_keep_the_length() -> None:
    found = one(Entry("longer", zero=True))
    assert found["embeds"].shape == (1, 5, 2)
    assert not found["embeds"].any() and not found["pooled"].any()


def test_an_average_has_the_length_of_what_was_there() -> None:
    base, shorter, longer = encoded(Words("one")), encoded(Words("other")), encoded(Words("longer"))
    cut = one(Entry("one", mix=(Mix(Words("longer"), 0.25),)))
    assert torch.equal(cut["embeds"], 0.25 * base["embeds"] + 0.75 * longer["embeds"][:, :3])
    padded = one(Entry("one", mix=(Mix(Words("other"), 0.25),)))
    assert torch.equal(padded["embeds"][:, :2], 0.25 * base["embeds"][:, :2] + 0.75 * shorter["embeds"])
    assert torch.equal(padded["embeds"][:, 2:], 0.25 * base["embeds"][:, 2:])
    assert torch.equal(padded["pooled"], 0.25 * base["pooled"] + 0.75 * shorter["pooled"])


def test_averages_follow_each_other() -> None:
    twice = one(Entry("one", mix=(Mix(Words("other"), 0.5), Mix(Words("longer"), 0.5))))
    parts = [encoded(Words(text))["pooled"] for text in ("one", "other", "longer")]
    assert torch.allclose(twice["pooled"], 0.25 * parts[0] + 0.25 * parts[1] + 0.5 * parts[2])


def test_ranges_strengths_and_batch_are_handed_on() -> None:
    [found] = told((Entry("one", range=Range(0.1, 0.4), strength=2.0),), encoded, 3)
    assert (found.range, found.strength) == (Range(0.1, 0.4), 2.0)
    assert found.conditioning["embeds"].shape == (3, 3, 2)
