from __future__ import annotations

from pathlib import Path

from app.kept_encodings import encodings_folder
from app.paths import Paths
from app.settings import Settings


def test_what_is_not_to_be_kept_is_deleted(tmp_path: Path) -> None:
    paths = Paths.find(str(tmp_path))
    paths.create()
    kept = paths.encodings / "a.safetensors"
    kept.write_bytes(b"x")
    assert encodings_folder(paths, Settings()) == paths.encodings
    assert kept.exists()
    assert encodings_folder(paths, Settings(keep_encodings=False)) is None
    assert not paths.encodings.exists()
    assert encodings_folder(paths, Settings(keep_encodings=False)) is None
