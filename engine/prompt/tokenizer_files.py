"""Tokenizers from the files that models ship: ``tokenizer.json``, CLIP's ``vocab.json`` and ``merges.txt``, or a
SentencePiece model. The libraries are imported here, when the first one is opened."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

from engine.files import TEXT_LIMIT, read_regular
from engine.prompt.pieces import open_pieces, pieces_in
from engine.protocol.errors import ModelDamaged

MAX_BYTES = 64 * 1024 * 1024
# transformers' conversion of CLIP's own tokenizer (OpenAI CLIP, simple_tokenizer.py)
_CLIP_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_CLIP_END = "<|endoftext|>"


class Tokenizer(Protocol):
    max_length: int  # 0 where the files do not say

    def starts(self, text: str) -> list[int]:
        """Where in ``text`` each token begins, in characters; start and end tokens are left out."""
        ...


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer in ``folder``, or in the metadata of a T5's GGUF file. Raises ``ModelDamaged``."""
    if folder.suffix.lower() == ".gguf":
        return _SentencePiece(open_pieces(folder), 0)
    try:
        for path in folder.iterdir():
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"{path.name} is too large")
        length = _max_length(folder / "tokenizer_config.json")
        pieces = pieces_in(folder)
        if pieces is not None:
            return _SentencePiece(open_pieces(pieces), length)
        if (folder / "tokenizer.json").is_file():
            return _Fast(_read_fast(folder / "tokenizer.json"), length)
        return _Fast(_build_clip(folder / "vocab.json", folder / "merges.txt"), length)
    except Exception as error:  # the libraries raise bare Exception and RuntimeError
        raise ModelDamaged(
            f"The tokenizer in {folder} cannot be read: {error}.", "Download the model again."
        ) from error


def _max_length(path: Path) -> int:
    """``model_max_length``, where it is a sensible number: some files hold 10^30 for "any"."""
    if not path.is_file():
        return 0
    value = json.loads(read_regular(path, TEXT_LIMIT)).get("model_max_length", 0)
    return int(value) if 0 < value < 1_000_000 else 0


def _read_fast(path: Path) -> Any:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(path))
    found.no_truncation()
    found.no_padding()
    return found


def _build_clip(vocabulary: Path, merges: Path) -> Any:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    pairs = [
        tuple(line.split(" "))
        for line in read_regular(merges, TEXT_LIMIT).decode("utf-8").splitlines()
        if not line.startswith("#")
    ]
    model = models.BPE(
        vocab=json.loads(read_regular(vocabulary, TEXT_LIMIT)),
        merges=[pair for pair in pairs if len(pair) == 2],
        end_of_word_suffix="</w>",
        unk_token=_CLIP_END,
    )
    found = Tokenizer(model)
    found.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    found.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return found


class _Fast:
    def __init__(self, core: Any, max_length: int) -> None:
        self._core = core
        self.max_length = max_length

    def starts(self, text: str) -> list[int]:
        return [start for start, _end in self._core.encode(text, add_special_tokens=False).offsets]


class _SentencePiece:
    def __init__(self, core: Any, max_length: int) -> None:
        self._core = core
        self.max_length = max_length

    def starts(self, text: str) -> list[int]:
        raw = text.encode("utf-8", "replace")
        pieces = self._core.encode(text, return_type="proto").pieces  # with offsets in bytes
        if len(raw) == len(text):
            return [piece.begin for piece in pieces]
        characters = list(accumulate((byte & 0xC0) != 0x80 for byte in raw))  # the first byte of each counts
        return [characters[piece.begin] - 1 if piece.begin < len(raw) else len(text) for piece in pieces]
