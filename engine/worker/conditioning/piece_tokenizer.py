"""SentencePiece itself, called as transformers' tokenizers are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engine.prompt.pieces import open_pieces


class Encoded:
    """``input_ids`` as a tensor [N, length], or as a list for a single text."""

    def __init__(self, input_ids: Any) -> None:
        self.input_ids = input_ids


class PieceTokenizer:
    """A T5's, from the file ``path`` that has its pieces."""

    def __init__(self, path: Path) -> None:
        self._core = open_pieces(path)
        self.eos_token_id: int = self._core.eos_id()
        self.pad_token_id: int = self._core.pad_id()

    def __call__(
        self,
        text: str | list[str],
        padding: str | bool = False,
        max_length: int = 0,
        truncation: bool = False,
        add_special_tokens: bool = True,
        return_tensors: str = "",
        verbose: bool = True,
    ) -> Encoded:
        texts = [text] if isinstance(text, str) else text
        end = [self.eos_token_id] if add_special_tokens else []
        rows = [self._core.encode(one.encode("utf-8", "replace").decode("utf-8")) for one in texts]
        if truncation:
            rows = [row[: max_length - len(end)] for row in rows]
        rows = [row + end for row in rows]
        if padding == "max_length":
            rows = [row + [self.pad_token_id] * (max_length - len(row)) for row in rows]
        if return_tensors == "pt":
            return Encoded(torch.tensor(rows))
        return Encoded(rows[0] if isinstance(text, str) else rows)
