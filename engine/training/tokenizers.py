"""Word-level tokenizers of the closed vocabulary, in the classes that the pipelines expect.

The CLIP tokenizer is a byte-pair encoding whose merges are learned on the vocabulary until every word is one token
(Sennrich et al. 2016, arXiv:1508.07909); the T5 one is a plain word list. Both ignore case.
"""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPTokenizer, PreTrainedTokenizerFast

from .vocabulary import FIRST_WORDS, LATER_WORDS, WORDS, WORLD_WORDS

CLIP_LENGTH = 24  # tokens, with start and end
T5_LENGTH = 24  # tokens, with end
CLIP_VOCABULARY = 5120  # rows of the embedding: the used ids and spare ones
T5_VOCABULARY = 3072
_START, _END = "<|startoftext|>", "<|endoftext|>"


def _merges(words: list[str], known: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """`known` and further byte-pair merges, most frequent pair first (ties by text), until each word is one symbol."""
    pieces = [[*w[:-1], w[-1] + "</w>"] for w in words]
    for pair in known:
        for symbols in pieces:
            _merge(symbols, pair)
    merges = list(known)
    while True:
        pairs = Counter(p for symbols in pieces for p in itertools.pairwise(symbols))
        if not pairs:
            return merges
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for symbols in pieces:
            _merge(symbols, best)


def _merge(symbols: list[str], pair: tuple[str, str]) -> None:
    i = 0
    while i < len(symbols) - 1:
        if (symbols[i], symbols[i + 1]) == pair:
            symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
        i += 1


def _byte_level(word: str) -> str:
    """Bytes beyond ASCII as the letters that stand for them in a byte-level tokenizer (GPT-2's table)."""
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(word)[0][0]


def _alphabetic(words: tuple[str, ...]) -> list[str]:
    return [_byte_level(w) for w in dict.fromkeys(words) if w.isalpha()]


@cache
def _clip_vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Tokens and merges; what later words need stands behind what earlier ones need."""
    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    tokens = [_START, _END, *letters, *(c + "</w>" for c in letters)]
    merges: list[tuple[str, str]] = []
    known = set(letters)
    for words in (FIRST_WORDS, LATER_WORDS, WORLD_WORDS):
        spelled = _alphabetic(words)
        more = sorted(set("".join(spelled)) - known)
        known |= set(more)
        before = len(merges)
        merges = _merges(spelled, merges)
        tokens += [*more, *(c + "</w>" for c in more), *("".join(m) for m in merges[before:])]
    vocabulary = {t: i for i, t in enumerate(dict.fromkeys(tokens))}
    if len(vocabulary) > CLIP_VOCABULARY:
        raise ValueError(f"{len(vocabulary)} CLIP tokens do not fit {CLIP_VOCABULARY} embeddings")
    return vocabulary, merges


def clip_tokenizer() -> CLIPTokenizer:
    """`model_max_length` is CLIP_LENGTH; words outside the vocabulary fall apart into letters and pieces."""
    vocabulary, merges = _clip_vocabulary()
    return CLIPTokenizer(vocab=dict(vocabulary), merges=list(merges), model_max_length=CLIP_LENGTH)


def t5_tokenizer() -> PreTrainedTokenizerFast:
    """One id a word, `<unk>` for others, `</s>` at the end, `<pad>` behind."""
    tokens = ["<pad>", "</s>", "<unk>", *WORDS]
    if len(tokens) > T5_VOCABULARY:
        raise ValueError(f"{len(tokens)} T5 tokens do not fit {T5_VOCABULARY} embeddings")
    core = Tokenizer(models.WordLevel({t: i for i, t in enumerate(tokens)}, unk_token="<unk>"))
    core.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\p{L}\p{N}]+|[^\s\p{L}\p{N}]"), "removed", invert=True)
    core.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=T5_LENGTH
    )
