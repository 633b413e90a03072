"""A1111's text, wherever it and its relatives put it, with what it says."""

from __future__ import annotations

from typing import Any

from tests.corpus.reading import Case, Reading
from tests.engine.interop.pictures import jpeg, png, stealth, tiff, webp

NOISE = "draws its noise otherwise"
SCHEDULER = "left the scheduler to the sampler"
UNKNOWN = "does not know the model"
LINE = (
    "Steps: 28, Sampler: DPM++ 2M, Schedule type: SGM Uniform, CFG scale: 4.5, Seed: 1234, Size: 832x1216,"
    " Model hash: ffef7a279d, Model: sd3.5_large"
)
A1111 = Reading(
    "Automatic1111",
    *("a red kite", "blurry", "sd3.5-large", 1234),
    sampler="dpmpp_2m",
    scheduler="sgm_uniform",
    width=832,
    height=1216,
    lost=[NOISE],
)


def of(base: Reading, **changes: Any) -> Reading:
    return Reading(**{**vars(base), **changes})


def _text(
    prompt: str = "a red kite", negative: str = "blurry", line: str = LINE, tail: str = ", Version: v1.10.1"
) -> str:
    return f"{prompt}\nNegative prompt: {negative}\n{line}{tail}"


def a1111() -> list[Case]:
    def one(name: str, text: str, lost: list[str] | None = None, **changes: Any) -> Case:
        reading = of(A1111, **changes)
        reading.lost = [*(lost or []), NOISE] if lost is not None or "lost" not in changes else reading.lost
        return f"a1111-{name}.png", png({"parameters": text}), reading

    return [
        one("plain", _text()),
        one("no-negative", f"a red kite\n{LINE}, Version: v1.10.1", negative=""),
        one("several-lines", _text("a red kite,\nover dunes,\n\nat dawn"), prompt="a red kite,\nover dunes,\n\nat dawn"),
        one("negative-lines", _text(negative="blurry,\nlow detail"), negative="blurry,\nlow detail"),
        one("crlf", _text("a red kite,\nsecond line").replace("\n", "\r\n"), prompt="a red kite,\nsecond line"),
        one(
            "template",
            _text() + "\nTemplate: a {red|green} kite\nNegative Template: blurry",
            lost=["Below the settings stands “Template: a {red|green} kite"],
        ),
        one(
            "template-lines",
            _text() + "\nTemplate: a {red|green} kite,\nover __place__,\nat dawn\nNegative Template: {blurry|grain}",
            lost=["Below the settings stands"],
        ),
        one("wildcard-below", _text() + "\nWildcard prompt: a __colour__ kite", lost=["Wildcard prompt: a __colour__"]),
        one("seed-minus-one", _text(line=LINE.replace("1234", "-1")), lost=["leaves the seed to chance (-1)"], seed=None),
        one(
            "guidance-infinite",
            _text(line=LINE.replace("4.5", "inf")),
            lost=["says “inf” for guidance, which is no number"],
            guidance=4.5,
        ),
        one(
            "sampler-with-schedule",
            _text(line="Steps: 30, Sampler: DPM++ 2M SDE Karras, CFG scale: 5, Seed: 9, Size: 512x768, Model: sd3.5_medium"),
            model="sd3.5-medium", seed=9, steps=30, guidance=5.0, sampler="dpmpp_2m_sde", scheduler="karras",
            width=512, height=768,
        ),
        one(
            "euler-a",
            _text(line="Steps: 30, Sampler: Euler a, CFG scale: 5, Seed: 9, Size: 512x768, Model: sd3.5_medium"),
            lost=[SCHEDULER], model="sd3.5-medium", seed=9, steps=30, guidance=5.0, sampler="euler_ancestral",
            scheduler="normal", width=512, height=768,
        ),
        one(
            "weights",
            _text("a (red:1.3) [kite]"),
            lost=["evens out what weights"],
            prompt="a (red:1.3) (kite:0.9090909090909091)",
        ),
        one("escapes", _text(r"a red kite \(paper\)"), prompt="a red kite (paper)"),
        one("break", _text("a red kite BREAK over dunes"), lost=["divided by BREAK"], prompt="a red kite, over dunes"),
        one(
            "editing",
            _text("a [red:green:0.5] kite"),
            lost=["changes words during the steps", "evens out what weights"],
            prompt="a (red:green:0.5:0.9090909090909091) kite",
        ),
        one(
            "lora",
            _text("a red kite <lora:kites:0.7>", tail=', Lora hashes: "kites: 3b1f00000000", Version: v1.10.1'),
            loras=[["kites.safetensors", 0.7]],
        ),
        one(
            "lora-by-hash",
            _text("a red kite <lora:renamed by me:0.7>", tail=', Lora hashes: "renamed by me: c0ffee001122", Version: v1.9'),
            loras=[["harbour-style.safetensors", 0.7]],
        ),
        one(
            "lora-in-hashes",
            _text(
                "a red kite <lora:other name:0.6>",
                tail=', Hashes: {"model": "ffef7a279d", "lora:other name": "c0ffee0011"}, Version: v1.10.1',
            ),
            loras=[["harbour-style.safetensors", 0.6]],
        ),
        one(
            "lora-missing",
            _text("<lora:dunes:1> a red kite, <lora:sky at night:0.25>"),
            loras=[["dunes", 1.0], ["sky at night", 0.25]],
            missing=["dunes", "sky at night"],
        ),
        one("lora-two-strengths", _text("a red kite<lora:kites:0.4:0.8>"), loras=[["kites.safetensors", 0.8, 0.4]]),
        one("lora-by-part", _text("a red kite<lora:kites:te=0.2:unet=0.9>"), loras=[["kites.safetensors", 0.9, 0.2]]),
        one("lora-no-strength", _text("a red kite <lora:kites>"), loras=[["kites.safetensors", 1.0]]),
        one(
            "hires",
            _text(tail=", Denoising strength: 0.4, Hires upscale: 2, Hires steps: 10, Hires upscaler: Latent, Version: v1.9.4"),
            lost=["A second pass enlarged"],
        ),
        one(
            "image-to-image",
            _text(tail=", Denoising strength: 0.6, Version: v1.9.4"),
            lost=["made from another one, which the file does not name"],
        ),
        one("clip-skip-1", _text(tail=", Clip skip: 2, Version: v1.9.4")),
        one("clip-skip-3", _text(tail=", Clip skip: 3, Version: v1.9.4"), lost=["Clip skip is 3"]),
        one("vae", _text(tail=", VAE hash: 551eac7037, VAE: mine.vae.pt, Version: v1.9.4"), lost=["The VAE mine.vae.pt"]),
        one("vae-automatic", _text(tail=", VAE: Automatic, Version: v1.9.4")),
        one(
            "controlnet",
            _text(
                tail=', ControlNet 0: "Module: canny, Model: sd3.5_large_canny [a1b2], Weight: 1, Guidance Start: 0,'
                ' Guidance End: 1", Version: v1.10.1'
            ),
            lost=["Settings that Laterna has none of: ControlNet 0"],
        ),
        one(
            "adetailer",
            _text(tail=", ADetailer model: face_yolov8n.pt, ADetailer confidence: 0.3, ADetailer version: 24.5.1"),
            lost=["Settings that Laterna has none of: ADetailer model"],
        ),
        one("no-version", _text(tail="")),
        one("words-like-settings", _text("a kite, Steps: of stone, Size: large"), prompt="a kite, Steps: of stone, Size: large"),
        one("comma-in-name", _text(line=LINE.replace("Model: sd3.5_large", 'Model: "sd3.5_large"'))),
        one("unknown-model", _text(line=LINE.replace("sd3.5_large", "dreamshaper_8").replace("ffef7a279d", "879db523c3")),
            lost=[UNKNOWN], model="dreamshaper_8", missing=["dreamshaper_8"]),
        one("model-by-hash", _text(line=LINE.replace("sd3.5_large", "renamed").replace("ffef7a279d", "abababab12"[:8])),
            ),
        one("no-size", _text(line=LINE.replace(" Size: 832x1216,", "")), lost=["does not say the picture's size"],
            width=1024, height=1024),
        one("cjk", _text("夜の港、赤い凧"), prompt="夜の港、赤い凧"),
        one("emoji", _text("a red kite 🪁 over dunes 🏜️"), prompt="a red kite 🪁 over dunes 🏜️"),
    ]  # fmt: skip


def in_other_places() -> list[Case]:
    text = _text("красный змей, 赤い凧")
    here = of(A1111, prompt="красный змей, 赤い凧")
    wide = {"be": "utf-16-be", "le": "utf-16-le"}
    found: list[Case] = [
        (
            f"exif-{order}-{mark}.jpg",
            jpeg(tiff(b"UNICODE\0" + start + text.encode(name), ">" if order == "be" else "<")),
            here,
        )
        for order, name in wide.items()
        for mark, start in (("plain", b""), ("marked", b"\xfe\xff" if order == "be" else b"\xff\xfe"))
    ]
    return [
        *found,
        ("exif-le-in-be-file.jpg", jpeg(tiff(b"UNICODE\0" + text.encode("utf-16-le"), ">")), here),
        ("exif-be-in-le-file.webp", webp(tiff(b"UNICODE\0" + text.encode("utf-16-be"), "<")), here),
        ("exif-utf8-as-ascii.jpg", jpeg(tiff(b"ASCII\0\0\0" + text.encode())), here),
        ("exif-utf8-without-code.webp", webp(tiff(text.encode())), here),
        ("exif-utf8-as-unicode.jpg", jpeg(tiff(b"UNICODE\0" + text.encode())), here),
        ("xp-comment.jpg", jpeg(tiff(b"\0" * 8, "<", {0x9C9C: text.encode("utf-16-le") + b"\0\0"})), here),
        ("image-description.jpg", jpeg(tiff(b"\0" * 8, "<", {0x010E: text.encode() + b"\0"})), here),
        ("stealth-alpha.png", stealth(text), here),
        ("stealth-alpha-plain.png", stealth(text, "stealth_pnginfo"), here),
        ("stealth-rgb.png", stealth(text, "stealth_rgbcomp"), here),
        ("stealth-alpha.webp", stealth(text, form="WEBP"), here),
        ("sidecar.txt", text.encode(), here),
        ("sidecar-utf16.txt", text.encode("utf-16"), here),
        ("sidecar-bom-crlf.txt", text.replace("\n", "\r\n").encode("utf-8-sig"), here),
        ("zipped.png", png({"parameters": text}, zipped=True), here),
    ]


def forks() -> list[Case]:
    def one(name: str, text: str, **changes: Any) -> Case:
        return f"{name}.png", png({"parameters": text}), of(A1111, **changes)

    return [
        one("forge", _text(tail=", Shift: 3.5, Version: f2.0.1v1.10.1-previous-665-gae278f79"), program="Forge", shift=3.5),
        one(
            "forge-modules",
            _text(tail=", Module 1: t5xxl_fp16, Module 2: clip_l, Beta schedule alpha: 0.6, Version: f2.0.1v1.10.1"),
            program="Forge",
            lost=["Settings that Laterna has none of: Module 1, Module 2", NOISE],
        ),
        one("reforge", _text(tail=", Version: f1.10.1-forge-v2"), program="Forge"),
        one(
            "sdnext",
            "a red kite\nNegative prompt: blurry\nSteps: 28, Size: 832x1216, Sampler: Euler FlowMatch, Seed: 1234,"
            " CFG scale: 4.5, Model: sd3.5_large, Model hash: ffef7a279d, App: SD.Next, Version: 3f1c5e8,"
            " Pipeline: StableDiffusion3Pipeline, Operations: txt2img",
            program="SD.Next", sampler="euler", scheduler="normal", lost=[SCHEDULER, NOISE],
        ),
        one(
            "fooocus-a1111",
            "a red kite\nNegative prompt: blurry\nSteps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 88, Size: 896x1152,"
            ' CFG scale: 4.0, Sharpness: 2.0, ADM Guidance: "(1.5, 0.8, 0.3)", Model: juggernautXL_v8Rundiffusion,'
            " Model hash: aeb7e9e689, Performance: Speed, Scheduler: karras, VAE: Default (model), Raw prompt: a red"
            ' kite, Raw negative prompt: blurry, Lora hashes: "sd_xl_offset_example-lora_1.0: 4852686128: 0.1, kites:'
            ' 3b1f000000: 0.5", Lora weights: "sd_xl_offset_example-lora_1.0: 0.1, kites: 0.5", Version: Fooocus v2.5.5',
            program="Fooocus", model="juggernautXL_v8Rundiffusion", seed=88, steps=30, guidance=4.0,
            sampler="dpmpp_2m_sde", scheduler="karras", width=896, height=1152,
            loras=[["sd_xl_offset_example-lora_1.0", 0.1], ["kites.safetensors", 0.5]],
            missing=["juggernautXL_v8Rundiffusion", "sd_xl_offset_example-lora_1.0"],
            lost=[UNKNOWN, NOISE, "Sharpness, ADM Guidance, Performance"],
        ),
    ]  # fmt: skip
