"""Pictures of the corpus with metadata, by ComfyUI and by other programs."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.engine.interop.corpus_editor import File
from tests.engine.interop.corpus_parts import SD3, Expected, Parts, minimal


def _picture() -> Image.Image:
    return Image.new("RGB", (8, 8), (90, 60, 30))


def _png(texts: dict[str, str], zipped: bool = False) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text, zip=zipped)
    buffer = io.BytesIO()
    _picture().save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def _with_exif(format_: str, tags: dict[int, Any], inner: dict[int, Any] | None = None) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    for tag, value in (inner or {}).items():
        exif.get_ifd(0x8769)[tag] = value
    buffer = io.BytesIO()
    _picture().save(buffer, format_, exif=exif)
    return buffer.getvalue()


def png_of_comfyui() -> File:
    graph = minimal()[0]
    return "png", _png({"prompt": json.dumps(graph.api()), "workflow": json.dumps(graph.ui())}), Expected(SD3)


def png_with_workflow_only() -> File:
    return "png", _png({"workflow": json.dumps(minimal()[0].ui())}, zipped=True), Expected(SD3)


def png_in_unicode() -> File:
    p = Parts()
    graph = p.saved(p.sampled(positive=p.text("ein rotes Boot, 赤い船"))).api()
    return (
        "png",
        _png({"prompt": json.dumps(graph, ensure_ascii=False)}),
        Expected(SD3 | {"prompt": "ein rotes Boot, 赤い船"}),
    )


def webp_of_comfyui() -> File:
    """SaveAnimatedWEBP hides the graph in the tags Model and Make."""
    graph = minimal()[0]
    tags = {0x0110: "prompt:" + json.dumps(graph.api()), 0x010F: "workflow:" + json.dumps(graph.ui())}
    return "webp", _with_exif("WEBP", tags), Expected(SD3)


A1111 = {
    "family": "sd35",
    "model": "sd3.5-large",
    "prompt": "a red boat",
    "negative_prompt": "blurry",
    "steps": 28,
    "guidance": 4.5,
    "sampler": "dpmpp_2m",
    "scheduler": "sgm_uniform",
    "seed": 1234,
    "width": 832,
    "height": 1216,
}


_LINE = (
    "Steps: 28, Sampler: DPM++ 2M, Schedule type: SGM Uniform, CFG scale: 4.5, Seed: 1234, Size: 832x1216,"
    " Model hash: ffef7a279d, Model: sd3.5_large"
)


_NOISE = "draws its noise otherwise"


def automatic1111() -> File:
    text = f"a red boat\nNegative prompt: blurry\n{_LINE}, Version: v1.10.1"
    return "png", _png({"parameters": text}), Expected(A1111, [_NOISE])


def automatic1111_weights() -> File:
    text = (
        "a (red:1.2) [boat] \\(wooden\\) <lora:ink:0.7>\nNegative prompt: blurry, ((bad))\n"
        f'{_LINE}, Lora hashes: "ink: 0123456789ab", Denoising strength: 0.4, Hires upscale: 2, Version: v1.10.1'
    )
    recipe = A1111 | {
        "prompt": "a (red:1.2) (boat:0.9090909090909091) \\(wooden\\)",
        "negative_prompt": f"blurry, (bad:{1.1 * 1.1!r})",
        "text_encoding": "comfyui",
        "adapters": [{"name": "ink", "strength": 0.7}],
    }
    return (
        "png",
        _png({"parameters": text}),
        Expected(recipe, ["evens out what weights add up to", _NOISE], ["A second pass"], ["ink"]),
    )


def forge() -> File:
    line = _LINE.replace("Schedule type: SGM Uniform", "Schedule type: Simple")
    text = f"a red boat\nNegative prompt: blurry\n{line}, Shift: 3.5, Version: f2.0.1v1.10.1-previous-665"
    return "txt", text.encode(), Expected(A1111 | {"scheduler": "simple", "shift": 3.5}, [_NOISE])


def sdnext() -> File:
    """In a JPEG's EXIF, in UTF-16."""
    text = (
        "a red boat\nNegative prompt: blurry\nSteps: 28, Size: 832x1216, Seed: 1234, CFG scale: 4.5,"
        " Model: sd3.5_large, App: SD.Next, Version: 3f1c5e8, Pipeline: StableDiffusion3Pipeline, Operations: txt2img"
    )
    comment = b"UNICODE\0" + text.encode("utf-16-be")
    return (
        "jpg",
        _with_exif("JPEG", {}, {0x9286: comment}),
        Expected(A1111 | {"sampler": "euler", "scheduler": "normal"}, ["does not say its sampler", _NOISE]),
    )


def invokeai() -> File:
    data = {
        "app_version": "5.6.0",
        "generation_mode": "sd3_txt2img",
        "positive_prompt": "a red boat",
        "negative_prompt": "blurry",
        "width": 832,
        "height": 1216,
        "seed": 1234,
        "cfg_scale": 4.5,
        "steps": 28,
        "model": {
            "key": "k",
            "hash": "blake3:00",
            "name": "stable-diffusion-3.5-large",
            "base": "sd-3",
            "type": "main",
        },
        "loras": [{"model": {"name": "ink"}, "weight": 0.5}],
    }
    recipe = A1111 | {"sampler": "euler", "scheduler": "normal", "adapters": [{"name": "ink", "strength": 0.5}]}
    return "png", _png({"invokeai_metadata": json.dumps(data)}), Expected(recipe, [_NOISE], missing=["ink"])


def fooocus() -> File:
    data = {
        "prompt": "a red boat",
        "negative_prompt": "blurry",
        "styles": "['Fooocus V2']",
        "performance": "Speed",
        "steps": 30,
        "resolution": "(832, 1216)",
        "guidance_scale": 4.0,
        "sharpness": 2.0,
        "base_model": "juggernautXL_v8Rundiffusion",
        "base_model_hash": "aeb7e9e689",
        "sampler": "dpmpp_2m_sde_gpu",
        "scheduler": "karras",
        "seed": "1234",
        "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"]],
        "metadata_scheme": "fooocus",
        "version": "Fooocus v2.5.5",
    }
    recipe = A1111 | {
        "model": "juggernautXL_v8Rundiffusion",
        "steps": 30,
        "guidance": 4.0,
        "sampler": "dpmpp_2m_sde",
        "scheduler": "karras",
        "adapters": [{"name": "sd_xl_offset_example-lora_1.0", "strength": 0.1}],
    }
    expected = Expected(
        recipe,
        ["does not know the model “juggernautXL_v8Rundiffusion”", _NOISE],
        ["Fooocus' styles", "Fooocus also used sharpness"],
        ["juggernautXL_v8Rundiffusion", "sd_xl_offset_example-lora_1.0"],
    )
    return "png", _png({"parameters": json.dumps(data), "fooocus_scheme": "fooocus"}), expected


def big_endian_exif() -> File:
    """A TIFF block as cameras write it, built by hand."""
    text = f"a red boat\nNegative prompt: blurry\n{_LINE}, Version: v1.10.1".encode()
    comment = b"ASCII\0\0\0" + text
    inner = struct.pack(">HHHII", 1, 0x9286, 7, len(comment), 8 + 2 + 12 + 4 + 2 + 12 + 4) + b"\0" * 4
    outer = struct.pack(">HHHII", 1, 0x8769, 4, 1, 8 + 2 + 12 + 4) + b"\0" * 4
    tiff = b"MM\0*" + struct.pack(">I", 8) + outer + inner + comment
    body = b"Exif\0\0" + tiff
    jpeg = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(body) + 2) + body + b"\xff\xd9"
    return "jpg", jpeg, Expected(A1111, [_NOISE])


FILES = (
    *(png_of_comfyui, png_with_workflow_only, png_in_unicode, webp_of_comfyui, automatic1111),
    *(automatic1111_weights, forge, sdnext, invokeai, fooocus, big_endian_exif),
)
