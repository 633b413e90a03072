"""What each output of a node is: a graph that was sent to the server counts outputs, and only these names tell."""

from __future__ import annotations

from engine.interop.graph import Node

_BASIC = ("model", "clip", "vae", "positive", "negative")
_CONTEXT = ("context", *_BASIC, "latent", "image", "seed")
_CONTEXT_BIG = (
    *_CONTEXT,
    *("steps", "step_refiner", "cfg", "ckpt_name", "sampler", "scheduler", "clip_width", "clip_height"),
    *("text_pos_g", "text_pos_l", "text_neg_g", "text_neg_l", "mask", "control_net"),
)
_EASY_LOADER = ("pipe", "model", "vae", "clip", "positive", "negative", "latent")
_EFFICIENT_SAMPLER = ("model", "positive", "negative", "latent", "vae", "image")

OUTPUTS: dict[str, tuple[str, ...]] = {
    "CheckpointLoaderSimple": ("model", "clip", "vae"),
    "Efficient Loader": ("model", "positive", "negative", "latent", "vae", "clip", "dependencies"),
    "KSampler (Efficient)": _EFFICIENT_SAMPLER,
    "KSampler Adv. (Efficient)": _EFFICIENT_SAMPLER,
    "easy fullLoader": _EASY_LOADER,
    "easy comfyLoader": ("pipe", "model", "vae"),
    "easy a1111Loader": ("pipe", "model", "vae"),
    "easy preSampling": ("pipe",),
    "easy kSampler": ("pipe", "image"),
    "easy fullkSampler": ("pipe", "image", "model", "positive", "negative", "latent", "vae", "clip", "seed"),
    "easy pipeIn": ("pipe",),
    "easy pipeOut": ("pipe", "model", "positive", "negative", "latent", "vae", "clip", "image", "seed"),
    "ToBasicPipe": ("basic_pipe",),
    "EditBasicPipe": ("basic_pipe",),
    "FromBasicPipe": _BASIC,
    "FromBasicPipe_v2": ("basic_pipe", *_BASIC),
    "ToDetailerPipe": ("detailer_pipe",),
    "FromDetailerPipe": _BASIC,
    "FromDetailerPipe_v2": ("detailer_pipe", *_BASIC),
    "BasicPipeToDetailerPipe": ("detailer_pipe",),
    "DetailerPipeToBasicPipe": ("basic_pipe", "refiner_basic_pipe"),
    "Context (rgthree)": _CONTEXT,
    "Context Big (rgthree)": _CONTEXT_BIG,
    "Context Switch (rgthree)": _CONTEXT,
    "Context Switch Big (rgthree)": _CONTEXT_BIG,
    "Context Merge (rgthree)": _CONTEXT,
    "Context Merge Big (rgthree)": _CONTEXT_BIG,
    "Bus Node": ("bus", *_BASIC),
    "pipe-util-to-basic-pipe": ("basic_pipe",),
    "ImpactKSamplerBasicPipe": ("basic_pipe", "latent", "vae"),
    "CheckpointLoader|pysssss": ("model", "clip", "vae"),
    "LoraLoader|pysssss": ("model", "clip"),
    "CR Load LoRA": ("model", "clip"),
    "Power Lora Loader (rgthree)": ("model", "clip"),
    "Lora Loader Stack (rgthree)": ("model", "clip"),
    "CR Apply LoRA Stack": ("model", "clip"),
    "easy loraStackApply": ("model", "clip"),
    "ControlNetApplyAdvanced": ("positive", "negative"),
    "ControlNetApplySD3": ("positive", "negative"),
    "ControlNetInpaintingAliMamaApply": ("positive", "negative"),
    "ACN_AdvancedControlNetApply": ("positive", "negative", "model"),
    "ACN_AdvancedControlNetApply_v2": ("positive", "negative", "model"),
    "Control Net Stacker": ("cnet_stack",),
    "InpaintModelConditioning": ("positive", "negative", "latent"),
    "INPAINT_VAEEncodeInpaintConditioning": ("positive", "negative", "latent_inpaint", "latent_samples"),
    "PerpNegGuider": ("guider",),
    "ImpactWildcardEncode": ("model", "clip", "conditioning", "populated_text"),
    "KSampler Config (rgthree)": ("steps", "refiner_step", "cfg", "sampler", "scheduler"),
    "SplitSigmas": ("high_sigmas", "low_sigmas"),
    "SplitSigmasDenoise": ("high_sigmas", "low_sigmas"),
    "EmptyLatentSizePicker+": ("latent", "width", "height"),
    "SDXLEmptyLatentSizePicker+": ("latent", "width", "height"),
    "CR Aspect Ratio": (
        *("width", "height", "upscale_factor", "prescale_factor", "batch_size", "empty_latent", "show_help"),
    ),
    "CR SDXL Aspect Ratio": ("width", "height", "upscale_factor", "batch_size", "empty_latent", "show_help"),
    "CR Image Size": ("width", "height", "upscale_factor", "show_help"),
    "SDXL Empty Latent Image (rgthree)": ("latent", "clip_width", "clip_height"),
    "ImageResize+": ("image", "width", "height"),
    "ImageResizeKJ": ("image", "width", "height"),
    "ImageResizeKJv2": ("image", "width", "height", "mask"),
    "GetImageSize": ("width", "height", "batch_size"),
    "GetImageSize+": ("width", "height", "count"),
    "GetImageSizeAndCount": ("image", "width", "height", "count"),
    "Get Image Size": ("width", "height"),
    "easy imageSize": ("width", "height"),
    "LoadImage": ("image", "mask"),
    "VHS_LoadVideo": ("image", "frame_count", "audio", "video_info"),
    "MathExpression|pysssss": ("int", "float"),
    "SimpleMath+": ("int", "float"),
    "ComfyMathExpression": ("float", "int"),
    "Text String": ("text", "text_b", "text_c", "text_d"),
    "SDXLPromptStyler": ("text_positive", "text_negative"),
    "ImpactSwitch": ("selected_value", "selected_label", "selected_index"),
    "CLIPTextEncode": ("conditioning",),
}
# Other names of the same thing.
_SAME = {
    "pos": "positive",
    "neg": "negative",
    "conditioning+": "positive",
    "conditioning-": "negative",
    "base_ctx": "context",
    "ctx": "context",
    "latent_image": "latent",
    "samples": "latent",
    "images": "image",
    "sampler_name": "sampler",
    "noise_seed": "seed",
    "text_positive": "positive",
    "text_negative": "negative",
    "positive_prompt": "positive",
    "negative_prompt": "negative",
}


def output_name(node: Node, slot: int) -> str:
    """The name of one output, in small letters; "" where nothing says it."""
    table = OUTPUTS.get(node.type)
    if table is not None:
        return table[slot] if 0 <= slot < len(table) else ""
    return node.outputs[slot][0] if 0 <= slot < len(node.outputs) else ""


def output_type(node: Node, slot: int) -> str:
    """The type of one output as the file says it, in capitals; "" where it does not."""
    return node.outputs[slot][1] if 0 <= slot < len(node.outputs) else ""


def plain_name(name: str) -> str:
    name = name.lower().strip()
    return _SAME.get(name, name)
