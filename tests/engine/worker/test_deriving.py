"""Derivations through the runner: what is written, cancelled, gone on with, and made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from engine.derive.interpolate.interpolate import interpolated
from engine.derive.kinds import kind_of
from engine.derive.sources import settled
from engine.derive.upscale.upscale import upscaled
from engine.jobs import assets
from engine.jobs.checkpoints import CheckpointFolder, parts_of
from engine.media import metadata, mp4
from engine.media.frames import ClipReader
from engine.media.known import KnownMedia
from engine.models.upscalers import DEFAULT, Upscalers
from engine.protocol.assets import Asset
from engine.protocol.commands import Derive
from engine.protocol.errors import BadFile, BadRecipe, Cancelled
from engine.protocol.events import CheckpointSaved, Event, JobFinished, JobResumed, ResumeRefused, StepDone
from engine.protocol.upscaling import Upscaling
from engine.worker.cancel import Cancellation
from engine.worker.deriving import PART, derive
from engine.worker.device import find_device
from tests.fakes.recipes import clip_recipe

FRAMES = 2 * PART + 5


class Deriving:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Event] = []
        self.cancellation = Cancellation()
        self.checkpoint = CheckpointFolder(folder / "checkpoints").path("job")

    def job(self, source: Path, scale: int | Upscaling = 2, checkpoint: bool = True) -> Derive:
        derivation, file, origin = settled(upscaled(str(source), scale), KnownMedia(None))
        saved = str(self.checkpoint) if checkpoint else ""
        network = assets.network(kind_of(derivation).network(derivation), Upscalers())
        source_file = Asset(file.name, derivation.source.sha256, str(file))
        return Derive("job", derivation, source_file, str(self.folder / "out"), "made", origin.recipe, saved, network)

    def run(self, job: Derive, on_event: Callable[[Event], None] = lambda event: None) -> JobFinished:
        def emit(event: Event, blob: bytes = b"") -> None:
            self.told.append(event)
            on_event(event)

        self.cancellation.reset()
        return derive(job, self.cancellation, emit, find_device())

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
def deriving(tmp_path: Path) -> Deriving:
    return Deriving(tmp_path)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return _clip(tmp_path / "clip.mp4", FRAMES)


def _clip(path: Path, frames: int) -> Path:
    y, x = np.mgrid[0:48, 0:64]
    pixels = [np.stack([x * 3 + n, y * 4 + 2 * n, x + y], -1).astype(np.uint8) for n in range(frames)]
    mp4.encode(np.stack(pixels), path, 12, {"laterna.recipe": clip_recipe(seed=3).to_json()})
    return path


def test_a_picture_is_the_whole_resampled_and_says_its_descent(deriving: Deriving, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (301, 77, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "odd.webp", lossless=True)
    done = deriving.run(deriving.job(tmp_path / "odd.webp", 3))
    path = Path(done.files[0].path)
    assert path.name == "made.png"
    assert np.array_equal(np.asarray(Image.open(path)), cv2.resize(pixels, (231, 903), interpolation=4))
    said = metadata.read(path)
    assert said.derivation is not None and said.derivation.source.path == "odd.webp" and said.recipe is None
    assert said.pixels_sha256 == done.files[0].pixels_sha256
    assert str(tmp_path).encode() not in path.read_bytes()
    assert deriving.run(deriving.job(tmp_path / "odd.webp", 3)).files == done.files, "no copy of what is there"


def test_a_clip_keeps_its_frames_its_rate_and_its_recipe(deriving: Deriving, clip: Path) -> None:
    done = deriving.run(deriving.job(clip))
    said = metadata.read(Path(done.files[0].path))
    assert (said.kind, said.width, said.height, said.frames, said.fps) == ("video", 128, 96, FRAMES, 12)
    assert said.recipe == clip_recipe(seed=3)
    with ClipReader(clip) as before, ClipReader(Path(done.files[0].path)) as after:
        for frame, large in zip(before, after, strict=True):
            small = cv2.resize(large.to_ndarray(format="rgb24"), (64, 48), interpolation=cv2.INTER_AREA)
            assert np.abs(small.astype(int) - frame.to_ndarray(format="rgb24")).mean() < 6
    steps = [event.step for event in deriving.of(StepDone)]  # type: ignore[attr-defined]
    assert steps == [PART, 2 * PART, FRAMES]
    assert not deriving.checkpoint.exists() and not parts_of(deriving.checkpoint).exists()


@pytest.mark.parametrize("upscaler", [DEFAULT, "lanczos"])
def test_stopped_anywhere_it_goes_on_and_the_file_is_the_same(
    deriving: Deriving, clip: Path, tmp_path: Path, upscaler: str
) -> None:
    how = Upscalers().named(upscaler, 2)
    whole = Path(deriving.run(deriving.job(clip, how, checkpoint=False)).files[0].path)
    expected = whole.read_bytes()
    whole.unlink()

    def cancel(event: Event) -> None:
        if isinstance(event, StepDone):
            deriving.cancellation.request()

    for reached in (PART, 2 * PART):
        with pytest.raises(Cancelled):
            deriving.run(deriving.job(clip, how), cancel)
        assert deriving.of(CheckpointSaved)[-1].step == reached  # type: ignore[attr-defined]
        assert CheckpointFolder(deriving.checkpoint.parent).steps()["job"] == (reached, FRAMES)
    deriving.told.clear()
    again = deriving.run(deriving.job(clip, how))
    assert [event.step for event in deriving.of(JobResumed)] == [2 * PART]  # type: ignore[attr-defined]
    assert Path(again.files[0].path).read_bytes() == expected


@pytest.mark.parametrize("harm", ["part", "header", "scale"])
def test_what_cannot_be_used_is_said_and_made_anew(deriving: Deriving, clip: Path, harm: str) -> None:
    def cancel(event: Event) -> None:
        if isinstance(event, StepDone):
            deriving.cancellation.request()

    with pytest.raises(Cancelled):
        deriving.run(deriving.job(clip), cancel)
    part = parts_of(deriving.checkpoint) / "000000.mp4"
    if harm == "part":
        part.write_bytes(part.read_bytes()[:-9])
    elif harm == "header":
        deriving.checkpoint.write_bytes(b"\xff" * 40)
    job = deriving.job(clip, 3 if harm == "scale" else 2)
    done = deriving.run(job)
    assert deriving.of(ResumeRefused) and not deriving.of(JobResumed)
    assert metadata.read(Path(done.files[0].path)).frames == FRAMES


def test_a_clip_that_breaks_off_or_was_exchanged_ends_in_a_sentence(deriving: Deriving, clip: Path) -> None:
    job = deriving.job(clip)
    _clip(clip, 3)
    with pytest.raises(BadRecipe, match="no longer"):
        deriving.run(job)
    _clip(clip, FRAMES)
    clip.write_bytes(clip.read_bytes()[:-200])
    with pytest.raises(BadFile):
        deriving.run(deriving.job(clip))


def test_one_frame_is_a_clip(deriving: Deriving, tmp_path: Path) -> None:
    done = deriving.run(deriving.job(_clip(tmp_path / "one.mp4", 1)))
    assert metadata.read(Path(done.files[0].path)).frames == 1


def test_the_sound_of_a_clip_is_kept(deriving: Deriving, clip: Path, tmp_path: Path) -> None:
    loud = tmp_path / "loud.mp4"
    with av.open(str(loud), "w") as made, av.open(str(clip)) as source:
        video = made.add_stream_from_template(source.streams.video[0])
        audio = made.add_stream("aac", rate=16_000, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                made.mux(packet)
        tone = (np.sin(np.arange(64_000) / 10) * 9000).astype(np.int16)
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            made.mux(audio.encode(frame))
        made.mux(audio.encode(None))
    done = deriving.run(deriving.job(loud))
    with av.open(str(loud)) as before, av.open(done.files[0].path) as after:
        sounds = [[bytes(p) for p in one.demux(audio=0) if p.dts is not None] for one in (before, after)]
        assert sounds[0] == sounds[1] and len(sounds[0]) > 50


def test_leftover_parts_go_with_their_job(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, max_bytes=100)
    for id in ("a", "b"):
        folder.path(id).write_bytes(b"x")
        parts_of(folder.path(id)).mkdir()
        (parts_of(folder.path(id)) / "000000.mp4").write_bytes(bytes(60))
    assert len(folder.bound(keep=())) == 1
    assert len(list(tmp_path.iterdir())) == 2
    folder.keep_only(())
    assert list(tmp_path.iterdir()) == []


def test_a_clip_made_smoother_goes_on_after_a_stop_to_the_same_file(deriving: Deriving, clip: Path) -> None:
    derivation, file, origin = settled(interpolated(str(clip), 24), KnownMedia(None))
    source = Asset(file.name, derivation.source.sha256, str(file))
    out = str(deriving.folder / "out")
    whole = Path(deriving.run(Derive("job", derivation, source, out, "made", origin.recipe)).files[0].path)
    said = metadata.read(whole)
    assert (said.frames, said.fps, said.recipe) == (2 * FRAMES, 24, clip_recipe(seed=3))
    expected = whole.read_bytes()
    whole.unlink()

    def cancel(event: Event) -> None:
        if isinstance(event, StepDone):
            deriving.cancellation.request()

    job = Derive("job", derivation, source, out, "made", origin.recipe, str(deriving.checkpoint))
    with pytest.raises(Cancelled):
        deriving.run(job, cancel)
    assert Path(deriving.run(job).files[0].path).read_bytes() == expected
    assert deriving.of(JobResumed)
