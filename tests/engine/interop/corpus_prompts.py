"""Graphs of the corpus about models and prompts, with the recipe that a person reads out of each."""

from __future__ import annotations

from tests.engine.interop.comfy_nodes import Graph
from tests.engine.interop.corpus_parts import SD3, Case, Expected, Parts


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
        ignored=["ControlNetApplyAdvanced #6 guides with a ControlNet that is not named by the picture “edges.png”"],
    )


GRAPHS = (
    *(published_large, published_medium, separate_texts, empty_t5, average, prompt_switch, gap, zeroed_negative),
    *(weights, joined_texts, concat, controlnet, without_t5, separate_files, loras),
)
