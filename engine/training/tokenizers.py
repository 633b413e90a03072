"""Word-level tokenizers of the closed vocabulary, in the classes that the pipelines expect.

The CLIP tokenizer is a byte-pair encoding whose merges are learned on the vocabulary until every word is one token
(Sennrich et al. 2016, arXiv:1508.07909); the T5 one is a plain word list. Both ignore case.
"""

from __future__ import annotations

import itertools
from collections import Counter

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPTokenizer, PreTrainedTokenizerFast

from .catalogue import WORDS

CLIP_LENGTH = 24  # tokens, with start and end
T5_LENGTH = 24  # tokens, with end
CLIP_VOCABULARY = 1536  # rows of the embedding: the used ids and spare ones
T5_VOCABULARY = 512
_START, _END = "<|startoftext|>", "<|endoftext|>"


def _merges(words: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges, most frequent pair first (ties by text), until each word is a single symbol."""
    pieces = {w: [*w[:-1], w[-1] + "</w>"] for w in words}
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(p for symbols in pieces.values() for p in itertools.pairwise(symbols))
        if not pairs:
            return merges
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for symbols in pieces.values():
            i = 0
            while i < len(symbols) - 1:
                if (symbols[i], symbols[i + 1]) == best:
                    symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
                i += 1


def clip_tokenizer() -> CLIPTokenizer:
    """`model_max_length` is CLIP_LENGTH; words outside the vocabulary fall apart into letters and pieces."""
    merges = _merges([w for w in WORDS if w.isalpha()])
    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    tokens = [_START, _END, *letters, *(c + "</w>" for c in letters), *("".join(m) for m in merges)]
    vocabulary = {t: i for i, t in enumerate(dict.fromkeys(tokens))}
    if len(vocabulary) > CLIP_VOCABULARY:
        raise ValueError(f"{len(vocabulary)} CLIP tokens do not fit {CLIP_VOCABULARY} embeddings")
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=CLIP_LENGTH)


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
