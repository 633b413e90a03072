"""What the graphs of the corpus have in common: a decorator that collects them, and the plain rest of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.corpus.graphs import G, Made, Out, compact
from tests.corpus.reading import Case, Reading

SD = Reading("ComfyUI", "a red kite", "blurry", "sd3.5-large", 77, 28, 4.5, "euler", "simple", width=832, height=1216)
COG = Reading(
    "ComfyUI",
    "a stag",
    "",
    "cogvideox-5b",
    43,
    25,
    6.0,
    "ddim",
    "trailing",
    1.0,
    720,
    480,
    49,
    8,
    family="cogvideox",
    lost=["decodes in tiles"],
)
LARGE = "sd3.5_large.safetensors"
PREFIX = "ComfyUI/kite"
Build = Callable[[G], None]
After = Callable[[dict[str, Any]], None]
FORMS = ("api", "ui", "modern")


def of(base: Reading, changes: dict[str, Any]) -> Reading:
    """``base`` with ``changes``; what is lost comes on top."""
    return Reading(**{**vars(base), **changes, "lost": [*base.lost, *changes.get("lost", [])]})


class Collection:
    """``@collection("name", steps=30)`` says what a graph says beyond ``base``; ``forms`` are those it is
    written in."""

    def __init__(self, base: Reading) -> None:
        self._base = base
        self._found: list[tuple[str, Build, Reading, tuple[str, ...], After | None]] = []

    def __call__(
        self, name: str, forms: tuple[str, ...] = ("api", "ui"), after: Any = None, **changes: Any
    ) -> Callable[[Build], Build]:
        def keep(build: Build) -> Build:
            self._found.append((name, build, of(self._base, changes), forms, after))
            return build

        return keep

    def cases(self) -> list[Case]:
        found: list[Case] = []
        for name, build, reading, forms, after in self._found:
            for form in forms:
                g = G()
                build(g)
                data = g.api() if form == "api" else g.ui(form == "modern")
                if after is not None and form != "api":
                    after(data)
                found.append((f"{name}-{form}.json", compact(data), reading))
        return found


def loaded(g: G, name: str = LARGE) -> Made:
    return g("CheckpointLoaderSimple", ckpt_name=name)


def text(g: G, clip: Out, words: Any) -> Out:
    return g("CLIPTextEncode", clip=clip, text=words)["CONDITIONING"]


def empty(g: G, width: Any = 832, height: Any = 1216, batch: Any = 1) -> Out:
    return g("EmptySD3LatentImage", width=width, height=height, batch_size=batch)["LATENT"]


def saved(g: G, latent: Out, vae: Out) -> None:
    g("SaveImage", images=g("VAEDecode", samples=latent, vae=vae)["IMAGE"], filename_prefix=PREFIX)


SAMPLING = {"seed": 77, "steps": 28, "cfg": 4.5, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}


def rest(g: G, ckpt: Made | None = None, **given: Any) -> None:
    """All of a plain SD3.5 graph that is not ``given``: model, clip, vae, positive, negative, latent, or a setting."""
    ckpt = ckpt or (loaded(g) if not {"model", "clip", "vae"} <= set(given) else None)
    model, clip, vae = (given.pop(name, None) or (ckpt and ckpt[name.upper()]) for name in ("model", "clip", "vae"))
    positive = given.pop("positive", None) or text(g, clip, given.pop("words", "a red kite"))
    negative = given.pop("negative", None) or text(g, clip, given.pop("not_words", "blurry"))
    latent = given.pop("latent", None) or empty(g)
    sampler = g("KSampler", model=model, positive=positive, negative=negative, latent_image=latent, **SAMPLING | given)
    saved(g, sampler["LATENT"], vae)


def cog_loader(g: G, model: str = "THUDM/CogVideoX-5b", **more: Any) -> Made:
    return g("DownloadAndLoadCogVideoModel", model=model, **more)


def cog_rest(
    g: G, loader: Made | None = None, fps: Any = 8, model: Out | None = None, vae: Out | None = None, **given: Any
) -> None:
    """All of a plain CogVideoX graph that is not ``given``, with the wrapper's nodes of 2025."""
    loader = loader or cog_loader(g)
    clip = g("CLIPLoader", clip_name="t5xxl_fp16.safetensors", type="sd3")["CLIP"]
    positive = g("CogVideoTextEncode", clip=clip, prompt=given.pop("words", "a stag"))
    negative = g("CogVideoTextEncode", clip=clip, prompt=given.pop("not_words", ""))
    if "samples" not in given and "image_cond_latents" not in given:
        given["samples"] = g("EmptyLatentImage", width=720, height=480, batch_size=1)["LATENT"]
    sampler = g(
        "CogVideoSampler",
        **{
            "model": model or loader["model"], "positive": positive["conditioning"],
            "negative": negative["conditioning"], "num_frames": 49, "steps": 25, "cfg": 6.0, "seed": 43,
            "scheduler": "CogVideoXDDIM", "denoise_strength": 1.0,
        } | given,
    )  # fmt: skip
    images = g("CogVideoDecode", vae=vae or loader[1], samples=sampler["samples"])["images"]
    g("VHS_VideoCombine", images=images, frame_rate=fps)
