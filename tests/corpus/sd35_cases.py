"""Graphs for Stable Diffusion 3.5: ComfyUI's own nodes, loaders in one, pipes, choices."""

from __future__ import annotations

from tests.corpus.graph_case import LARGE, SAMPLING, SD, Collection, empty, loaded, rest, saved, text
from tests.corpus.graphs import G, Made, Out

case = Collection(SD)
EFFICIENT = {
    "ckpt_name": LARGE, "positive": "a red kite", "negative": "blurry", "empty_latent_width": 832,
    "empty_latent_height": 1216,
}  # fmt: skip
TEXTS = {"positive": "a red kite", "negative": "blurry"}


@case("plain", ("api", "ui", "modern"))
def plain(g: G) -> None:
    rest(g)


@case("turbo", model="sd3.5-large-turbo", steps=4, guidance=1.0, negative="")
def turbo(g: G) -> None:
    rest(g, loaded(g, "SD35/sd3.5_large_turbo.safetensors"), steps=4, cfg=1.0, not_words="")


@case("medium", model="sd3.5-medium", steps=40, width=1024, height=1024)
def medium(g: G) -> None:
    rest(g, loaded(g, "sd3.5_medium.safetensors"), steps=40, latent=empty(g, 1024, 1024))


@case("medium-with-encoders", model="sd3.5-medium", lost=["runs reduced weights"])
def medium_with_encoders(g: G) -> None:
    rest(g, loaded(g, "sd3.5_medium_incl_clips_t5xxlfp8scaled.safetensors"))


@case("three-encoders")
def three_encoders(g: G) -> None:
    clip = g(
        "TripleCLIPLoader",
        clip_name1="clip_l.safetensors",
        clip_name2="clip_g.safetensors",
        clip_name3="t5xxl_fp16.safetensors",
    )
    rest(g, clip=clip["CLIP"])


@case("parts", lost=["runs reduced weights"])
def parts(g: G) -> None:
    model = g("UNETLoader", unet_name="sd3.5_large.safetensors", weight_dtype="fp8_e4m3fn")["MODEL"]
    clip = g("DualCLIPLoader", clip_name1="clip_l.safetensors", clip_name2="clip_g.safetensors", type="sd3")
    t5 = g(
        "TripleCLIPLoader",
        clip_name1="clip_l.safetensors",
        clip_name2="clip_g.safetensors",
        clip_name3="t5xxl_fp16.safetensors",
    )
    assert clip.id != t5.id
    vae = g("VAELoader", vae_name="sd3.5_vae.safetensors")["VAE"]
    del g.nodes[clip.id]
    rest(g, model=model, clip=t5["CLIP"], vae=vae)


@case("gguf", lost=["runs reduced weights"])
def gguf(g: G) -> None:
    clip = g(
        "TripleCLIPLoaderGGUF",
        clip_name1="clip_l.safetensors",
        clip_name2="clip_g.safetensors",
        clip_name3="t5xxl_fp16.safetensors",
    )
    model = g("UnetLoaderGGUF", unet_name="sd3.5_large-Q8_0.gguf")["MODEL"]
    rest(g, model=model, clip=clip["CLIP"], vae=g("VAELoader", vae_name="sd3.5_vae.safetensors")["VAE"])


@case("shift", shift=5.0)
def shift(g: G) -> None:
    ckpt = loaded(g)
    rest(g, ckpt, model=g("ModelSamplingSD3", model=ckpt["MODEL"], shift=5.0)["MODEL"])


@case("three-texts")
def three_texts(g: G) -> None:
    ckpt = loaded(g)
    sides = [
        g("CLIPTextEncodeSD3", clip=ckpt["CLIP"], clip_l=words, clip_g=words, t5xxl=words)["CONDITIONING"]
        for words in ("a red kite", "blurry")
    ]
    rest(g, ckpt, positive=sides[0], negative=sides[1])


@case("in-parts", scheduler="beta")
def in_parts(g: G) -> None:
    ckpt = loaded(g)
    guider = g(
        "CFGGuider",
        model=ckpt["MODEL"],
        positive=text(g, ckpt["CLIP"], "a red kite"),
        negative=text(g, ckpt["CLIP"], "blurry"),
        cfg=4.5,
    )
    sampler = g(
        "SamplerCustomAdvanced",
        noise=g("RandomNoise", noise_seed=77)["NOISE"],
        guider=guider["GUIDER"],
        sampler=g("KSamplerSelect", sampler_name="euler")["SAMPLER"],
        sigmas=g("BasicScheduler", model=ckpt["MODEL"], scheduler="beta", steps=28, denoise=1.0)["SIGMAS"],
        latent_image=empty(g),
    )
    saved(g, sampler["denoised_output"], ckpt["VAE"])


@case("custom-sampler", sampler="dpmpp_2m", scheduler="sgm_uniform")
def custom_sampler(g: G) -> None:
    ckpt = loaded(g)
    sampler = g(
        "SamplerCustom",
        model=ckpt["MODEL"],
        positive=text(g, ckpt["CLIP"], "a red kite"),
        negative=text(g, ckpt["CLIP"], "blurry"),
        sampler=g("KSamplerSelect", sampler_name="dpmpp_2m")["SAMPLER"],
        sigmas=g("BasicScheduler", model=ckpt["MODEL"], scheduler="sgm_uniform", steps=28, denoise=1.0)["SIGMAS"],
        latent_image=empty(g),
        add_noise=True,
        noise_seed=77,
        cfg=4.5,
    )
    saved(g, sampler["output"], ckpt["VAE"])


@case("advanced-sampler")
def advanced_sampler(g: G) -> None:
    ckpt = loaded(g)
    sampler = g(
        "KSamplerAdvanced",
        model=ckpt["MODEL"],
        positive=text(g, ckpt["CLIP"], "a red kite"),
        negative=text(g, ckpt["CLIP"], "blurry"),
        latent_image=empty(g),
        noise_seed=77,
        steps=28,
        cfg=4.5,
        sampler_name="euler",
        scheduler="simple",
    )
    saved(g, sampler["LATENT"], ckpt["VAE"])


@case("two-passes", lost=["works on the picture again (14 steps, denoise 0.5)", "changes the latent on its way"])
def two_passes(g: G) -> None:
    ckpt = loaded(g)
    sides = {side: text(g, ckpt["CLIP"], words) for side, words in TEXTS.items()}
    first = g("KSampler", model=ckpt["MODEL"], latent_image=empty(g), **sides, **SAMPLING)
    larger = g("LatentUpscaleBy", samples=first["LATENT"], scale_by=1.5)
    second = g(
        "KSampler", model=ckpt["MODEL"], latent_image=larger["LATENT"], **sides,
        **SAMPLING | {"steps": 14, "denoise": 0.5, "seed": 5},
    )  # fmt: skip
    saved(g, second["LATENT"], ckpt["VAE"])


@case("batch", batch=4)
def batch(g: G) -> None:
    rest(g, latent=empty(g, batch=4))


@case("sampler-unknown", sampler="dpmpp_3m_sde", lost=["Laterna has no er_sde"])
def sampler_unknown(g: G) -> None:
    rest(g, sampler_name="er_sde")


@case("guidance-infinite", guidance=8.0, lost=["gives no usable number for cfg; 8 is used"])
def guidance_infinite(g: G) -> None:
    rest(g, cfg=float("inf"))


@case("lora", loras=[["kites.safetensors", 0.7, 0.5]])
def lora(g: G) -> None:
    ckpt = loaded(g)
    both = g(
        "LoraLoader",
        model=ckpt["MODEL"],
        clip=ckpt["CLIP"],
        lora_name="sky/kites.safetensors",
        strength_model=0.7,
        strength_clip=0.5,
    )
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


@case("loras", loras=[["kites.safetensors", 0.7, 0.0], ["dunes.safetensors", 0.3, 0.0]], missing=["dunes.safetensors"])
def loras(g: G) -> None:
    ckpt = loaded(g)
    first = g("LoraLoaderModelOnly", model=ckpt["MODEL"], lora_name="kites.safetensors", strength_model=0.7)
    second = g("LoraLoaderModelOnly", model=first["MODEL"], lora_name="dunes.safetensors", strength_model=0.3)
    rest(g, ckpt, model=second["MODEL"])


@case("muted-lora", ("ui", "modern"), lost=["LoraLoaderModelOnly #2 is bypassed"])
def muted_lora(g: G) -> None:
    ckpt = loaded(g)
    off = g("LoraLoaderModelOnly", mode=4, model=ckpt["MODEL"], lora_name="kites.safetensors", strength_model=0.7)
    rest(g, ckpt, model=off["MODEL"])


# --- loaders in one, and their samplers


@case("efficient-loader", ("api", "ui", "modern"), loras=[["kites.safetensors", 0.7, 1.0]])
def efficient_loader(g: G) -> None:
    both = g("Efficient Loader", **EFFICIENT, lora_name="kites.safetensors", lora_model_strength=0.7)
    sampler = g(
        "KSampler", model=both["MODEL"], positive=both["CONDITIONING+"], negative=both["CONDITIONING-"],
        latent_image=both["LATENT"], **SAMPLING,
    )  # fmt: skip
    saved(g, sampler["LATENT"], both["VAE"])


def _efficient(g: G, both: Made, kind: str = "KSampler (Efficient)", **settings: object) -> None:
    sampler = g(
        kind, model=both["MODEL"], positive=both["CONDITIONING+"], negative=both["CONDITIONING-"],
        latent_image=both["LATENT"], optional_vae=both["VAE"], **settings or SAMPLING,
    )  # fmt: skip
    g("SaveImage", images=sampler["IMAGE"])


@case("efficient-both", ("api", "ui", "modern"))
def efficient_both(g: G) -> None:
    _efficient(g, g("Efficient Loader", **EFFICIENT))


@case("efficient-old", ("ui",))
def efficient_old(g: G) -> None:
    widgets = [LARGE, "Baked VAE", -1, "None", 1, 1, "a red kite", "blurry", 832, 1216, 1]
    _efficient(g, g("Efficient Loader", widgets=widgets, **EFFICIENT))


@case("efficient-advanced")
def efficient_advanced(g: G) -> None:
    _efficient(
        g, g("Efficient Loader", **EFFICIENT), "KSampler Adv. (Efficient)",
        noise_seed=77, steps=28, cfg=4.5, sampler_name="euler", scheduler="simple",
    )  # fmt: skip


@case("efficient-stack", loras=[["kites.safetensors", 0.7], ["harbour-style.safetensors", 0.4]])
def efficient_stack(g: G) -> None:
    stack = g("LoRA Stacker", lora_count=2, lora_name_1="kites.safetensors", lora_wt_1=0.7,
              lora_name_2="harbour-style.safetensors", lora_wt_2=0.4)  # fmt: skip
    _efficient(g, g("Efficient Loader", lora_stack=stack["LORA_STACK"], **EFFICIENT))


@case("efficient-wired-words", prompt="a red kite, over dunes")
def efficient_wired_words(g: G) -> None:
    words = g("Text Multiline", text="a red kite, over dunes")["STRING"]
    _efficient(g, g("Efficient Loader", **EFFICIENT | {"positive": words}))


@case("efficient-control", lost=["Control Net Stacker"])
def efficient_control(g: G) -> None:
    net = g("ControlNetLoader", control_net_name="sd3.5_large_controlnet_canny.safetensors")["CONTROL_NET"]
    stack = g("Control Net Stacker", control_net=net, image=g("LoadImage", image="edges.png")["IMAGE"], strength=0.66)
    _efficient(g, g("Efficient Loader", cnet_stack=stack["CNET_STACK"], **EFFICIENT))


@case("easy-full")
def easy_full(g: G) -> None:
    both = g("easy fullLoader", **EFFICIENT, resolution="自定义 x 自定义")
    before = g("easy preSampling", pipe=both["pipe"], **SAMPLING)
    g("SaveImage", images=g("easy kSampler", pipe=before["pipe"])["image"])


@case("easy-full-resolution", width=768, height=1344)
def easy_full_resolution(g: G) -> None:
    both = g("easy fullLoader", **EFFICIENT | {"resolution": "768 x 1344"})
    before = g("easy preSampling", pipe=both["pipe"], **SAMPLING)
    g("SaveImage", images=g("easy kSampler", pipe=before["pipe"])["image"])


@case("easy-a1111", loras=[["kites.safetensors", 0.6, 0.9]])
def easy_a1111(g: G) -> None:
    both = g("easy a1111Loader", **EFFICIENT, resolution="832 x 1216", lora_name="kites.safetensors",
             lora_model_strength=0.6, lora_clip_strength=0.9)  # fmt: skip
    g("SaveImage", images=g("easy fullkSampler", pipe=both["pipe"], **SAMPLING)["image"])


@case("easy-comfy-stack", loras=[["kites.safetensors", 0.6]])
def easy_comfy_stack(g: G) -> None:
    stack = g("easy loraStack", num_loras=1, lora_1_name="kites.safetensors", lora_1_strength=0.6)
    both = g("easy comfyLoader", **EFFICIENT, resolution="832 x 1216", optional_lora_stack=stack["lora_stack"])
    g("SaveImage", images=g("easy fullkSampler", pipe=both["pipe"], **SAMPLING)["image"])


# --- pipes, contexts, buses


def _parts(g: G) -> dict[str, Out]:
    ckpt = loaded(g)
    found = {name: ckpt[name.upper()] for name in ("model", "clip", "vae")}
    return found | {side: text(g, ckpt["CLIP"], words) for side, words in TEXTS.items()}


def _from(
    g: G,
    pipe: Made,
    latent: Out | None = None,
    positive: str = "positive",
    negative: str = "negative",
    upper: bool = False,
) -> None:
    names = {"model": "model", "positive": positive, "negative": negative}
    wired = {name: pipe[out.upper() if upper else out] for name, out in names.items()}
    sampler = g("KSampler", **wired, latent_image=latent or empty(g), **SAMPLING)
    saved(g, sampler["LATENT"], pipe["VAE" if upper else "vae"])


@case("basic-pipe")
def basic_pipe(g: G) -> None:
    _from(g, g("FromBasicPipe", basic_pipe=g("ToBasicPipe", **_parts(g))["basic_pipe"]))


@case("basic-pipe-2")
def basic_pipe_2(g: G) -> None:
    first = g("FromBasicPipe_v2", basic_pipe=g("ToBasicPipe", **_parts(g))["basic_pipe"])
    _from(g, g("FromBasicPipe", basic_pipe=first["basic_pipe"]))


@case("basic-pipe-edited", prompt="a blue kite", lost=["Not part of this picture: CLIPTextEncode #2."])
def basic_pipe_edited(g: G) -> None:
    found = _parts(g)
    other = text(g, found["clip"], "a blue kite")
    edited = g("EditBasicPipe", basic_pipe=g("ToBasicPipe", **found)["basic_pipe"], positive=other)
    _from(g, g("FromBasicPipe_v2", basic_pipe=edited["basic_pipe"]))


@case("basic-pipe-sampler")
def basic_pipe_sampler(g: G) -> None:
    found = _parts(g)
    sampler = g(
        "ImpactKSamplerBasicPipe", basic_pipe=g("ToBasicPipe", **found)["basic_pipe"], latent_image=empty(g), **SAMPLING
    )
    saved(g, sampler["LATENT"], sampler["VAE"])


@case("context", ("api", "ui", "modern"))
def context(g: G) -> None:
    first = g("Context (rgthree)", **_parts(g), latent=empty(g))
    _from(g, first, first["LATENT"], upper=True)


@case("context-passed", prompt="a blue kite", lost=["Not part of this picture: CLIPTextEncode #2."])
def context_passed(g: G) -> None:
    found = _parts(g)
    first = g("Context (rgthree)", **found, latent=empty(g))
    second = g("Context (rgthree)", base_ctx=first["CONTEXT"], positive=text(g, found["clip"], "a blue kite"))
    _from(g, second, second["LATENT"], upper=True)


@case("context-big", steps=33, guidance=5.0, sampler="heun", scheduler="beta", seed=5)
def context_big(g: G) -> None:
    config = g("KSampler Config (rgthree)", steps_total=33, cfg=5.0, sampler_name="heun", scheduler="beta")
    seed = g("Seed (rgthree)", seed=5)["SEED"]
    big = g(
        "Context Big (rgthree)", **_parts(g), latent=empty(g), seed=seed, steps=config["STEPS"], cfg=config["CFG"],
        sampler=config["SAMPLER"], scheduler=config["SCHEDULER"],
    )  # fmt: skip
    sampler = g(
        "KSampler", model=big["MODEL"], positive=big["POSITIVE"], negative=big["NEGATIVE"], latent_image=big["LATENT"],
        seed=big["SEED"], steps=big["STEPS"], cfg=big["CFG"], sampler_name=big["SAMPLER"], scheduler=big["SCHEDULER"], denoise=1.0,
    )  # fmt: skip
    saved(g, sampler["LATENT"], big["VAE"])


@case("context-switch")
def context_switch(g: G) -> None:
    first = g("Context (rgthree)", **_parts(g), latent=empty(g))
    chosen = g("Context Switch (rgthree)", ctx_02=first["CONTEXT"])
    _from(g, chosen, chosen["LATENT"], upper=True)


@case("context-merge", prompt="a blue kite", lost=["Not part of this picture: CLIPTextEncode #2."])
def context_merge(g: G) -> None:
    found = _parts(g)
    first = g("Context (rgthree)", **found, latent=empty(g))
    second = g("Context (rgthree)", positive=text(g, found["clip"], "a blue kite"))
    merged = g("Context Merge (rgthree)", ctx_01=first["CONTEXT"], ctx_02=second["CONTEXT"])
    _from(g, merged, merged["LATENT"], upper=True)


@case("bus")
def bus(g: G) -> None:
    first = g("Bus Node", **_parts(g))
    _from(g, g("Bus Node", bus=first["bus"]))


@case("easy-pipe")
def easy_pipe(g: G) -> None:
    found = _parts(g)
    pipe = g(
        "easy pipeIn",
        model=found["model"],
        pos=found["positive"],
        neg=found["negative"],
        latent=empty(g),
        vae=found["vae"],
        clip=found["clip"],
    )
    out = g("easy pipeOut", pipe=pipe["pipe"])
    _from(g, out, out["latent"], "pos", "neg")


# --- choices


@case("any-switch")
def any_switch(g: G) -> None:
    ckpt = loaded(g)
    chosen = g("Any Switch (rgthree)", any_02=ckpt["MODEL"])
    rest(g, ckpt, model=chosen["*"])


@case("text-switch", prompt="a blue kite", lost=["Not part of this picture: Text Multiline #1."])
def text_switch(g: G) -> None:
    chosen = g("CR Text Input Switch", Input=2, text1=g("Text Multiline", text="a red kite")["STRING"],
               text2=g("Text Multiline", text="a blue kite")["STRING"])  # fmt: skip
    rest(g, words=chosen["STRING"])


@case("model-switch", model="sd3.5-medium", lost=["Not part of this picture: CheckpointLoaderSimple #1"])
def model_switch(g: G) -> None:
    first, second = loaded(g), loaded(g, "sd3.5_medium.safetensors")
    chosen = g("CR Model Input Switch", Input=2, model1=first["MODEL"], model2=second["MODEL"])
    rest(g, second, model=chosen["MODEL"])


@case("impact-switch", prompt="a blue kite", lost=["Not part of this picture: easy string #1."])
def impact_switch(g: G) -> None:
    chosen = g("ImpactSwitch", select=2, input1=g("easy string", value="a red kite")["string"],
               input2=g("easy string", value="a blue kite")["string"])  # fmt: skip
    rest(g, words=chosen["selected_value"])


@case("impact-switch-wired", prompt="a red kite", lost=["Not part of this picture: easy string #3."])
def impact_switch_wired(g: G) -> None:
    chosen = g("ImpactSwitch", select=g("ImpactInt", value=1)["INT"], input1=g("easy string", value="a red kite")["string"],
               input2=g("easy string", value="a blue kite")["string"])  # fmt: skip
    rest(g, words=chosen["selected_value"])


@case("conditioning-switch", prompt="a blue kite", lost=["Not part of this picture: CLIPTextEncode #2"])
def conditioning_switch(g: G) -> None:
    ckpt = loaded(g)
    both = [text(g, ckpt["CLIP"], words) for words in ("a red kite", "a blue kite")]
    chosen = g("Conditioning Input Switch", boolean=False, conditioning_a=both[0], conditioning_b=both[1])
    rest(g, ckpt, positive=chosen["CONDITIONING"])


@case("core-switch", prompt="a blue kite", lost=["Not part of this picture: PrimitiveString #1."])
def core_switch(g: G) -> None:
    chosen = g("ComfySwitchNode", switch=True, on_false=g("PrimitiveString", value="a red kite")["STRING"],
               on_true=g("PrimitiveString", value="a blue kite")["STRING"])  # fmt: skip
    rest(g, words=chosen["output"])


@case("lazy-switch", steps=20, lost=["Not part of this picture: INTConstant #3."])
def lazy_switch(g: G) -> None:
    chosen = g("LazySwitchKJ", switch=g("PrimitiveBoolean", value=False)["BOOLEAN"],
               on_false=g("INTConstant", value=20)["value"], on_true=g("INTConstant", value=60)["value"])  # fmt: skip
    rest(g, steps=chosen["output"])


@case("index-switch", prompt="a green kite", lost=["Not part of this picture: easy string #1, easy string #2."])
def index_switch(g: G) -> None:
    words = [g("easy string", value=f"a {colour} kite")["string"] for colour in ("red", "blue", "green")]
    chosen = g("easy anythingIndexSwitch", index=2, value0=words[0], value1=words[1], value2=words[2])
    rest(g, words=chosen["value"])


@case("crystools-switch", guidance=6.5, lost=["Not part of this picture: FloatConstant #2."])
def crystools_switch(g: G) -> None:
    chosen = g("Switch any [Crystools]", boolean=True, on_true=g("FloatConstant", value=6.5)["value"],
               on_false=g("FloatConstant", value=3.0)["value"])  # fmt: skip
    rest(g, cfg=chosen["*"])


# --- stacks of LoRAs

KITES = [["kites.safetensors", 0.7]]


@case("cr-stack", loras=[["kites.safetensors", 0.7, 0.5], ["harbour-style.safetensors", 0.3]])
def cr_stack(g: G) -> None:
    ckpt = loaded(g)
    stack = g("CR LoRA Stack", switch_1="On", lora_name_1="kites.safetensors", model_weight_1=0.7, clip_weight_1=0.5,
              switch_2="Off", lora_name_2="dunes.safetensors", switch_3="On", lora_name_3="harbour-style.safetensors",
              model_weight_3=0.3, clip_weight_3=0.3)  # fmt: skip
    both = g("CR Apply LoRA Stack", model=ckpt["MODEL"], clip=ckpt["CLIP"], lora_stack=stack["LORA_STACK"])
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


@case("cr-stacks", loras=[["kites.safetensors", 0.7], ["harbour-style.safetensors", 0.3]])
def cr_stacks(g: G) -> None:
    ckpt = loaded(g)
    first = g("CR LoRA Stack", switch_1="On", lora_name_1="kites.safetensors", model_weight_1=0.7, clip_weight_1=0.7)
    second = g("CR LoRA Stack", lora_stack=first["LORA_STACK"], switch_1="On", lora_name_1="harbour-style.safetensors",
               model_weight_1=0.3, clip_weight_1=0.3)  # fmt: skip
    both = g("CR Apply LoRA Stack", model=ckpt["MODEL"], clip=ckpt["CLIP"], lora_stack=second["LORA_STACK"])
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


@case("power-lora", ("api",), loras=KITES)
def power_lora(g: G) -> None:
    ckpt = loaded(g)
    both = g(
        "Power Lora Loader (rgthree)", model=ckpt["MODEL"], clip=ckpt["CLIP"],
        **{"PowerLoraLoaderHeaderWidget": {"type": "PowerLoraLoaderHeaderWidget"},
           "lora_1": {"on": True, "lora": "kites.safetensors", "strength": 0.7},
           "lora_2": {"on": False, "lora": "dunes.safetensors", "strength": 1}, "➕ Add Lora": ""},
    )  # fmt: skip
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


@case("power-lora-saved", ("ui",), loras=[["kites.safetensors", 0.7, 0.2]])
def power_lora_saved(g: G) -> None:
    ckpt = loaded(g)
    both = g(
        "Power Lora Loader (rgthree)", model=ckpt["MODEL"], clip=ckpt["CLIP"],
        widgets=[{}, {"type": "PowerLoraLoaderHeaderWidget"},
                 {"on": True, "lora": "kites.safetensors", "strength": 0.7, "strengthTwo": 0.2},
                 {"on": False, "lora": "dunes.safetensors", "strength": 1, "strengthTwo": None}, {}, ""],
    )  # fmt: skip
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


@case("rgthree-stack", loras=[["kites.safetensors", 0.7], ["harbour-style.safetensors", 0.4]])
def rgthree_stack(g: G) -> None:
    ckpt = loaded(g)
    both = g("Lora Loader Stack (rgthree)", model=ckpt["MODEL"], clip=ckpt["CLIP"], lora_01="kites.safetensors",
             strength_01=0.7, lora_03="harbour-style.safetensors", strength_03=0.4)  # fmt: skip
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


@case("pysssss-lora", loras=[["kites.safetensors", 0.7, 0.5]])
def pysssss_lora(g: G) -> None:
    ckpt = g("CheckpointLoader|pysssss", ckpt_name={"content": LARGE, "image": None})
    both = g("LoraLoader|pysssss", model=ckpt["MODEL"], clip=ckpt["CLIP"], strength_model=0.7, strength_clip=0.5,
             lora_name={"content": "kites.safetensors", "image": "kites.png"})  # fmt: skip
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


@case("cr-lora-off")
def cr_lora_off(g: G) -> None:
    ckpt = loaded(g)
    both = g("CR Load LoRA", model=ckpt["MODEL"], clip=ckpt["CLIP"], switch="Off", lora_name="dunes.safetensors")
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])
