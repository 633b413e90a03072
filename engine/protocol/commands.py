"""What the window process tells the engine process. Each job message carries its job id."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.assets import Asset
from engine.protocol.derivation import Derivation
from engine.protocol.errors import ErrorInfo
from engine.protocol.recipe import Recipe

CompileWish = Literal["never", "auto", "always"]
"""Whether models are compiled; ``auto``: where the work repays it, as far as it was measured."""

CHECKPOINT_SHARE = 0.01
"""Part of a run's time that saving its state may take."""


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The first command: the version of the protocol and that of Laterna. Answered with nothing where the engine speaks
    the same protocol; an engine of another refuses everything."""

    protocol: int
    version: str


class Generate(msgspec.Struct, frozen=True, tag=True):
    """Run ``recipe`` with the model in ``model_folder`` and save the results in ``output_folder``.

    Files are named ``<file_stem>.png`` or ``.mp4`` (``_2``, ``_3`` … for a batch). ``preview_interval`` in seconds is
    the least time between two previews; negative means no previews. ``adapter_files`` are the files of
    ``recipe.adapters``, in their order, ``input_files`` those of ``recipe.inputs``; without them the inputs' own paths
    are taken.

    Paths of folders are those of the engine's machine; one that is not absolute lies below the engine's own home, and a
    ``model_folder`` that is not is a model's id. Without an ``output_folder`` the results cross as bytes.

    ``checkpoint`` is the file that the job's state is kept in while it runs, empty for none: where it is there, the job
    goes on from it; it is removed when the results are saved, and kept when the job is cancelled or fails.
    ``checkpoint_share`` is the part of the run's time that writing it may take. ``memory_level`` is 0, and one more for
    each time that memory seems to have run out on this job: the plan should need less. ``keep_free`` bytes of the
    memory that the device works in are left to other programs beyond the usual reserve. With ``a1111_parameters``
    pictures carry Automatic1111's ``parameters`` text too. ``footprints_folder`` has what was simulated of networks,
    ``previews_folder`` what was learned of VAEs for previews. ``network_file`` is that of the recipe's upscaling.
    ``compile`` models, and keep in ``compile_folder`` what that makes and gives; without a folder nothing is compiled.
    """

    job: str
    recipe: Recipe
    model_folder: str
    output_folder: str
    file_stem: str
    preview_interval: float = 0.1
    preview_max_side: int = 768
    cache_folder: str = ""
    adapter_files: tuple[Asset, ...] = ()
    input_files: tuple[Asset, ...] = ()
    checkpoint: str = ""
    checkpoint_share: float = CHECKPOINT_SHARE
    memory_level: int = 0
    keep_free: int = 0
    a1111_parameters: bool = False
    footprints_folder: str = ""
    previews_folder: str = ""
    compile: CompileWish = "never"
    compile_folder: str = ""
    network_file: Asset | None = None


class Derive(msgspec.Struct, frozen=True, tag=True):
    """Carry out ``derivation`` on ``source_file`` and save the result; the rest is as in ``Generate``. ``recipe`` is
    that of what it is made from, where it has one, and goes into the result; ``network_file`` the network that does
    it, where one does."""

    job: str
    derivation: Derivation
    source_file: Asset
    output_folder: str
    file_stem: str
    recipe: Recipe | None = None
    checkpoint: str = ""
    network_file: Asset | None = None


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop the job within one block of whichever network runs. Answered with ``JobCancelled``, once its checkpoint is
    written, if it has one."""

    job: str


class Preload(msgspec.Struct, frozen=True, tag=True):
    """Load a model that the person is likely to use next."""

    model_folder: str


class AssetChunk(msgspec.Struct, frozen=True, tag=True):
    """Answers ``AssetWanted``: the message's blob is what stands at ``offset`` of a file of ``size`` bytes."""

    sha256: str
    offset: int
    size: int


class AssetRefused(msgspec.Struct, frozen=True, tag=True):
    """Answers ``AssetWanted`` where the file cannot be read."""

    sha256: str
    error: ErrorInfo


class Ping(msgspec.Struct, frozen=True, tag=True):
    token: int = 0


class Shutdown(msgspec.Struct, frozen=True, tag=True):
    """End the process after cancelling what runs."""


JobCommand = Generate | Derive


def files_of(job: JobCommand) -> tuple[Asset, ...]:
    """The files that ``job`` takes along."""
    network = (job.network_file,) if job.network_file is not None else ()
    if isinstance(job, Derive):
        return (job.source_file, *network)
    return (*job.adapter_files, *job.input_files, *network)


Command = Hello | JobCommand | Cancel | Preload | AssetChunk | AssetRefused | Ping | Shutdown
