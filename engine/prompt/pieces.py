"""A T5's tokenizer as SentencePiece itself, from whichever file has its pieces: ``spiece.model``, a ``tokenizer.json``
or the metadata of a GGUF file. transformers' own conversion gives other ids for some texts, such as combining marks
behind spaces.

llama.cpp's keys: ``tokenizer.ggml.tokens``, ``.scores``, ``.token_type`` (SentencePiece's own numbers), and, in newer
files, ``.precompiled_charsmap``, ``.add_space_prefix`` and ``.remove_extra_whitespaces``. T5 was trained with the
normaliser ``nmt_nfkc``, which SentencePiece carries: it stands in where a file has none.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.files import read_regular
from engine.models.gguf_header import read_gguf
from engine.protocol.errors import ModelDamaged

SPIECE, TABLE = "spiece.model", "tokenizer.json"
_LIMIT = 64 * 2**20
_KINDS = range(1, 7)  # normal, unknown, control, user-defined, unused, byte
_UNKNOWN, _CONTROL, _UNUSED = 2, 3, 5
_UNIGRAM = 1
_EXTRA = "<extra_id_"
"""T5's marks for gaps in its training's texts, which ``spiece.model`` does not have: never found in a prompt."""


def pieces_in(folder: Path) -> Path | None:
    """The file in ``folder`` that has a T5's pieces; None where its tokenizer is of another kind."""
    if (folder / SPIECE).is_file():
        return folder / SPIECE
    if (folder / TABLE).is_file():
        try:
            model = json.loads(read_regular(folder / TABLE, _LIMIT)).get("model")
        except (OSError, ValueError, RecursionError, AttributeError):
            return None
        if isinstance(model, dict) and model.get("type") == "Unigram":
            return folder / TABLE
    return None


def open_pieces(path: Path) -> Any:
    """A ``SentencePieceProcessor`` of the T5 in ``path``: a GGUF file, a ``spiece.model`` or a ``tokenizer.json``.
    Raises ``ModelDamaged``."""
    try:
        stat = path.stat()
        return _opened(path, stat.st_size, stat.st_mtime_ns)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ModelDamaged(f"The tokenizer in {path.name} cannot be read: {error}.", "Get the file again.") from error


@lru_cache(maxsize=3)
def _opened(path: Path, size: int, mtime: int) -> Any:
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_proto=_model(path))


def _model(path: Path) -> bytes:
    if path.name == SPIECE:
        return read_regular(path, _LIMIT)
    if path.suffix.lower() == ".gguf":
        return _from_gguf(read_gguf(path).metadata)
    return _from_table(json.loads(read_regular(path, _LIMIT)))


def _from_gguf(metadata: dict[str, Any]) -> bytes:
    tokens, scores = metadata.get("tokenizer.ggml.tokens"), metadata.get("tokenizer.ggml.scores")
    kinds = metadata.get("tokenizer.ggml.token_type")
    if not (isinstance(tokens, list) and isinstance(scores, list) and len(tokens) == len(scores)):
        raise ValueError("it has no pieces with scores")
    if not isinstance(kinds, list) or len(kinds) != len(tokens):
        kinds = [_kind_of(token) for token in tokens]
    charsmap = metadata.get("tokenizer.ggml.precompiled_charsmap")
    return _made(
        tokens,
        scores,
        kinds,
        _special(metadata),
        bytes(value & 0xFF for value in charsmap) if isinstance(charsmap, list) else b"",
        bool(metadata.get("tokenizer.ggml.add_space_prefix", True)),
        bool(metadata.get("tokenizer.ggml.remove_extra_whitespaces", True)),
    )


def _from_table(table: dict[str, Any]) -> bytes:
    """``tokenizer.json`` as the tokenizers library writes a Unigram model."""
    words = table["model"]["vocab"]
    tokens, scores = [str(word) for word, _ in words], [float(score) for _, score in words]
    ids = {token: number for number, token in enumerate(tokens)}
    special = {
        "pad": ids.get("<pad>", 0),
        "eos": ids.get("</s>", 1),
        "unk": table["model"].get("unk_id") or 2,
        "bos": -1,
    }
    kinds = [_kind_of(token) for token in tokens]
    return _made(tokens, scores, kinds, special, _charsmap(table.get("normalizer")), True, True)


def _charsmap(normaliser: Any) -> bytes:
    found = normaliser if isinstance(normaliser, dict) else {}
    for one in (found, *(found.get("normalizers") or ())):
        if isinstance(one, dict) and one.get("type") == "Precompiled":
            return base64.b64decode(one.get("precompiled_charsmap") or "")
    return b""


def _made(
    tokens: Sequence[object],
    scores: Sequence[float],
    kinds: Sequence[int],
    special: dict[str, int],
    charsmap: bytes,
    prefix: bool,
    squeeze: bool,
) -> bytes:
    from sentencepiece import SentencePieceNormalizer
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]

    normaliser = ModelProto()
    normaliser.ParseFromString(SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto())
    made = ModelProto()
    seen: set[str] = set()
    for number, (token, score, kind) in enumerate(zip(tokens, scores, kinds, strict=True)):
        is_filler = not token or token in seen  # a vocabulary is filled up to a round size
        text = f"<unused{number}>" if is_filler else str(token)
        seen.add(text)
        is_never = is_filler or text.startswith(_EXTRA)
        made.pieces.add(piece=text, score=float(score), type=_UNUSED if is_never else kind if kind in _KINDS else 1)
    made.trainer_spec.model_type = _UNIGRAM
    made.trainer_spec.vocab_size = len(made.pieces)
    for name, number in special.items():
        setattr(made.trainer_spec, f"{name}_id", number)
    made.normalizer_spec.CopyFrom(normaliser.normalizer_spec)
    if charsmap:
        made.normalizer_spec.precompiled_charsmap = charsmap
    made.normalizer_spec.add_dummy_prefix = prefix
    made.normalizer_spec.remove_extra_whitespaces = squeeze
    return bytes(made.SerializeToString())


def _special(metadata: dict[str, Any]) -> dict[str, int]:
    """T5's own numbers; it has no start."""
    found = {"pad": 0, "eos": 1, "unk": 2}
    for name, key in (("pad", "padding"), ("eos", "eos"), ("unk", "unknown")):
        number = metadata.get(f"tokenizer.ggml.{key}_token_id")
        if type(number) is int:
            found[name] = number
    return found | {"bos": -1}


def _kind_of(token: object) -> int:
    if token in ("<pad>", "</s>"):
        return _CONTROL
    return _UNKNOWN if token == "<unk>" else 1
