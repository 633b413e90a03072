"""The widgets of nodes that ComfyUI does not bring itself, as ``widget_tables`` has those of its own."""

from __future__ import annotations

from engine.interop.widget_tables import CONTROL, Layout

_SAMPLING = ("steps", "cfg", "sampler_name", "scheduler")
_SEED = ("seed", CONTROL)
_EFFICIENT = (
    *("ckpt_name", "vae_name", "clip_skip", "lora_name", "lora_model_strength", "lora_clip_strength"),
    *("positive", "negative"),
)
_LATENT = ("empty_latent_width", "empty_latent_height", "batch_size")
_WEIGHTS = ("token_normalization", "weight_interpretation")
_LORA = ("model_strength", "clip_strength")

# Every layout of a node that is known, the newest first.
MORE: dict[str, tuple[Layout, ...]] = {
    # Loading and saving clips
    "VHS_VideoCombine": (("frame_rate", "loop_count?", "filename_prefix", "format", "pingpong", "save_output"),),
    "VHS_LoadVideo": (
        (
            *("video", "force_rate", "force_size", "custom_width", "custom_height"),
            *("frame_load_cap?", "skip_first_frames", "select_every_nth", "upload"),
        ),
    ),
    "ACN_AdvancedControlNetApply": (("strength", "start_percent", "end_percent"),),
    "ACN_AdvancedControlNetApply_v2": (("strength", "start_percent", "end_percent"),),
    # Pictures
    "ImageResizeKJ": (
        (
            *("width", "height", "upscale_method", "keep_proportion?", "divisible_by"),
            *("width_input", "height_input", "crop"),
        ),
    ),
    "ImageResizeKJv2": (
        (
            *("width", "height", "upscale_method", "keep_proportion", "pad_color?"),
            *("crop_position", "divisible_by", "device"),
        ),
    ),
    "ImageResize+": (("width", "height", "interpolation", "method?", "condition", "multiple_of"),),
    "ImageCrop+": (("width", "height", "position", "x_offset?", "y_offset"),),
    "JWImageResize": (("height", "width", "interpolation_mode?"),),
    "Image Resize": (("mode", "supersample", "resampling", "rescale_factor", "resize_width", "resize_height"),),
    "CR Image Size": (("width", "height", "upscale_factor?"),),
    # Empty latents by choice
    "EmptyLatentSizePicker+": (("resolution", "batch_size", "width_override?", "height_override"),),
    "SDXLEmptyLatentSizePicker+": (("resolution", "batch_size", "width_override?", "height_override"),),
    "CR Aspect Ratio": (
        ("width", "height", "aspect_ratio", "swap_dimensions", "upscale_factor", "prescale_factor?", "batch_size"),
    ),
    "CR SDXL Aspect Ratio": (("width", "height", "aspect_ratio", "swap_dimensions", "upscale_factor", "batch_size?"),),
    "SDXL Empty Latent Image (rgthree)": (("dimensions", "clip_scale?", "batch_size"),),
    "EmptyLatentImageCustomPresets": (("dimensions", "invert", "batch_size"),),
    # Constants, and what is computed from them
    "INTConstant": (("value",),),
    "FloatConstant": (("value",),),
    "BOOLConstant": (("value",),),
    "StringConstant": (("string",),),
    "StringConstantMultiline": (("string", "strip_newlines?"),),
    "ImpactInt": (("value",),),
    "ImpactFloat": (("value",),),
    "ImpactBoolean": (("value",),),
    "ImpactSwitch": (("select", "sel_mode?"),),
    "ImpactMinMax": (("mode",),),
    "easy int": (("value",),),
    "easy float": (("value",),),
    "easy string": (("value",),),
    "easy boolean": (("value",),),
    "easy seed": (("seed", CONTROL, "note?"),),
    "easy globalSeed": (("value", "mode", "action", "last_seed?"),),
    "Seed (rgthree)": (("seed", "last?", "again", "more"),),
    "Seed": (("seed", CONTROL),),
    "Seed Generator": (("seed", CONTROL),),
    "CR Seed": (("seed", CONTROL),),
    "SeedNode": (("seed", CONTROL),),
    "CR Integer Constant": (("value",),),
    "Int": (("Number",),),
    "Float": (("Number",),),
    "Integer": (("value",),),
    "Constant Number": (("number_type", "number", "number_as_text?"),),
    "Primitive integer [Crystools]": (("int",),),
    "Primitive float [Crystools]": (("float",),),
    "Primitive boolean [Crystools]": (("boolean",),),
    "Primitive string [Crystools]": (("string",),),
    "Primitive string multiline [Crystools]": (("string",),),
    "MathExpression|pysssss": (("expression",),),
    "SimpleMath+": (("value",),),
    "easy mathInt": (("a", "b", "operation"),),
    "easy mathFloat": (("a", "b", "operation"),),
    "CM_IntBinaryOperation": (("op", "a", "b"),),
    "IntMathOperation": (("a", "b", "operation"),),
    "KSampler Config (rgthree)": (("steps_total", "refiner_step", "cfg", "sampler_name", "scheduler"),),
    # Texts
    "Text Multiline": (("text",),),
    "Text String": (("text", "text_b?", "text_c", "text_d"),),
    "Text Concatenate": (
        ("delimiter", "clean_whitespace", "text_a?", "text_b", "text_c", "text_d"),
        ("linebreak_addition", "text_a?", "text_b", "text_c", "text_d"),
    ),
    "Text Find and Replace": (("text", "find", "replace"), ("find", "replace")),
    "CR Text": (("text",),),
    "CR Prompt Text": (("prompt",),),
    "CR Text Concatenate": (("text1", "text2", "separator?"), ("separator",)),
    "easy positive": (("positive",),),
    "easy negative": (("negative",),),
    "ttN text": (("text",),),
    "ttN concat": (("text1", "text2", "text3", "delimiter"),),
    "JoinStrings": (("string1", "string2", "delimiter"), ("delimiter",)),
    "JoinStringMulti": (("inputcount", "delimiter", "return_list?"),),
    "StringFunction|pysssss": (("action", "tidy_tags", "text_a?", "text_b", "text_c", "result"),),
    "ShowText|pysssss": (("text?",),),
    "String Literal": (("string",),),
    "DF_Text_Box": (("Text",),),
    "DF_Text": (("Text",),),
    "Textbox": (("text", "passthrough?"),),
    "TextInput_": (("text",),),
    "Text box": (("text",),),
    "Simple String": (("string",),),
    "SDXLPromptStyler": (
        ("text_positive", "text_negative", "style", "log_prompt?", "style_positive", "style_negative"),
    ),
    "ImpactWildcardProcessor": (("wildcard_text", "populated_text", "mode", "seed", CONTROL, "select?"),),
    "ImpactWildcardEncode": (("wildcard_text", "populated_text", "mode", "lora", "wildcard?", "seed", CONTROL),),
    # Choices
    "CR Text Input Switch": (("Input",),),
    "CR Model Input Switch": (("Input",),),
    "CR Clip Input Switch": (("Input",),),
    "CR VAE Input Switch": (("Input",),),
    "CR Conditioning Input Switch": (("Input",),),
    "CR Latent Input Switch": (("Input",),),
    "CR Image Input Switch": (("Input",),),
    "CR Pipe Switch": (("Input",),),
    "Model Input Switch": (("boolean",),),
    "CLIP Input Switch": (("boolean",),),
    "VAE Input Switch": (("boolean",),),
    "Conditioning Input Switch": (("boolean",),),
    "Latent Input Switch": (("boolean",),),
    "Image Input Switch": (("boolean",),),
    "Text Input Switch": (("boolean",),),
    "Number Input Switch": (("boolean",),),
    "Switch any [Crystools]": (("boolean",),),
    "easy ifElse": (("boolean",),),
    "easy anythingIndexSwitch": (("index",),),
    "easy textSwitch": (("input", "text1?", "text2"),),
    "LazySwitchKJ": (("switch",),),
    # Loaders and samplers that are several in one
    "Efficient Loader": (
        (*_EFFICIENT, *_WEIGHTS, *_LATENT),
        (*_EFFICIENT, *_LATENT),
        ("ckpt_name", "vae_name", "clip_skip", "positive", "negative", *_WEIGHTS, *_LATENT),
    ),
    "KSampler (Efficient)": (
        (*_SEED, *_SAMPLING, "denoise", "preview_method", "vae_decode"),
        ("seed", "note", *_SAMPLING, "denoise", "preview_method", "vae_decode"),
        ("sampler_state", *_SEED, *_SAMPLING, "denoise", "preview_method"),
    ),
    "KSampler Adv. (Efficient)": (
        (
            *("add_noise", "noise_seed", CONTROL, *_SAMPLING, "start_at_step", "end_at_step"),
            *("return_with_leftover_noise", "preview_method", "vae_decode"),
        ),
        (
            *("add_noise", "noise_seed", "note", *_SAMPLING, "start_at_step", "end_at_step"),
            *("return_with_leftover_noise", "preview_method", "vae_decode"),
        ),
    ),
    "KSampler //Inspire": ((*_SEED, *_SAMPLING, "denoise", "noise_mode?", "batch_seed_mode", "variation_seed"),),
    "ImpactKSamplerBasicPipe": ((*_SEED, *_SAMPLING, "denoise"),),
    "easy preSampling": (("steps", "cfg", "sampler_name", "scheduler", "denoise", "seed", CONTROL),),
    "easy fullkSampler": (
        ("steps", "cfg", "sampler_name", "scheduler", "denoise", "image_output", "link_id", "save_prefix", *_SEED),
    ),
    "easy fullLoader": (
        (
            *("ckpt_name", "config_name", "vae_name", "clip_skip", "lora_name", "lora_model_strength"),
            *("lora_clip_strength", "resolution", "empty_latent_width", "empty_latent_height", "positive"),
            *("positive_token_normalization", "positive_weight_interpretation", "negative"),
            *("negative_token_normalization", "negative_weight_interpretation", "batch_size", "a1111_prompt_style?"),
        ),
    ),
    "easy comfyLoader": (
        (
            *("ckpt_name", "vae_name", "clip_skip", "lora_name", "lora_model_strength", "lora_clip_strength"),
            *("resolution", "empty_latent_width", "empty_latent_height", "positive", "negative", "batch_size"),
        ),
    ),
    "easy a1111Loader": (
        (
            *("ckpt_name", "vae_name", "clip_skip", "lora_name", "lora_model_strength", "lora_clip_strength"),
            *("resolution", "empty_latent_width", "empty_latent_height", "positive", "negative", "batch_size"),
            "a1111_prompt_style?",
        ),
    ),
    "easy kSampler": (("image_output", "link_id?", "save_prefix"),),
    "CR LoRA Stack": (
        tuple(f"{name}_{i}" for i in (1, 2, 3) for name in ("switch", "lora_name", "model_weight", "clip_weight")),
    ),
    "LoRA Stacker": (
        (
            *("input_mode", "lora_count", "lora_name_1", "lora_wt_1", "model_str_1", "clip_str_1", "lora_name_2?"),
            *("lora_wt_2", "model_str_2", "clip_str_2"),
            *(f"{name}_{i}" for i in range(3, 50) for name in ("lora_name", "lora_wt", "model_str", "clip_str")),
        ),
        ("lora_name", *_LORA),
    ),
    "easy loraStack": (
        (
            *("toggle", "mode", "num_loras"),
            *(
                f"lora_{i}_{name}"
                for i in range(1, 11)
                for name in ("name", "strength", "model_strength", "clip_strength")
            ),
        ),
    ),
    "Lora Loader Stack (rgthree)": (tuple(name for i in range(1, 5) for name in (f"lora_0{i}", f"strength_0{i}")),),
    "LoraLoader|pysssss": (("lora_name", "strength_model", "strength_clip?", "prompt"),),
    "CheckpointLoader|pysssss": (("ckpt_name", "prompt?"),),
    "LoraLoaderBlockWeight": (("lora_name", "strength_model", "strength_clip"),),
    "CR Load LoRA": (("switch", "lora_name", "strength_model", "strength_clip"),),
    "ImpactConditionalBranch": (),
    "Context Switch (rgthree)": (),
    # Old versions of ComfyUI's own
    "PrimitiveStringMultiline": (("value",),),
}
