"""Where footprints come from: the table that ships, simulations kept on this machine, or a known network scaled."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from engine.families.registry import NETWORK_CLASSES
from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic
from engine.memory.footprint import Footprint, Lines, fingerprint, relevant
from resources import NETWORKS


@cache
def shipped() -> dict[str, Footprint]:
    """The table that ships, by fingerprint."""
    found = msgspec.json.decode(read_regular(NETWORKS, TEXT_LIMIT), type=dict[str, Footprint])
    return {entry.key: entry for entry in found.values()}


def encode_table(entries: dict[str, Footprint]) -> bytes:
    """The table's file: by name, one network a line."""
    lines = [f'"{name}":{msgspec.json.encode(entry).decode()}' for name, entry in sorted(entries.items())]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


class Footprints:
    """Footprints by class and configuration. ``folder`` keeps what was simulated here; None keeps nothing."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, Footprint] = {}

    @property
    def folder(self) -> Path | None:
        return self._folder

    def find(self, cls: str, config: dict[str, Any]) -> Footprint | None:
        """What is known of exactly this network, or None."""
        key = fingerprint(cls, config)
        found = shipped().get(key) or self._kept.get(key)
        if found is None and self._folder is not None:
            try:
                found = msgspec.json.decode(read_regular(self._folder / f"{key}.json", TEXT_LIMIT), type=Footprint)
            except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return None
            self._kept[key] = found
        return found

    def keep(self, entry: Footprint) -> None:
        """Raises ``OSError`` where the folder cannot be written."""
        self._kept[entry.key] = entry
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            atomic.write_bytes(self._folder / f"{entry.key}.json", msgspec.json.encode(entry))

    def find_or_scale(self, cls: str, config: dict[str, Any], parameters: int) -> Footprint | None:
        """What is known, else the nearest shipped network of the class scaled; None for a class that is not known."""
        found = self.find(cls, config)
        if found is not None or cls not in NETWORK_CLASSES:
            return found
        kin = [entry for entry in shipped().values() if entry.cls == cls]
        if not kin:
            return None
        nearest = min(kin, key=lambda entry: abs(entry.parameters - parameters))
        return scaled(nearest, config, parameters)


def scaled(base: Footprint, config: dict[str, Any], parameters: int) -> Footprint:
    """``base`` as a network of the same class with another ``config``: activations grow with the width of a layer,
    arithmetic with the weights, traffic with width times depth."""
    own = relevant(base.cls, config)
    width = _width(own) / _width(base.config)
    depth = _depth(own) / _depth(base.config)
    weights = parameters / max(1, base.parameters)
    calls = {
        name: Lines(
            tuple(value * width for value in lines.peak),
            tuple(value * weights for value in lines.flops),
            tuple(value * width * depth for value in lines.moved),
            tuple(value * depth for value in lines.ops),
        )
        for name, lines in base.calls.items()
    }
    return Footprint(
        cls=base.cls,
        config=own,
        parameters=parameters,
        in_blocks=int(base.in_blocks * weights),
        largest_block=int(base.largest_block * weights / depth),
        largest_layer=int(base.largest_layer * width),
        blocks=round(base.blocks * depth),
        calls=calls,
    )


def _width(config: dict[str, Any]) -> float:
    if "block_out_channels" in config:
        return float(config["block_out_channels"][0])
    if "num_attention_heads" in config and "attention_head_dim" in config:
        return float(config["num_attention_heads"] * config["attention_head_dim"])
    return float(config.get("d_model") or config.get("hidden_size") or 1)


def _depth(config: dict[str, Any]) -> float:
    return float(config.get("num_layers") or config.get("num_hidden_layers") or config.get("layers_per_block") or 1)
