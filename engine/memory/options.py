"""The ways in which one stage of a job can run, each with what it takes and how long it lasts."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine.families.registry import NETWORK_CLASSES
from engine.memory.footprint import CallCost, denoiser_features, is_tiled, text_features, vae_features
from engine.memory.machine import Machine
from engine.memory.plan import Change, Decoding, Placement, StageName, Storage, Weights
from engine.memory.planned_model import PlannedComponent, PlannedModel
from engine.memory.shapes import Shape

STREAMED_BLOCKS = 2
"""Blocks that are in memory where they are streamed: the one that computes, and the one on its way."""

SEPARATE = 1.05
"""Two passes over half the batch take longer than one over all of it: the device is filled less well."""

PIXEL_BYTES = 3 * (4 + 4 + 1)
"""For each pixel of a result on the host, while it becomes 8 bits: two copies in float32 and the result."""


class Option(msgspec.Struct, frozen=True):
    """``kept_*`` bytes are taken all the time, ``used_*`` on top during the own stage."""

    placement: Placement
    kept_device: int
    kept_host: int
    used_device: int
    used_host: int
    seconds: float
    loading: float
    changes: tuple[Change, ...] = ()
    batched: bool = True
    decoding: Decoding = Decoding()


class Setting(msgspec.Struct, frozen=True):
    """What all options of a plan share. ``corrections`` are measured over expected seconds by stage."""

    components: PlannedModel
    shape: Shape
    machine: Machine
    weights: Weights
    storage: Storage
    corrections: dict[StageName, float] = {}

    def compute_itemsize(self, part: PlannedComponent) -> int:
        """Bytes of a number in the arithmetic: float32 for small models and on a CPU without bfloat16, else 16 bits."""
        if self.components.is_small:
            return 4
        if self.machine.kind == "cpu":
            return 2 if self.machine.native_bf16 and (part.precision == "BF16" or part.is_float8) else 4
        return 2

    def outside_bytes(self, part: PlannedComponent) -> int:
        """Bytes of the weights outside of the blocks, most of which are tables that no file has in 8 bits."""
        compute = self.compute_itemsize(part)
        is_stored = self.storage == "stored" and not part.is_reduced
        return part.outside_blocks(min(compute, part.stored_itemsize) if is_stored else compute)

    def block_itemsize(self, part: PlannedComponent) -> float:
        """Bytes of a weight within the blocks."""
        itemsize: float = self.compute_itemsize(part)
        if self.storage == "stored" or part.is_reduced:
            itemsize = min(itemsize, part.stored_itemsize)
        return (
            min(itemsize, 1.0) if self.weights == "int8" and NETWORK_CLASSES[part.footprint.cls].eight_bit else itemsize
        )

    def weight_bytes(self, part: PlannedComponent) -> int:
        """Bytes of the weights in memory."""
        return self.outside_bytes(part) + int(part.footprint.in_blocks * self.block_itemsize(part))

    def widened(self, part: PlannedComponent) -> int:
        """Bytes of a layer in the dtype of the arithmetic as it computes, where weights are kept in a smaller one."""
        compute = self.compute_itemsize(part)
        if self.block_itemsize(part) >= compute:
            return 0
        if part.is_reduced or self.weights == "int8":
            return int(part.footprint.block_layer * compute)
        return int(part.footprint.largest_layer * compute)

    def seconds(self, part: PlannedComponent, work: CallCost) -> float:
        """One call with all weights on the device."""
        rates = self.machine.speeds
        weights = self.weight_bytes(part)
        arithmetic = max(work.flops / rates.flops, weights / rates.bandwidth)
        traffic = work.moved / rates.bandwidth
        if self.widened(part):
            traffic += (weights + part.weights(self.compute_itemsize(part))) / rates.bandwidth
        operators = work.ops * rates.operator
        return arithmetic + traffic + operators if self.machine.kind == "cpu" else max(arithmetic + traffic, operators)

    def correction(self, stage: StageName) -> float:
        return self.corrections.get(stage, 1.0)


def _placed(
    setting: Setting,
    parts: tuple[PlannedComponent, ...],
    stage: StageName,
    peak: float,
    call: float,
    calls: float,
    turns: tuple[float, ...] | None = None,
) -> Iterator[Option]:
    """``parts`` at every placement. ``peak``: bytes of activations; ``call``: seconds of one of ``calls`` calls, each
    of all parts together; with ``turns`` each of one part, so often as that one's number says."""
    machine, rates = setting.machine, setting.machine.speeds
    each_weights = [setting.weight_bytes(part) for part in parts]
    each_outside = [setting.outside_bytes(part) for part in parts]
    each_block = [int(part.footprint.largest_block * setting.block_itemsize(part)) for part in parts]
    weights, stored = sum(each_weights), sum(part.stored for part in parts)
    active = int(peak) + max((setting.widened(part) for part in parts), default=0)
    each_streamed = [outside + STREAMED_BLOCKS * block for outside, block in zip(each_outside, each_block, strict=True)]
    if turns is None:  # all that a stage uses are open at once
        opened, streamed, block, in_memory = weights, sum(each_streamed), sum(each_block), sum(each_block)
        in_blocks: float = weights - sum(each_outside)
    else:
        opened, streamed, in_memory = max(each_weights), max(each_streamed), max(each_block)
        block = int(sum(turn * size for turn, size in zip(turns, each_block, strict=True)))
        inside = [size - outside for size, outside in zip(each_weights, each_outside, strict=True)]
        in_blocks = sum(turn * size for turn, size in zip(turns, inside, strict=True))
    reading, moving = stored / rates.disk, 0.0 if machine.is_unified else weights / rates.link
    compute = call * calls * setting.correction(stage)

    def streaming(rate: float) -> float:
        """Each call waits for its first block, then for the slower of computing and moving."""
        if not in_blocks:
            return compute
        return max(compute, calls * in_blocks / rate) + block / rate * calls

    def option(
        placement: Placement, kept: tuple[int, int], used: tuple[int, int], seconds: float, loading: float
    ) -> Option:
        if machine.is_unified:  # one memory
            kept, used = (0, kept[0] + kept[1]), (0, used[0] + used[1])
        return Option(placement, *kept, *used, seconds, loading)

    yield option("device", (weights, 0), (active, 0), compute, reading + moving)
    yield option("stage", (0, 0), (opened + active, 0), compute + reading + moving, 0.0)
    if not machine.is_unified:
        yield option("host", (0, weights), (opened + active, 0), compute + moving, reading)
        if in_blocks:
            yield option("blocks", (0, weights), (streamed + active, 0), streaming(rates.link), reading)
    if in_blocks:
        disk = min(rates.disk, rates.link)
        yield option("disk", (0, 0), (streamed + active, STREAMED_BLOCKS * in_memory), streaming(disk), 0.0)


def text_options(setting: Setting) -> list[Option]:
    """All text encoders together, as the prompt's encoding needs them; the start picture's encoding is counted here."""
    parts, shape = setting.components.of("text"), setting.shape
    peak = seconds = 0.0
    for part in parts:
        tokens = NETWORK_CLASSES[part.footprint.cls].tokens or shape.encoded
        work = part.footprint.cost("call", setting.compute_itemsize(part), text_features(tokens))
        peak = max(peak, work.peak)
        seconds += setting.seconds(part, work)
    return list(_placed(setting, parts, "encoding", peak, seconds, shape.prompts))


def denoiser_options(setting: Setting) -> list[Option]:
    """All denoisers. A model of several runs one after the other, each over its part of the schedule."""
    parts, shape = setting.components.of("denoiser"), setting.shape
    told = dict(shape.turns)
    turns = tuple(told.get(part.name, 1 / len(parts)) for part in parts)
    found = []
    for batched in (True, False) if shape.passes >= 2 else (True,):
        joined = 2 if batched and shape.passes >= 2 else 1
        features = denoiser_features(shape.batch * joined, shape.tokens, shape.text)
        works = [part.footprint.cost("call", setting.compute_itemsize(part), features) for part in parts]
        calls = shape.steps * shape.passes / joined
        each = [setting.seconds(part, work) for part, work in zip(parts, works, strict=True)]
        seconds = sum(turn * one for turn, one in zip(turns, each, strict=True)) * (1.0 if batched else SEPARATE)
        peak = max(work.peak for work in works)
        for option in _placed(setting, parts, "denoising", peak, seconds, calls, turns):
            changes: tuple[Change, ...] = () if batched else ("rounding",)
            found.append(msgspec.structs.replace(option, batched=batched, changes=changes))
    return found


def vae_options(setting: Setting) -> list[Option]:
    """VAEs have no blocks worth streaming: whole at every placement, with every way of decoding."""
    (part,) = setting.components.of("vae")
    shape, itemsize = setting.shape, setting.compute_itemsize(part)
    tiles = [tile for tile in part.footprint.tiles() if is_tiled(shape, tile)]
    found = []
    for tile in (None, *tiles):
        for sliced in (False, True) if shape.batch > 1 else (False,):
            batch = 1 if sliced else shape.batch
            call = "decode" if tile is None else f"decode/{tile[0]}x{tile[1]}"
            work = part.footprint.cost(call, itemsize, vae_features(batch, shape.pixels, shape.frames))
            frames = shape.batch * shape.frames * shape.pixels
            done = 3 * itemsize * (frames - frames // shape.batch) if sliced else 0
            pixels = frames * PIXEL_BYTES
            changes: tuple[Change, ...] = () if tile is None else ("seams",)
            repeats = shape.batch if sliced else 1
            for option in _placed(setting, (part,), "decoding", work.peak + done, setting.seconds(part, work), repeats):
                used_host = option.used_host + pixels
                if setting.machine.is_unified:  # the weights are in used_host already
                    used_host = max(option.used_host, option.used_host - int(work.peak) + pixels)
                found.append(
                    msgspec.structs.replace(
                        option, used_host=used_host, changes=changes, decoding=Decoding(tile, sliced)
                    )
                )
    return found


def picture_peak(setting: Setting) -> tuple[int, float]:
    """Bytes (weights and activations) and seconds of encoding the pictures that are given, one after another."""
    if not setting.shape.pictures:
        return 0, 0.0
    (part,) = setting.components.of("vae")
    work = part.footprint.cost("encode", setting.compute_itemsize(part), vae_features(1, setting.shape.pixels, 1))
    return setting.weight_bytes(part) + int(work.peak), setting.shape.pictures * setting.seconds(part, work)
