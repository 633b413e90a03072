"""The bare list of values that an editor saves, by name. A list that fits no known layout of its node is no guess."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from engine.interop.comfy_families import every
from engine.interop.report import as_number
from engine.interop.widget_tables import CONTROL, CORE, Layout
from engine.interop.widget_tables_more import MORE

CONTROL_VALUES = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
# Values that only their node's editor needs may be anything; of these a wrong one would make another picture.
_NUMBERS: dict[str, tuple[float, float]] = {
    "steps": (1, 10_000),
    "cfg": (-1000, 1000),
    "denoise": (0, 1),
    "denoise_strength": (0, 1),
    "width": (0, 1_000_000),
    "height": (0, 1_000_000),
    "empty_latent_width": (1, 1_000_000),
    "empty_latent_height": (1, 1_000_000),
    "custom_width": (0, 1_000_000),
    "custom_height": (0, 1_000_000),
    "batch_size": (1, 100_000),
    "num_frames": (1, 1_000_000),
    "fps": (0, 1_000_000),
    "frame_rate": (0, 1_000_000),
    "seed": (-(2**64), 2**64),
    "noise_seed": (-(2**64), 2**64),
    "strength": (-1000, 1000),
    "strength_model": (-1000, 1000),
    "strength_clip": (-1000, 1000),
    "lora_model_strength": (-1000, 1000),
    "lora_clip_strength": (-1000, 1000),
    "start_at_step": (0, 1_000_000),
    "end_at_step": (0, 1_000_000),
    "shift": (-1000, 1000),
    "clip_skip": (-24, 0),
    "t_tile_length": (0, 100_000),
    "t_tile_overlap": (0, 100_000),
}
_WORDS = (
    *("sampler_name", "scheduler", "ckpt_name", "unet_name", "lora_name", "vae_name", "clip_name", "model", "image"),
    *("text", "prompt", "positive", "negative", "upscale_method", "interpolation", "precision", "attention_mode"),
    *("add_noise", "return_with_leftover_noise", "resolution", "dimensions"),
)


def widget_values(kind: str, values: Any, declared: list[str], linked: Collection[str] = ()) -> dict[str, Any] | None:
    """The values of a saved node by name; None where they fit no layout that is known, or where none is known (see
    ``is_known``). ``declared`` are the names that the node's own inputs give its widgets, ``linked`` those whose values
    come over a link: what stands in their place may be anything."""
    if isinstance(values, dict):
        return {str(name): value for name, value in list(values.items())[:200]}
    if kind in POWER_LORAS and isinstance(values, list):
        return {f"lora_{i}": value for i, value in enumerate(values[:200]) if isinstance(value, dict)}
    if not isinstance(values, list) or not values:
        return {}
    layouts = layouts_of(kind)
    if not layouts:
        return {} if is_known(kind) else _by_declaration(values[:200], declared)
    for layout in layouts:
        found = _fitted(layout, values[:200], linked)
        if found is not None:
            return found
    return None


POWER_LORAS = ("Power Lora Loader (rgthree)",)


def is_known(kind: str) -> bool:
    """Whether the tables have the node, be it that it has no widgets."""
    return kind in MORE or kind in CORE or kind in POWER_LORAS or bool(_of_families(kind))


def layouts_of(kind: str) -> tuple[Layout, ...]:
    return MORE.get(kind) or _of_families(kind) or ((CORE[kind],) if kind in CORE else ())


def _of_families(kind: str) -> tuple[Layout, ...]:
    """The layouts of a node that only one family's graphs have."""
    return next((nodes.widgets[kind] for nodes in every().values() if kind in nodes.widgets), ())


def _fitted(layout: Layout, values: list[Any], linked: Collection[str]) -> dict[str, Any] | None:
    """``values`` by the names of ``layout``, or None where they cannot be those."""
    required = next((i for i, name in enumerate(layout) if name.endswith("?")), len(layout))
    names = [name.rstrip("?") for name in layout]
    controls = [i for i, name in enumerate(names) if name == CONTROL]
    for without in ((), controls):  # programs other than the editor leave the control out
        kept = [name for i, name in enumerate(names) if i not in without]
        least = required - sum(i < required for i in without)
        if not least <= len(values) or any(value not in (None, "", "image") for value in values[len(kept) :]):
            continue
        pairs = list(zip(kept, values, strict=False))
        if all(name in linked or _possible(name, value) for name, value in pairs):
            return {name: value for name, value in pairs if name != CONTROL}
    return None


def _possible(name: str, value: Any) -> bool:
    if name == CONTROL:
        return value in CONTROL_VALUES if isinstance(value, str) else isinstance(value, bool) or value is None
    if name in _NUMBERS:
        if value in (None, "NaN", "Infinity", "-Infinity") or (isinstance(value, float) and as_number(value) is None):
            return True  # no number, which is said where it is used
        low, high = _NUMBERS[name]
        found = None if isinstance(value, str) else as_number(value)
        return found is not None and low <= found <= high
    if name in _WORDS:
        named = value.get("content") if isinstance(value, dict) else value  # with a picture beside it
        return value is None or (isinstance(value, str | bool) if name == "add_noise" else isinstance(named, str))
    return True


def _by_declaration(values: list[Any], declared: list[str]) -> dict[str, Any] | None:
    """A node that the tables do not have: by the names that it declares, if they are as many as the values."""
    for names in (list(_with_controls(declared)), declared):
        if len(names) == len(values):
            pairs = list(zip(names, values, strict=True))
            if all(_possible(name, value) for name, value in pairs):
                return {name: value for name, value in pairs if name != CONTROL}
    return None


def _with_controls(names: list[str]) -> Iterator[str]:
    for name in names:
        yield name
        if name in ("seed", "noise_seed"):
            yield CONTROL
