"""``reproduce``: make a file again and compare the pixels."""

from __future__ import annotations

import tempfile
from pathlib import Path

from app.cli.engine_session import EngineSession
from app.cli.generate import SUFFIXES
from app.cli.model_argument import find_model
from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.cli.settings import read_settings
from app.cli.target import named, write_whole
from app.kept_encodings import encodings_folder
from app.paths import Paths
from engine.derive.kinds import kind_of
from engine.derive.sources import settled
from engine.files import OWN_LIMIT, read_regular
from engine.jobs import assets
from engine.media import metadata
from engine.media.known import KnownMedia
from engine.models.adapters import locate
from engine.models.upscalers import Upscalers
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadFile


def run(arguments: Namespace, paths: Paths) -> int:
    info = metadata.read(Path(arguments.file))
    if info.derivation is not None and info.pixels_sha256:
        return _derive_again(arguments, paths, info, info.derivation)
    if info.recipe is None or not info.pixels_sha256:
        raise BadFile(f"{arguments.file} carries no recipe.", "Only files that Laterna made can be made again.")
    model = find_model(arguments.model or info.recipe.model, paths)
    model.check(info.recipe)
    loras = locate(info.recipe.adapters, paths.adapters, [Path(file) for file in arguments.lora])
    recipe, input_files = KnownMedia(paths.known_media).settled(info.recipe, [Path(file) for file in arguments.input])
    suffix = SUFFIXES[model.info.kind]
    out = named(arguments.out, suffix, model.info.name).path() if arguments.out else None
    network = assets.network(recipe.upscaling, Upscalers(paths.upscalers))
    encodings = encodings_folder(paths, read_settings(paths))
    with (
        tempfile.TemporaryDirectory(prefix="laterna-") as scratch,
        EngineSession(paths.engine_log, ProgressLine()) as engine,
    ):
        done = engine.generate(
            recipe,
            model.folder,
            Path(scratch),
            "again",
            encodings,
            adapter_files=loras,
            input_files=input_files,
            network=network,
        )
        if out:
            write_whole(out, read_regular(Path(done.files[0].path), OWN_LIMIT))
    return _said(arguments, info, [file.pixels_sha256 for file in done.files], out)


def _derive_again(arguments: Namespace, paths: Paths, info: metadata.MediaInfo, derivation: Derivation) -> int:
    """A file that was made from another: from the same source, which is named by its content."""
    derivation, file, origin = settled(
        derivation, KnownMedia(paths.known_media), [Path(one) for one in arguments.input]
    )
    network = assets.network(kind_of(derivation).network(derivation), Upscalers(paths.upscalers))
    out = named(arguments.out, SUFFIXES[info.kind], "This").path() if arguments.out else None
    with (
        tempfile.TemporaryDirectory(prefix="laterna-") as scratch,
        EngineSession(paths.engine_log, ProgressLine()) as engine,
    ):
        done = engine.derive(derivation, file, Path(scratch), "again", origin.recipe, network=network)
        if out:
            write_whole(out, read_regular(Path(done.files[0].path), OWN_LIMIT))
    return _said(arguments, info, [file.pixels_sha256 for file in done.files], out)


def _said(arguments: Namespace, info: metadata.MediaInfo, hashes: list[str], out: Path | None) -> int:
    equal = info.pixels_sha256 in hashes
    if arguments.json:
        print_json(
            {
                "equal": equal,
                "expected_sha256": info.pixels_sha256,
                "pixels_sha256": hashes,
                "made_with": info.environment,
                "files": [out] if out else [],
            }
        )
    elif equal:
        print("The pixels are equal.")
    else:
        print("The pixels differ: another version or device made the file, or its model has changed.")
    return 0
