"""Sound files of every kind that a command reads, to be damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from engine.derive.upscale.upscale import upscaled
from engine.media import pictures, png, tags
from engine.media.environment import Environment
from engine.media.export import ClipExport, export_clip
from engine.media.save import save_image, save_video
from engine.models.catalog import MINI_IMAGE, MINI_VIDEO
from engine.models.installed import find_installed
from resources import MODELS
from tests.engine.interop import pictures as foreign
from tests.fakes.gguf_file import gguf
from tests.fakes.loras import write_lora
from tests.fuzz import mutations

ROOT = Path(__file__).resolve().parents[2]
Damage = Callable[[bytes, Random, bytes], bytes]


@dataclass(frozen=True)
class Sample:
    """``kind`` decides which commands read it, ``damage`` how it is damaged."""

    kind: str
    name: str
    content: bytes
    damage: Damage


def samples(folder: Path) -> list[Sample]:
    """``folder`` is for files on the way."""
    found: list[Sample] = []

    def add(kind: str, name: str, content: bytes, damage: Damage = mutations.damaged) -> None:
        found.append(Sample(kind, name, content, damage))

    infos = {model.info.id: model.info for model in find_installed((MODELS,))}
    still, clip = infos[MINI_IMAGE].recipe("a red apple"), infos[MINI_VIDEO].recipe("a red ball moves")
    values = np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3), np.uint8)
    save_image(values[0], folder / "own.png", still, Environment.current("CPU"))
    save_video(values, folder / "own.mp4", 8, clip, Environment.current("CPU"))
    add("media", "own.png", (folder / "own.png").read_bytes(), mutations.damaged_png)
    add("media", "own.mp4", (folder / "own.mp4").read_bytes())
    made = upscaled("own.png", 2).to_json()
    add(
        "media",
        "large.png",
        png.encode(values[1], {tags.RECIPE: still.to_json(), tags.DERIVATION: made}),
        mutations.damaged_png,
    )
    for ending in ("gif", "webp"):
        export_clip(folder / "own.mp4", folder / f"own.{ending}", ClipExport(ending))
        add("media", f"own.{ending}", (folder / f"own.{ending}").read_bytes())
    _pictures(folder, values[0], add)
    _other_programs(add)
    _graphs_and_recipes(still.to_json(), add)
    add(
        "weights",
        "lora.safetensors",
        write_lora(folder / "l.safetensors", metadata={"ss_network_dim": "4", "laterna": "{}"}).read_bytes(),
        mutations.damaged_safetensors,
    )
    add(
        "weights",
        "kohya.safetensors",
        write_lora(folder / "k.safetensors", "kohya").read_bytes(),
        mutations.damaged_safetensors,
    )
    add(
        "weights",
        "sd35.gguf",
        gguf(
            [("joint_blocks.0.x_block.attn.qkv.weight", [64, 192], 0, 0), ("x_embedder.proj.weight", [64], 0, 49152)],
            49408,
        ),
    )
    own = MODELS / MINI_IMAGE / "vae" / "diffusion_pytorch_model.safetensors"
    if own.exists() and own.stat().st_size < 2**24:
        add("weights", "vae.safetensors", own.read_bytes(), mutations.damaged_safetensors)
    return found


def _pictures(folder: Path, values: np.ndarray, add: Callable[..., None]) -> None:
    image = pictures.pillow().fromarray(values)
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = foreign.tiff(b"UNICODE\0" + "a cat\nSteps: 20, Seed: 5".encode("utf-16-be"), ">")
    for name, mode, options in (
        ("a.jpg", "RGB", {"exif": b"Exif\0\0" + exif, "icc_profile": profile}),
        ("cmyk.jpg", "CMYK", {}),
        ("a.webp", "RGBA", {"exif": exif, "lossless": True}),
        ("a.avif", "RGB", {"exif": exif}),
        ("a.heic", "RGB", {"exif": exif}),
        ("a.tif", "RGB", {"compression": "tiff_lzw"}),
        ("cmyk.tif", "CMYK", {"compression": "tiff_deflate"}),
        ("a.bmp", "RGB", {}),
        ("a.gif", "P", {}),
        ("few.png", "P", {"icc_profile": profile}),
        ("one.tif", "1", {"compression": "group4"}),
    ):
        image.convert(mode).save(folder / name, **options)
        damage = mutations.damaged_png if name.endswith("png") else mutations.damaged
        add("media", name, (folder / name).read_bytes(), damage)
    for name in ("grey16.png", "grey16.tif"):
        pictures.pillow().fromarray(values[..., 0].astype(np.uint16) * 257).save(folder / name)
        damage = mutations.damaged_png if name.endswith("png") else mutations.damaged
        add("media", name, (folder / name).read_bytes(), damage)


def _other_programs(add: Callable[..., None]) -> None:
    graph = json.loads((ROOT / "tests/engine/interop/corpus/advanced-api.json").read_bytes())
    graph = json.dumps(graph.get("graph", graph))
    line = "a (red:1.2) cat, <lora:ink:0.8>\nNegative prompt: blurry\n"
    line += "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 5, Size: 512x768"
    add("media", "a1111.png", foreign.png({"parameters": line}), mutations.damaged_png)
    add("media", "comfyui.png", foreign.png({"prompt": graph, "workflow": graph}), mutations.damaged_png)
    add("media", "zipped.png", foreign.png({"prompt": graph}, zipped=True), mutations.damaged_png)
    add("media", "stealth.png", foreign.stealth(line))
    add("media", "vhs.mp4", foreign.mp4({"comment": foreign.vhs_comment(json.loads(graph))}))
    add("media", "vhs.webm", foreign.webm({"comment": foreign.vhs_comment(json.loads(graph))}))
    add("text", "settings.txt", line.encode())
    for path in sorted((ROOT / "tests/corpus/metadata").iterdir()):
        if not path.name.endswith(".reading.json") and path.suffix in (".png", ".jpg", ".webp", ".json", ".txt"):
            kind = "media" if path.suffix in (".png", ".jpg", ".webp") else "text"
            damage = {".png": mutations.damaged_png, ".json": mutations.damaged_json}.get(
                path.suffix, mutations.damaged
            )
            add(kind, path.name, path.read_bytes(), damage)


def _graphs_and_recipes(still: str, add: Callable[..., None]) -> None:
    for folder in ("tests/engine/interop/corpus", "tests/corpus/graphs"):
        for path in sorted((ROOT / folder).glob("*.json")):
            if not path.name.endswith(".reading.json"):
                add("text", path.name, path.read_bytes(), mutations.damaged_json)
    recipe = json.loads(still)
    add("text", "recipe.json", still.encode(), mutations.damaged_json)
    full = recipe | {
        "inputs": [json.loads(json.dumps({"role": "start", "path": "own.png", "sha256": "", "strength": 0.5}))],
        "adapters": [{"name": "lora.safetensors", "sha256": "", "strength": 1.0}],
        "guidance_schedule": [[0.0, 1.0], [1.0, 4.0]],
        "conditioning": {"positive": [{"text": "a cat", "weight": 1.0}], "negative": []},
        "step_caching": 0.1,
    }
    add("text", "full.json", json.dumps(full).encode(), mutations.damaged_json)
    first = {
        "version": 1,
        "family": "sd35",
        "model": recipe["model"],
        "prompt": "a",
        "input": {"path": "own.png", "sha256": ""},
    }
    add("text", "first.json", json.dumps(first).encode(), mutations.damaged_json)
