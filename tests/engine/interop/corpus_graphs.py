"""The graphs of the corpus, one function each, with the recipe that a person reads out of it.

A function returns the graph and what is expected: the recipe's fields, and a part of each sentence.
"""

from __future__ import annotations

from collections.abc import Callable
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


def published_large() -> Case:
    """Stability's own graph: the negative prompt for the first tenth, zeros of it for the rest."""
    p = Parts()
    positive, negative = p.text("a red boat"), p.text("blurry")
    zero = p.g.add("ConditioningZeroOut", conditioning=negative)
    late = p.g.add("ConditioningSetTimestepRange", conditioning=(zero, 0), start=0.1, end=1.0)
    early = p.g.add("ConditioningSetTimestepRange", conditioning=negative, start=0.0, end=0.1)
    both = p.g.add("ConditioningCombine", conditioning_1=(late, 0), conditioning_2=(early, 0))
    p.model = (p.g.add("ModelSamplingSD3", model=p.model, shift=3.0), 0)
    latent = p.sampled(positive=positive, negative=(both, 0), steps=40, cfg=4.5, sampler_name="dpmpp_2m")
    fields = {"steps": 40, "guidance": 4.5, "sampler": "dpmpp_2m", "negative_range": {"end": 0.1}}
    return p.saved(latent), Expected(SD3 | fields)


def published_medium() -> Case:
    p = Parts(ckpt_name="sd3.5_medium.safetensors")
    positive, negative = p.text("a red boat"), p.text("blurry")
    zero = p.g.add("ConditioningZeroOut", conditioning=negative)
    late = p.g.add("ConditioningSetTimestepRange", conditioning=(zero, 0), start=0.2, end=1.0)
    early = p.g.add("ConditioningSetTimestepRange", conditioning=negative, start=0.0, end=0.2)
    both = p.g.add("ConditioningCombine", conditioning_1=(early, 0), conditioning_2=(late, 0))
    shifted = p.g.add("ModelSamplingSD3", model=p.model, shift=3.0)
    skip = {"layers": "7, 8, 9", "scale": 3.0, "start_percent": 0.01, "end_percent": 0.15}
    p.model = (p.g.add("SkipLayerGuidanceSD3", model=(shifted, 0), **skip), 0)
    latent = p.sampled(positive=positive, negative=(both, 0), cfg=5.5, latent_image=p.latent(1440, 1440))
    skipped = {"scale": 3.0, "start": 0.01, "end": 0.15, "window": "sigma"}
    fields = {
        "model": "sd3.5-medium",
        "guidance": 5.5,
        "width": 1440,
        "height": 1440,
        "negative_range": {"end": 0.2},
        "skip_layer_guidance": skipped,
    }
    return p.saved(latent), Expected(SD3 | fields)


def separate_texts() -> Case:
    p = Parts()
    texts = {"clip_l": "boat", "clip_g": "red boat", "t5xxl": "a red boat", "empty_padding": "none"}
    positive = (p.g.add("CLIPTextEncodeSD3", clip=p.clip, **texts), 0)
    same = {name: "blurry" for name in ("clip_l", "clip_g", "t5xxl")}
    negative = (p.g.add("CLIPTextEncodeSD3", clip=p.clip, **same, empty_padding="none"), 0)
    said = {"positive": [{"clip_l": "boat", "clip_g": "red boat"}]}
    return p.saved(p.sampled(positive=positive, negative=negative)), Expected(SD3 | {"conditioning": said})


def empty_t5() -> Case:
    p = Parts()
    texts = {"clip_l": "a red boat", "clip_g": "a red boat", "t5xxl": "", "empty_padding": "none"}
    positive = (p.g.add("CLIPTextEncodeSD3", clip=p.clip, **texts), 0)
    said = {"positive": [{"clip_l": "a red boat", "clip_g": "a red boat"}]}
    return p.saved(p.sampled(positive=positive)), Expected(
        SD3 | {"prompt": "", "conditioning": said}, ["CLIPTextEncodeSD3 #3 leaves T5 out"]
    )


def average() -> Case:
    p = Parts()
    boat, ship, raft = p.text("a red boat"), p.text("a ship"), p.text("a raft")
    inner = p.g.add("ConditioningAverage", conditioning_to=ship, conditioning_from=raft, conditioning_to_strength=0.5)
    outer = p.g.add(
        "ConditioningAverage", conditioning_to=boat, conditioning_from=(inner, 0), conditioning_to_strength=0.5
    )
    # 0.5 boat + 0.25 ship + 0.25 raft: ship first (0.5 of 0.75), then raft (0.75 of 1)
    mix = [{"words": {"text": "a ship"}, "keep": 0.5 / 0.75}, {"words": {"text": "a raft"}, "keep": 0.75}]
    said = {"positive": [{"mix": mix}]}
    return p.saved(p.sampled(positive=(outer, 0))), Expected(SD3 | {"conditioning": said})


def prompt_switch() -> Case:
    """One prompt for the composition, another for the details, both in the middle."""
    p = Parts()
    first = p.g.add("ConditioningSetTimestepRange", conditioning=p.text("a red boat"), start=0.0, end=0.6)
    second = p.g.add("ConditioningSetTimestepRange", conditioning=p.text("storm"), start=0.4, end=1.0)
    both = p.g.add("ConditioningCombine", conditioning_1=(first, 0), conditioning_2=(second, 0))
    said = {"positive": [{"range": {"end": 0.6}}, {"text": "storm", "range": {"start": 0.4}}]}
    return p.saved(p.sampled(positive=(both, 0))), Expected(
        SD3 | {"conditioning": said}, understood=["2 positive conditionings"]
    )


def gap() -> Case:
    """A negative prompt in its range alone: after it ComfyUI predicts nothing."""
    p = Parts()
    early = p.g.add("ConditioningSetTimestepRange", conditioning=p.text("blurry"), start=0.0, end=0.3)
    return p.saved(p.sampled(negative=(early, 0))), Expected(
        SD3 | {"negative_range": {"end": 0.3}}, ["No negative prompt covers 30% to 100%"]
    )


def zeroed_negative() -> Case:
    p = Parts()
    zero = p.g.add("ConditioningZeroOut", conditioning=p.text(""))
    said = {"negative": [{"zero": True}]}
    return p.saved(p.sampled(negative=(zero, 0))), Expected(SD3 | {"negative_prompt": "", "conditioning": said})


def without_t5() -> Case:
    p = Parts()
    names = {"clip_name1": "clip_g.safetensors", "clip_name2": "clip_l.safetensors"}
    p.clip = (p.g.add("DualCLIPLoader", **names, type="sd3", device="default"), 0)
    return p.saved(p.sampled()), Expected(
        SD3 | {"use_t5": False}, ignored=["Not part of this picture: TripleCLIPLoader #2"]
    )


def separate_files() -> Case:
    p = Parts()
    p.g = Graph()
    p.model = (p.g.add("UNETLoader", unet_name="sd3.5_large_fp8_scaled.safetensors", weight_dtype="fp8_e4m3fn"), 0)
    p.clip = (p.g.add("CLIPLoader", clip_name="t5xxl_fp8_e4m3fn.safetensors", type="sd3", device="default"), 0)
    p.vae = (p.g.add("VAELoader", vae_name="my_vae.safetensors"), 0)
    return p.saved(p.sampled()), Expected(
        SD3,
        [
            "VAELoader #3 decodes with a VAE of its own",
            "UNETLoader #1 runs reduced weights",
            "t5xxl_fp8_e4m3fn.safetensors has reduced weights",
            "The workflow loads no CLIP-G and no CLIP-L",
        ],
        missing=["my_vae.safetensors"],
    )


def loras() -> Case:
    p = Parts()
    one = p.g.add(
        "LoraLoader", model=p.model, clip=p.clip, lora_name="art/ink.safetensors", strength_model=0.8, strength_clip=0.4
    )
    p.clip = (one, 1)
    p.model = (p.g.add("LoraLoaderModelOnly", model=(one, 0), lora_name="wide.safetensors", strength_model=1.0), 0)
    adapters = [
        {"name": "ink.safetensors", "strength": 0.8, "text_strength": 0.4},
        {"name": "wide.safetensors", "text_strength": 0.0},
    ]
    return p.saved(p.sampled()), Expected(SD3 | {"adapters": adapters}, missing=["ink.safetensors", "wide.safetensors"])


def image_to_image() -> Case:
    p = Parts()
    image = p.g.add("LoadImage", image="harbour.png")
    scaled = p.g.add("ImageScale", image=(image, 0), upscale_method="lanczos", width=768, height=512, crop="center")
    latent = (p.g.add("VAEEncode", pixels=(scaled, 0), vae=p.vae), 0)
    fields = {"width": 768, "height": 512, "input": {"path": "harbour.png", "strength": 0.6}}
    return p.saved(p.sampled(latent_image=latent, denoise=0.6)), Expected(SD3 | fields, missing=["harbour.png"])


def unscaled_picture() -> Case:
    p = Parts()
    image = p.g.add("LoadImage", image="../../etc/passwd")
    latent = (p.g.add("VAEEncode", pixels=(image, 0), vae=p.vae), 0)
    return p.saved(p.sampled(latent_image=latent, denoise=0.5)), Expected(
        SD3 | {"input": {"path": "passwd", "strength": 0.5}},
        ["The workflow does not say the picture's size"],
        missing=["passwd"],
    )


def batch() -> Case:
    p = Parts()
    latent = (p.g.add("RepeatLatentBatch", samples=p.latent(512, 768, 2), amount=3), 0)
    fields = {"width": 512, "height": 768, "batch": 6}
    return p.saved(p.sampled(latent_image=latent)), Expected(
        SD3 | fields, understood=["RepeatLatentBatch #4 repeats the latent 3 times"]
    )


def _advanced(p: Parts, latent: Out, start: int, end: int, cfg: float, **changes: Any) -> Out:
    inputs: dict[str, Any] = {
        "add_noise": "enable" if start == 0 else "disable",
        "noise_seed": 7,
        "steps": 20,
        "cfg": cfg,
        "sampler_name": "euler",
        "scheduler": "sgm_uniform",
        "start_at_step": start,
        "end_at_step": end,
        "return_with_leftover_noise": "enable" if end < 20 else "disable",
    }
    return (p.g.add("KSamplerAdvanced", model=p.model, latent_image=latent, **(inputs | changes)), 0)


def advanced() -> Case:
    p = Parts()
    sides = {"positive": p.text("a red boat"), "negative": p.text("blurry")}
    return p.saved(_advanced(p, p.latent(), 0, 10000, 4.0, **sides)), Expected(SD3)


def guidance_in_parts() -> Case:
    p = Parts()
    sides = {"positive": p.text("a red boat"), "negative": p.text("blurry")}
    latent = _advanced(p, p.latent(), 0, 5, 7.0, **sides)
    latent = _advanced(p, latent, 5, 15, 4.0, **sides)
    latent = _advanced(p, latent, 15, 10000, 1.0, **sides)
    points = [
        {"at": 0.2, "scale": 7.0},
        {"at": 0.25, "scale": 4.0},
        {"at": 0.7, "scale": 4.0},
        {"at": 0.75, "scale": 1.0},
    ]
    return p.saved(latent), Expected(
        SD3 | {"guidance": 7.0, "guidance_schedule": points}, understood=["Of 3 samplers", "run one schedule in parts"]
    )


def late_start() -> Case:
    """KSamplerAdvanced from step 12 of 20 on a picture is img2img with a denoise strength of 8/20."""
    p = Parts()
    sides = {"positive": p.text("a red boat"), "negative": p.text("blurry")}
    image = p.g.add("LoadImage", image="harbour.png")
    scaled = p.g.add("ImageScale", image=(image, 0), upscale_method="area", width=512, height=512, crop="disabled")
    latent = (p.g.add("VAEEncode", pixels=(scaled, 0), vae=p.vae), 0)
    sampled = _advanced(p, latent, 12, 10000, 4.0, **sides, add_noise="enable")
    fields = {"width": 512, "height": 512, "steps": 8, "input": {"path": "harbour.png", "strength": 0.4}}
    return p.saved(sampled), Expected(SD3 | fields, missing=["harbour.png"])


def two_passes() -> Case:
    p = Parts()
    positive, negative = p.text("a red boat"), p.text("blurry")
    first = p.sampled(positive=positive, negative=negative)
    larger = p.g.add("LatentUpscaleBy", samples=first, upscale_method="bislerp", scale_by=1.5)
    second = p.sampled(positive=positive, negative=negative, latent_image=(larger, 0), seed=8, denoise=0.5)
    return p.saved(second), Expected(
        SD3,
        ignored=["LatentUpscaleBy #7 changes the latent", "KSampler #8 works on the picture again (20 steps"],
        understood=["Of 2 samplers KSampler #8 was picked: it feeds SaveImage #10"],
    )


def two_pictures() -> Case:
    p = Parts()
    p.saved(p.sampled())
    return p.saved(p.sampled(seed=99)), Expected(
        SD3,
        ignored=["Several pictures are saved; this is the recipe of the one from SaveImage #8", "Not part of this"],
        understood=["Of 2 samplers KSampler #6"],
    )


def custom() -> Case:
    p = Parts()
    sigmas = p.g.add("BasicScheduler", model=p.model, scheduler="beta", steps=12, denoise=1.0)
    sampler = p.g.add("KSamplerSelect", sampler_name="res_multistep")
    out = p.g.add(
        "SamplerCustom",
        model=p.model,
        positive=p.text("a red boat"),
        negative=p.text("blurry"),
        sampler=(sampler, 0),
        sigmas=(sigmas, 0),
        latent_image=p.latent(),
        add_noise=True,
        noise_seed=7,
        cfg=4.0,
    )
    return p.saved((out, 0)), Expected(SD3 | {"sampler": "res_multistep", "scheduler": "beta", "steps": 12})


def custom_advanced() -> Case:
    p = Parts()
    p.model = (p.g.add("ModelSamplingSD3", model=p.model, shift=5.0), 0)
    guider = p.g.add("CFGGuider", model=p.model, positive=p.text("a red boat"), negative=p.text("blurry"), cfg=4.0)
    out = p.g.add(
        "SamplerCustomAdvanced",
        noise=(p.g.add("RandomNoise", noise_seed=7), 0),
        guider=(guider, 0),
        sampler=(p.g.add("SamplerDPMPP_2M_SDE", solver_type="midpoint", eta=0.5, s_noise=1.0, noise_device="cpu"), 0),
        sigmas=(p.g.add("BasicScheduler", model=p.model, scheduler="simple", steps=30, denoise=1.0), 0),
        latent_image=p.latent(),
    )
    fields = {"shift": 5.0, "sampler": "dpmpp_2m_sde", "scheduler": "simple", "steps": 30}
    return p.saved((out, 0)), Expected(SD3 | fields, ["SamplerDPMPP_2M_SDE #8 has eta 0.5"])


def basic_guider() -> Case:
    """Large Turbo as it is meant: four steps, no guidance, no negative prompt."""
    p = Parts(ckpt_name="sd3.5_large_turbo.safetensors")
    out = p.g.add(
        "SamplerCustomAdvanced",
        noise=(p.g.add("RandomNoise", noise_seed=7), 0),
        guider=(p.g.add("BasicGuider", model=p.model, conditioning=p.text("a red boat")), 0),
        sampler=(p.g.add("KSamplerSelect", sampler_name="euler"), 0),
        sigmas=(p.g.add("KarrasScheduler", steps=4, sigma_max=1.0, sigma_min=0.01, rho=7.0), 0),
        latent_image=p.latent(),
    )
    fields = {"model": "sd3.5-large-turbo", "guidance": 1.0, "steps": 4, "negative_prompt": "", "scheduler": "karras"}
    return p.saved((out, 0)), Expected(SD3 | fields, ["KarrasScheduler #7 sets its sigmas"])


def split_sigmas() -> Case:
    p = Parts()
    sigmas = p.g.add("BasicScheduler", model=p.model, scheduler="normal", steps=20, denoise=1.0)
    late = p.g.add("SplitSigmas", sigmas=(sigmas, 0), step=10)
    image = p.g.add("LoadImage", image="harbour.png")
    scaled = p.g.add("ImageScale", image=(image, 0), upscale_method="area", width=1024, height=1024, crop="disabled")
    out = p.g.add(
        "SamplerCustom",
        model=p.model,
        positive=p.text("a red boat"),
        negative=p.text("blurry"),
        sampler=(p.g.add("KSamplerSelect", sampler_name="heun"), 0),
        sigmas=(late, 1),
        latent_image=(p.g.add("VAEEncode", pixels=(scaled, 0), vae=p.vae), 0),
        add_noise=True,
        noise_seed=7,
        cfg=4.0,
    )
    fields = {"sampler": "heun", "scheduler": "normal", "steps": 10, "input": {"path": "harbour.png", "strength": 0.5}}
    return p.saved((out, 0)), Expected(SD3 | fields, missing=["harbour.png"])


def tiled_preview() -> Case:
    p = Parts()
    image = p.g.add(
        "VAEDecodeTiled",
        samples=p.sampled(),
        vae=p.vae,
        tile_size=512,
        overlap=64,
        temporal_size=64,
        temporal_overlap=8,
    )
    larger = p.g.add("ImageScaleBy", image=(image, 0), upscale_method="lanczos", scale_by=2.0)
    p.g.add("PreviewImage", images=(larger, 0))
    return p.g, Expected(SD3, ignored=["VAEDecodeTiled #7 sets tile sizes", "Laterna leaves out ImageScaleBy #8"])


def weights() -> Case:
    p = Parts()
    text = r"a (red:1.3) boat \(at sea\) embedding:glow"
    return p.saved(p.sampled(positive=p.text(text))), Expected(
        SD3 | {"prompt": text}, ["CLIPTextEncode #3 names a textual inversion"]
    )


def joined_texts() -> Case:
    p = Parts()
    text = p.g.add("StringConcatenate", string_a="a red", string_b="boat", delimiter=" ")
    seed = p.g.add("PrimitiveInt", value=7)
    return p.saved(p.sampled(positive=p.text((text, 0)), seed=(seed, 0))), Expected(SD3)


def concat() -> Case:
    p = Parts()
    both = p.g.add("ConditioningConcat", conditioning_to=p.text("a red boat"), conditioning_from=p.text("at dawn"))
    return p.saved(p.sampled(positive=(both, 0))), Expected(
        SD3 | {"prompt": "a red boat, at dawn"}, ["ConditioningConcat #5 puts two encoded texts in a row"]
    )


def controlnet() -> Case:
    p = Parts()
    image = p.g.add("LoadImage", image="edges.png")
    strength = {"strength": 0.7, "start_percent": 0.0, "end_percent": 1.0}
    sides = {"positive": p.text("a red boat"), "negative": p.text("blurry")}
    both = p.g.add("ControlNetApplyAdvanced", image=(image, 0), **sides, **strength)
    return p.saved(p.sampled(positive=(both, 0), negative=(both, 1))), Expected(
        SD3,
        ignored=["ControlNetApplyAdvanced #6 changes the conditioning", "Laterna leaves out LoadImage #3"],
    )


def unknown_nodes() -> Case:
    p = Parts(ckpt_name="dreamshaper_8.safetensors")
    odd = p.g.add("Mystery", samples=p.latent(1000, 24), strength=1.0)
    latent = p.sampled(latent_image=(odd, 0), sampler_name="heunpp2", scheduler="turbo", steps=5000, cfg=99.0)
    fields = {
        "model": "dreamshaper_8",
        "width": 992,
        "height": 64,
        "sampler": "heun",
        "scheduler": "simple",
        "steps": 200,
        "guidance": 30.0,
    }
    return p.saved(latent), Expected(
        SD3 | fields,
        [
            "Laterna has no heunpp2; heun is its nearest relative",
            "KSampler #7 names a scheduler “turbo”",
            "Stable Diffusion 3.5 makes 992 × 64 instead of 1000 × 24",
            "Steps: 5000 is outside 1 to 200",
            "Guidance: 99 is outside 0 to 30",
        ],
        ignored=["Mystery #4 changes the latent"],
        missing=["dreamshaper_8.safetensors"],
    )


def cogvideox() -> Case:
    g = Graph()
    loader = g.add(
        "DownloadAndLoadCogVideoModel",
        model="THUDM/CogVideoX-5b",
        precision="bf16",
        quantization="disabled",
        enable_sequential_cpu_offload=False,
        attention_mode="sdpa",
        load_device="main_device",
    )
    clip = g.add("CLIPLoader", clip_name="t5xxl_fp16.safetensors", type="sd3", device="default")
    positive = g.add("CogVideoTextEncode", clip=(clip, 0), prompt="waves at dusk", strength=1.0, force_offload=False)
    negative = g.add("CogVideoTextEncode", clip=(positive, 1), prompt="still", strength=1.0, force_offload=True)
    size = g.add("EmptyLatentImage", width=720, height=480, batch_size=1)
    sampler = g.add(
        "CogVideoSampler",
        model=(loader, 0),
        positive=(positive, 0),
        negative=(negative, 0),
        samples=(size, 0),
        num_frames=49,
        steps=50,
        cfg=6.0,
        seed=3,
        scheduler="CogVideoXDDIM",
        denoise_strength=1.0,
    )
    images = g.add(
        "CogVideoDecode",
        vae=(loader, 1),
        samples=(sampler, 0),
        enable_vae_tiling=True,
        tile_h=240,
        tile_w=360,
        overlap_h=0.2,
        overlap_w=0.2,
        auto_tile_size=True,
    )
    g.add("VHS_VideoCombine", images=(images, 0), frame_rate=16, loop_count=0, filename_prefix="Cog")
    recipe = {
        "family": "cogvideox",
        "model": "cogvideox-5b",
        "prompt": "waves at dusk",
        "negative_prompt": "still",
        "width": 720,
        "height": 480,
        "frames": 49,
        "fps": 16,
        "steps": 50,
        "guidance": 6.0,
        "sampler": "ddim",
        "scheduler": "trailing",
        "shift": 1.0,
        "seed": 3,
        "max_sequence_length": 226,
    }
    return g, Expected(recipe, ignored=["CogVideoDecode #7 sets tile sizes"])


# Each of these is written to the corpus in both of ComfyUI's forms.
GRAPHS: dict[str, Callable[[], Case]] = {
    make.__name__.replace("_", "-"): make
    for make in (
        *(minimal, published_large, published_medium, separate_texts, empty_t5, average, prompt_switch, gap),
        *(zeroed_negative, without_t5, separate_files, loras, image_to_image, unscaled_picture, batch, advanced),
        *(guidance_in_parts, late_start, two_passes, two_pictures, custom, custom_advanced, basic_guider),
        *(split_sigmas, tiled_preview, weights, joined_texts, concat, controlnet, unknown_nodes, cogvideox),
    )
}
