"""What the graphs of the corpus are made of: the nodes of a plain SD3.5 graph, and what is expected of an import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.engine.interop.comfy_nodes import Graph, Out

LARGE = "sd3.5_large.safetensors"


ENCODERS = {
    "clip_name1": "clip_g.safetensors",
    "clip_name2": "clip_l.safetensors",
    "clip_name3": "t5xxl_fp16.safetensors",
}


@dataclass
class Expected:
    """``recipe`` has every field that differs from a plain SD3.5 Large import; the lists have parts of sentences."""

    recipe: dict[str, Any]
    approximated: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)


Case = tuple[Graph, Expected]


SD3 = {
    "family": "sd35",
    "model": "sd3.5-large",
    "prompt": "a red boat",
    "negative_prompt": "blurry",
    "steps": 20,
    "guidance": 4.0,
    "sampler": "euler",
    "scheduler": "sgm_uniform",
    "seed": 7,
    "text_encoding": "comfyui",
    "max_sequence_length": 77,
}


SAMPLING = {"seed": 7, "steps": 20, "cfg": 4.0, "sampler_name": "euler", "scheduler": "sgm_uniform", "denoise": 1.0}


class Parts:
    """The nodes of a plain SD3.5 graph, each made when first asked for."""

    def __init__(self, **loader: Any) -> None:
        self.g = Graph()
        self.checkpoint = self.g.add("CheckpointLoaderSimple", **({"ckpt_name": LARGE} | loader))
        self.model: Out = (self.checkpoint, 0)
        self.clip: Out = (self.g.add("TripleCLIPLoader", **ENCODERS), 0)
        self.vae: Out = (self.checkpoint, 2)

    def text(self, text: Any) -> Out:
        return (self.g.add("CLIPTextEncode", clip=self.clip, text=text), 0)

    def latent(self, width: Any = 1024, height: Any = 1024, batch: Any = 1) -> Out:
        return (self.g.add("EmptySD3LatentImage", width=width, height=height, batch_size=batch), 0)

    def sampled(self, **changes: Any) -> Out:
        """A KSampler with a plain prompt and negative, unless ``changes`` says otherwise."""
        inputs: dict[str, Any] = {"model": self.model} | SAMPLING | changes
        for name, plain in (("positive", "a red boat"), ("negative", "blurry")):
            if name not in inputs:
                inputs[name] = self.text(plain)
        if "latent_image" not in inputs:
            inputs["latent_image"] = self.latent()
        return (self.g.add("KSampler", **inputs), 0)

    def saved(self, latent: Out) -> Graph:
        image = self.g.add("VAEDecode", samples=latent, vae=self.vae)
        self.g.add("SaveImage", images=(image, 0), filename_prefix="ComfyUI")
        return self.g


def minimal() -> Case:
    p = Parts()
    return p.saved(p.sampled()), Expected(SD3, understood=["KSampler #6: 20 steps of euler with sgm_uniform"])
