"""A T5's tokenizer from the metadata of its GGUF file: pieces, scores and kinds become a SentencePiece model.

llama.cpp's keys: ``tokenizer.ggml.tokens``, ``.scores``, ``.token_type`` (SentencePiece's own numbers), and, in newer
files, ``.precompiled_charsmap``, ``.add_space_prefix`` and ``.remove_extra_whitespaces``. T5 was trained with the
normaliser ``nmt_nfkc``, which SentencePiece carries: it stands in where a file has none.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.models.gguf_header import read_gguf
from engine.protocol.errors import ModelDamaged

_KINDS = range(1, 7)  # normal, unknown, control, user-defined, unused, byte
_UNIGRAM = 1


def open_pieces(path: Path) -> Any:
    """A ``SentencePieceProcessor`` of the T5 in the GGUF file ``path``. Raises ``ModelDamaged``."""
    stat = path.stat()
    return _opened(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=2)
def _opened(path: Path, size: int, mtime: int) -> Any:
    from sentencepiece import SentencePieceProcessor

    try:
        return SentencePieceProcessor(model_proto=_model(path, read_gguf(path).metadata))
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise ModelDamaged(f"The tokenizer in {path.name} cannot be read: {error}.", "Get the file again.") from error


def _model(path: Path, metadata: dict[str, Any]) -> bytes:
    from sentencepiece import SentencePieceNormalizer
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]

    tokens, scores = metadata.get("tokenizer.ggml.tokens"), metadata.get("tokenizer.ggml.scores")
    kinds = metadata.get("tokenizer.ggml.token_type")
    if not (isinstance(tokens, list) and isinstance(scores, list) and len(tokens) == len(scores)):
        raise ValueError("it has no pieces with scores")
    if not isinstance(kinds, list) or len(kinds) != len(tokens):
        kinds = [_kind_of(token) for token in tokens]
    normaliser = ModelProto()
    normaliser.ParseFromString(SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto())
    made = ModelProto()
    seen: set[str] = set()
    for number, (token, score, kind) in enumerate(zip(tokens, scores, kinds, strict=True)):
        is_filler = not token or token in seen  # a vocabulary is filled up to a round size
        text = f"<unused{number}>" if is_filler else str(token)
        seen.add(text)
        made.pieces.add(piece=text, score=float(score), type=5 if is_filler else kind if kind in _KINDS else 1)
    made.trainer_spec.model_type = _UNIGRAM
    made.trainer_spec.vocab_size = len(made.pieces)
    for name, number in _special(metadata).items():
        setattr(made.trainer_spec, f"{name}_id", number)
    made.normalizer_spec.CopyFrom(normaliser.normalizer_spec)
    charsmap = metadata.get("tokenizer.ggml.precompiled_charsmap")
    if isinstance(charsmap, list) and charsmap:
        made.normalizer_spec.precompiled_charsmap = bytes(value & 0xFF for value in charsmap)
    made.normalizer_spec.add_dummy_prefix = bool(metadata.get("tokenizer.ggml.add_space_prefix", True))
    made.normalizer_spec.remove_extra_whitespaces = bool(metadata.get("tokenizer.ggml.remove_extra_whitespaces", True))
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
        return 3
    if token == "<unk>":
        return 2
    return 4 if str(token).startswith("<extra_id_") else 1
