"""Prompt encodings, kept in memory and on disk, so that a prompt is encoded once.

A key covers everything that decides the result: the prompt, the files of the text encoders and tokenizers, lengths,
precision, device and PyTorch's version. Files are safetensors; the least recently used go first.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from engine.protocol.conditioning import Words
from engine.worker.finite import check_finite
from engine.worker.guidance import Conditioning
from engine.worker.loaded_model import Model

MEMORY_LIMIT = 64 * 1024 * 1024
DISK_LIMIT = 512 * 1024 * 1024


def cache_key(model: Model, settings: tuple[Any, ...], words: Words) -> str:
    """Hex digest; ``settings`` are what the family adds (lengths, which encoders)."""
    arithmetic = {name: residency.arithmetic for name, residency in sorted(model.residency.parts.items())}
    files = model.folder.fingerprint(model.family.text_parts)
    facts = [
        model.family.info.id,
        [words.text, words.clip_l, words.clip_g],
        [*settings, *model.adapters.text_settings()],
        str(model.folder.path),
        files,
        arithmetic,
        str(model.residency.device),
        torch.__version__,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class EncodingCache:
    """``folder`` None keeps encodings in memory alone. A damaged or unwritable cache is no error, only slower."""

    def __init__(self, folder: Path | None, memory_limit: int = MEMORY_LIMIT, disk_limit: int = DISK_LIMIT) -> None:
        self._folder = folder
        self._memory_limit = memory_limit
        self._disk_limit = disk_limit
        self._memory: OrderedDict[str, Conditioning] = OrderedDict()

    def get(self, key: str) -> Conditioning | None:
        """On the CPU; None where it is not known."""
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        if self._folder is None:
            return None
        path = self._path(key)
        try:
            found = load_file(path)
            check_finite(found)
            os.utime(path)
        except FileNotFoundError:
            return None
        except Exception:  # whatever is wrong with the file, the prompt is encoded again
            with suppress(OSError):
                path.unlink()
            return None
        self._remember(key, found)
        return found

    def put(self, key: str, conditioning: Conditioning) -> None:
        kept = {name: value.detach().cpu().contiguous() for name, value in conditioning.items()}
        self._remember(key, kept)
        if self._folder is None:
            return
        temporary = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            save_file(kept, temporary)
            os.replace(temporary, self._path(key))
            self._prune()
        except Exception:  # a full or read-only disk: the job does not need the cache
            with suppress(OSError):
                temporary.unlink()

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{key}.safetensors"

    def _remember(self, key: str, conditioning: Conditioning) -> None:
        self._memory[key] = conditioning
        self._memory.move_to_end(key)
        while len(self._memory) > 1 and sum(map(_size, self._memory.values())) > self._memory_limit:
            self._memory.popitem(last=False)

    def _prune(self) -> None:
        assert self._folder is not None
        files = [
            (entry.stat(), entry.path) for entry in os.scandir(self._folder) if entry.name.endswith(".safetensors")
        ]
        total = sum(status.st_size for status, _ in files)
        for status, path in sorted(files, key=lambda file: file[0].st_mtime_ns):
            if total <= self._disk_limit:
                return
            with suppress(OSError):
                os.unlink(path)
                total -= status.st_size


def _size(conditioning: Conditioning) -> int:
    return sum(value.nbytes for value in conditioning.values())
