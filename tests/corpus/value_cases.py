"""Graphs for Stable Diffusion 3.5 whose values come from other nodes: constants, texts, sums, seeds, sizes, pictures."""

from __future__ import annotations

from typing import Any

from tests.corpus.graph_case import SD, Collection, empty, loaded, rest, text
from tests.corpus.graphs import G, Out

case = Collection(SD)
MADE = "as it runs; Laterna cannot"

# --- numbers


@case("int-constants", ("api", "ui", "modern"), steps=33, width=768, height=1344)
def int_constants(g: G) -> None:
    steps, width, height = (g("INTConstant", value=value)["value"] for value in (33, 768, 1344))
    rest(g, steps=steps, latent=empty(g, width, height))


@case("float-constant", guidance=6.5)
def float_constant(g: G) -> None:
    rest(g, cfg=g("FloatConstant", value=6.5)["value"])


@case("core-primitives", steps=33, guidance=6.5, prompt="a blue kite")
def core_primitives(g: G) -> None:
    rest(
        g, steps=g("PrimitiveInt", value=33)["INT"], cfg=g("PrimitiveFloat", value=6.5)["FLOAT"],
        words=g("PrimitiveStringMultiline", value="a blue kite")["STRING"],
    )  # fmt: skip


@case("editor-primitives", ("ui", "modern"), seed=9, steps=33)
def editor_primitives(g: G) -> None:
    rest(g, seed=g("PrimitiveNode", value=9)["*"], steps=g("PrimitiveNode", value=33)["*"])


@case("easy-numbers", steps=33, guidance=6.5)
def easy_numbers(g: G) -> None:
    rest(g, steps=g("easy int", value=33)["int"], cfg=g("easy float", value=6.5)["float"])


@case("impact-numbers", steps=33, guidance=6.5)
def impact_numbers(g: G) -> None:
    rest(g, steps=g("ImpactInt", value=33)["INT"], cfg=g("ImpactFloat", value=6.5)["FLOAT"])


@case("crystools-number", steps=33)
def crystools_number(g: G) -> None:
    rest(g, steps=g("Primitive integer [Crystools]", int=33)["int"])


@case("was-number", steps=33)
def was_number(g: G) -> None:
    rest(g, steps=g("Constant Number", number_type="integer", number=33)["INT"])


@case("sum", width=768)
def sum_(g: G) -> None:
    half = g("INTConstant", value=384)["value"]
    rest(g, latent=empty(g, g("SimpleMath+", a=half, value="a*2")["INT"], 1216))


@case("expression", width=896)
def expression(g: G) -> None:
    side = g("INTConstant", value=448)["value"]
    rest(g, latent=empty(g, g("MathExpression|pysssss", a=side, expression="a * 2")["INT"], 1216))


@case("operation", height=1344)
def operation(g: G) -> None:
    rest(g, latent=empty(g, 832, g("CM_IntBinaryOperation", op="Mul", a=672, b=2)["INT"]))


@case("easy-operation", height=1344)
def easy_operation(g: G) -> None:
    rest(g, latent=empty(g, 832, g("easy mathInt", a=1340, b=4, operation="add")["int"]))


@case("core-expression", steps=30)
def core_expression(g: G) -> None:
    found = g(
        "ComfyMathExpression", **{"values.a": g("PrimitiveFloat", value=12.5)["FLOAT"]}, expression="floor(a) * 2.5"
    )
    rest(g, steps=found["INT"])


# --- seeds


@case("rgthree-seed", seed=9)
def rgthree_seed(g: G) -> None:
    rest(g, seed=g("Seed (rgthree)", seed=9)["SEED"])


@case("rgthree-seed-random", seed=None, lost=["leaves the seed to chance (-1)"])
def rgthree_seed_random(g: G) -> None:
    rest(g, seed=g("Seed (rgthree)", seed=-1)["SEED"])


@case("easy-seed", seed=9)
def easy_seed(g: G) -> None:
    rest(g, seed=g("easy seed", seed=9)["seed"])


@case("cr-seed", seed=2**53 + 1)
def cr_seed(g: G) -> None:
    rest(g, seed=g("CR Seed", seed=2**53 + 1)["seed"])


@case("large-seed", seed=2**64 - 5 - 2**63, lost=["is beyond Laterna's"])
def large_seed(g: G) -> None:
    rest(g, seed=2**64 - 5)


# --- words


@case("was-multiline", prompt="a blue kite")
def was_multiline(g: G) -> None:
    rest(g, words=g("Text Multiline", text="a blue kite")["STRING"])


@case("was-joined", prompt="a blue kite, over dunes")
def was_joined(g: G) -> None:
    parts = [g("Text Multiline", text=words)["STRING"] for words in ("a blue kite", " over dunes ")]
    rest(g, words=g("Text Concatenate", text_a=parts[0], text_c=parts[1])["STRING"])


@case("was-line-break", prompt="a blue kite\nover dunes")
def was_line_break(g: G) -> None:
    parts = [g("Text Multiline", text=words)["STRING"] for words in ("a blue kite", "over dunes")]
    rest(g, words=g("Text Concatenate", delimiter="\\n", text_a=parts[0], text_b=parts[1])["STRING"])


@case("was-string", prompt="over dunes")
def was_string(g: G) -> None:
    rest(g, words=g("Text String", text="a blue kite", text_b="over dunes")[1])


@case("was-replaced", prompt="a blue kite")
def was_replaced(g: G) -> None:
    rest(g, words=g("Text Find and Replace", text="a red kite", find="red", replace="blue")["result_text"])


@case("core-joined", prompt="a blue kite over dunes")
def core_joined(g: G) -> None:
    rest(g, words=g("StringConcatenate", string_a="a blue kite", string_b="over dunes", delimiter=" ")["STRING"])


@case("core-replaced", prompt="a blue kite")
def core_replaced(g: G) -> None:
    rest(g, words=g("StringReplace", string="a red kite", find="red", replace="blue")["STRING"])


@case("core-trimmed", prompt="a blue kite")
def core_trimmed(g: G) -> None:
    rest(g, words=g("StringTrim", string="  a blue kite\n", mode="Both")["STRING"])


@case("cr-joined", prompt="a blue kite; over dunes")
def cr_joined(g: G) -> None:
    first = g("CR Prompt Text", prompt="a blue kite")["prompt"]
    rest(g, words=g("CR Text Concatenate", text1=first, text2="over dunes", separator="; ")["STRING"])


@case("easy-sides", prompt="a blue kite", negative="grain")
def easy_sides(g: G) -> None:
    rest(
        g, words=g("easy positive", positive="a blue kite")["positive"],
        not_words=g("easy negative", negative="grain")["negative"],
    )  # fmt: skip


@case("kj-joined", prompt="a blue kite over dunes")
def kj_joined(g: G) -> None:
    first = g("StringConstant", string="a blue kite")["STRING"]
    second = g("StringConstantMultiline", string="over dunes", strip_newlines=True)["STRING"]
    rest(g, words=g("JoinStrings", string1=first, string2=second)["STRING"])


@case("ttn-joined", prompt="a blue kite|over dunes")
def ttn_joined(g: G) -> None:
    first = g("ttN text", text="a blue kite")["text"]
    rest(g, words=g("ttN concat", text1=first, text2="over dunes", delimiter="|")["concat"])


@case("pysssss-function", prompt="a blue kite, over dunes")
def pysssss_function(g: G) -> None:
    rest(g, words=g("StringFunction|pysssss", text_a="a blue kite", text_b="over dunes")["STRING"])


@case("shown-text", prompt="a blue kite")
def shown_text(g: G) -> None:
    rest(g, words=g("ShowText|pysssss", text=g("Text Multiline", text="a blue kite")["STRING"])["STRING"])


@case("styler", prompt="a blue kite", negative="grain")
def styler(g: G) -> None:
    both = g("SDXLPromptStyler", text_positive="a blue kite", text_negative="grain", style="base")
    rest(g, words=both["text_positive"], not_words=both["text_negative"])


@case("styler-styled", prompt="a blue kite", lost=["adds the words of a style"])
def styler_styled(g: G) -> None:
    both = g("SDXLPromptStyler", text_positive="a blue kite", text_negative="", style="cinematic")
    rest(g, words=both["text_positive"])


@case("wildcards-drawn", prompt="a blue kite")
def wildcards_drawn(g: G) -> None:
    found = g("ImpactWildcardProcessor", wildcard_text="a {red|blue} kite", populated_text="a blue kite", seed=5)
    rest(g, words=found["STRING"])


@case(
    "words-of-a-model",
    prompt="",
    lost=[f"OllamaGenerate #2 makes text for CLIPTextEncode #3 {MADE}", "The prompt is empty"],
)
def words_of_a_model(g: G) -> None:
    ckpt = loaded(g)
    rest(g, ckpt, words=g("OllamaGenerate", prompt="describe a kite")["response"])


@case("weights", prompt="a (red:1.3) kite")
def weights(g: G) -> None:
    rest(g, words="a (red:1.3) kite")


@case("alternatives", ("ui",), prompt="a red kite", lost=["draws one of several texts at random"])
def alternatives(g: G) -> None:
    rest(g, words="a {red|blue} kite")


@case("no-words", prompt="", lost=["The prompt is empty"])
def no_words(g: G) -> None:
    rest(g, words="")


@case("crlf", prompt="a red kite,\nover dunes")
def crlf(g: G) -> None:
    rest(g, words="a red kite,\r\nover dunes")


# --- sizes


@case("size-picker", width=768, height=1344)
def size_picker(g: G) -> None:
    rest(g, latent=g("EmptyLatentSizePicker+", resolution="768x1344 (0.57)")["LATENT"])


@case("size-picker-override", width=768, height=1152)
def size_picker_override(g: G) -> None:
    rest(g, latent=g("SDXLEmptyLatentSizePicker+", resolution="768x1344 (0.57)", height_override=1152)["LATENT"])


@case("size-picker-numbers", width=768, height=1344)
def size_picker_numbers(g: G) -> None:
    picked = g("SDXLEmptyLatentSizePicker+", resolution="768x1344 (0.57)")
    rest(g, latent=empty(g, picked["width"], picked["height"]))


@case("rgthree-size", width=832, height=1216)
def rgthree_size(g: G) -> None:
    rest(g, latent=g("SDXL Empty Latent Image (rgthree)", dimensions=" 832 x 1216  (portrait)")["LATENT"])


@case("rgthree-size-numbers", width=896, height=1152)
def rgthree_size_numbers(g: G) -> None:
    found = g("SDXL Empty Latent Image (rgthree)", dimensions=" 896 x 1152  (portrait)", clip_scale=1.0)
    rest(g, latent=empty(g, found["CLIP_WIDTH"], found["CLIP_HEIGHT"]))


@case("cr-size", width=896, height=1152)
def cr_size(g: G) -> None:
    rest(g, latent=g("CR SDXL Aspect Ratio", aspect_ratio="3:4 portrait 896x1152")["empty_latent"])


@case("cr-size-swapped", width=1152, height=896)
def cr_size_swapped(g: G) -> None:
    found = g("CR SDXL Aspect Ratio", aspect_ratio="3:4 portrait 896x1152", swap_dimensions="On")
    rest(g, latent=empty(g, found["width"], found["height"]))


@case("cr-size-custom", width=960, height=1088)
def cr_size_custom(g: G) -> None:
    rest(g, latent=g("CR Aspect Ratio", width=960, height=1088, aspect_ratio="custom")["empty_latent"])


@case("presets", width=1152, height=896)
def presets(g: G) -> None:
    rest(g, latent=g("EmptyLatentImageCustomPresets", dimensions="896 x 1152 (SDXL)", invert=True)["LATENT"])


@case("size-of-a-sum", width=1024, height=1536)
def size_of_a_sum(g: G) -> None:
    width = g("INTConstant", value=1024)["value"]
    height = g("MathExpression|pysssss", a=width, expression="int(a * 1.5)")["INT"]
    rest(g, latent=empty(g, width, height))


# --- pictures


def _from_picture(g: G, image: Out, ckpt: Any = None, denoise: float = 0.6) -> None:
    ckpt = ckpt or loaded(g)
    rest(g, ckpt, latent=g("VAEEncode", pixels=image, vae=ckpt["VAE"])["LATENT"], denoise=denoise)


def _room(g: G) -> Out:
    return g("LoadImage", image="room.png")["IMAGE"]


ROOM: dict[str, Any] = {"start": ["room.png", 0.6], "missing": ["room.png"]}
ITS_SIZE = "The size is that of “room.png”"


@case("picture", width=1024, height=1024, lost=[ITS_SIZE], **ROOM)
def picture(g: G) -> None:
    _from_picture(g, _room(g))


@case("picture-scaled", width=768, height=1152, **ROOM)
def picture_scaled(g: G) -> None:
    _from_picture(g, g("ImageScale", image=_room(g), width=768, height=1152, crop="center")["IMAGE"])


@case("picture-scaled-by-nodes", width=768, height=1152, **ROOM)
def picture_scaled_by_nodes(g: G) -> None:
    sides = [g("INTConstant", value=value)["value"] for value in (768, 1152)]
    _from_picture(g, g("ImageScale", image=_room(g), width=sides[0], height=sides[1])["IMAGE"])


@case(
    "picture-megapixel",
    width=1024,
    height=1024,
    lost=["keeps the shape of “room.png”", "depends on the picture's shape"],
    **ROOM,
)
def picture_megapixel(g: G) -> None:
    _from_picture(g, g("ImageScaleToTotalPixels", image=_room(g), megapixels=1.0)["IMAGE"])


@case("picture-kj", width=704, height=1280, **ROOM)
def picture_kj(g: G) -> None:
    _from_picture(g, g("ImageResizeKJ", image=_room(g), width=711, height=1290, divisible_by=64)["IMAGE"])


@case("picture-kj-2", width=768, height=1152, **ROOM)
def picture_kj_2(g: G) -> None:
    _from_picture(g, g("ImageResizeKJv2", image=_room(g), width=768, height=1152, keep_proportion="crop")["IMAGE"])


@case("picture-essentials", width=768, height=1152, **ROOM)
def picture_essentials(g: G) -> None:
    _from_picture(g, g("ImageResize+", image=_room(g), width=768, height=1152, method="fill / crop")["IMAGE"])


@case("picture-cropped", width=768, height=1152, **ROOM)
def picture_cropped(g: G) -> None:
    _from_picture(g, g("ImageCrop", image=_room(g), width=768, height=1152, x=10)["IMAGE"])


@case("picture-inverted", width=1024, height=1024, lost=["ImageInvert #3 changes the input picture", ITS_SIZE], **ROOM)
def picture_inverted(g: G) -> None:
    ckpt = loaded(g)
    _from_picture(g, g("ImageInvert", image=_room(g))["IMAGE"], ckpt)


@case("picture-twice", batch=3, width=768, height=1152, **ROOM)
def picture_twice(g: G) -> None:
    ckpt = loaded(g)
    small = g("ImageScale", image=_room(g), width=768, height=1152)["IMAGE"]
    latent = g("VAEEncode", pixels=small, vae=ckpt["VAE"])["LATENT"]
    rest(g, ckpt, latent=g("RepeatLatentBatch", samples=latent, amount=3)["LATENT"], denoise=0.6)


# --- masks and ControlNets: named, and left out

MASK = "has a mask “room.png”, so that only a part changes"


@case("noise-mask", width=768, height=1152, lost=[MASK], **ROOM)
def noise_mask(g: G) -> None:
    ckpt, found = loaded(g), g("LoadImage", image="room.png")
    small = g("ImageScale", image=found["IMAGE"], width=768, height=1152)["IMAGE"]
    latent = g("VAEEncode", pixels=small, vae=ckpt["VAE"])["LATENT"]
    rest(g, ckpt, latent=g("SetLatentNoiseMask", samples=latent, mask=found["MASK"])["LATENT"], denoise=0.6)


@case("inpaint-encode", width=1024, height=1024, lost=[MASK, ITS_SIZE], **ROOM)
def inpaint_encode(g: G) -> None:
    ckpt, found = loaded(g), g("LoadImage", image="room.png")
    latent = g("VAEEncodeForInpaint", pixels=found["IMAGE"], vae=ckpt["VAE"], mask=found["MASK"])["LATENT"]
    rest(g, ckpt, latent=latent, denoise=0.6)


@case("inpaint-conditioning", width=1024, height=1024, lost=[MASK, ITS_SIZE], **ROOM)
def inpaint_conditioning(g: G) -> None:
    ckpt, found = loaded(g), g("LoadImage", image="room.png")
    both = g(
        "InpaintModelConditioning", positive=text(g, ckpt["CLIP"], "a red kite"), negative=text(g, ckpt["CLIP"], "blurry"),
        vae=ckpt["VAE"], pixels=found["IMAGE"], mask=found["MASK"],
    )  # fmt: skip
    rest(g, ckpt, positive=both["positive"], negative=both["negative"], latent=both["latent"], denoise=0.6)


def _controlled(g: G, kind: str, image: Out, net: Any = None, **settings: Any) -> None:
    ckpt = loaded(g)
    net = net or g("ControlNetLoader", control_net_name="sd3.5_large_controlnet_canny.safetensors")["CONTROL_NET"]
    both = g(
        kind, positive=text(g, ckpt["CLIP"], "a red kite"), negative=text(g, ckpt["CLIP"], "blurry"), control_net=net,
        image=image, **settings,
    )  # fmt: skip
    rest(g, ckpt, positive=both["positive"], negative=both["negative"])


NET = "the ControlNet “sd3.5_large_controlnet_canny.safetensors” by the picture “edges.png”, at strength"


@case("control", lost=[f"{NET} 0.66 from 0% to 50%"])
def control(g: G) -> None:
    _controlled(
        g, "ControlNetApplyAdvanced", g("LoadImage", image="edges.png")["IMAGE"], strength=0.66, end_percent=0.5
    )


@case("control-sd3", lost=[f"{NET} 1 from 10% to 100%"])
def control_sd3(g: G) -> None:
    _controlled(g, "ControlNetApplySD3", g("LoadImage", image="edges.png")["IMAGE"], start_percent=0.1)


@case("control-acn", lost=[f"{NET} 0.8 from 0% to 100%"])
def control_acn(g: G) -> None:
    _controlled(g, "ACN_AdvancedControlNetApply", g("LoadImage", image="edges.png")["IMAGE"], strength=0.8)


@case("control-canny", lost=[f"{NET} 1 from 0% to 100%", "Canny #2 changes the input picture"])
def control_canny(g: G) -> None:
    image = g("LoadImage", image="edges.png")["IMAGE"]
    _controlled(g, "ControlNetApplyAdvanced", g("Canny", image=image)["IMAGE"])


@case("control-two", lost=[f"{NET} 0.5", "“depth.safetensors” by the picture “room.png”, at strength 0.7"])
def control_two(g: G) -> None:
    ckpt = loaded(g)
    sides = {"positive": text(g, ckpt["CLIP"], "a red kite"), "negative": text(g, ckpt["CLIP"], "blurry")}
    for net, image, strength in (
        ("sd3.5_large_controlnet_canny.safetensors", "edges.png", 0.5),
        ("depth.safetensors", "room.png", 0.7),
    ):
        both = g(
            "ControlNetApplySD3", **sides, control_net=g("ControlNetLoader", control_net_name=net)["CONTROL_NET"],
            image=g("LoadImage", image=image)["IMAGE"], strength=strength,
        )  # fmt: skip
        sides = {"positive": both["positive"], "negative": both["negative"]}
    rest(g, ckpt, **sides)


@case("ip-adapter", lost=["IPAdapterAdvanced #2 changes the model in a way that Laterna does not know"])
def ip_adapter(g: G) -> None:
    ckpt = loaded(g)
    rest(g, ckpt, model=g("IPAdapterAdvanced", model=ckpt["MODEL"], weight=0.8)["MODEL"])
