"""Graphs for CogVideoX with the nodes of its wrapper, in the versions that people's files have."""

from __future__ import annotations

from typing import Any

from tests.corpus.graph_case import COG, Collection, cog_loader, cog_rest
from tests.corpus.graphs import G, Out

case = Collection(COG)
STAG: dict[str, Any] = {"start": ["stag.png", 1.0], "missing": ["stag.png"]}
I2V = "THUDM/CogVideoX-5b-I2V"
NEW = "kijai/CogVideoX-5b-1.5-I2V"


@case("plain", ("api", "ui", "modern"))
def plain(g: G) -> None:
    cog_rest(g)


@case("2b", model="cogvideox-2b", sampler="dpm")
def two(g: G) -> None:
    cog_rest(g, cog_loader(g, "THUDM/CogVideoX-2b", precision="fp16"), scheduler="CogVideoXDPMScheduler")


@case("schedulers", sampler="dpmpp_2m_log_snr")
def schedulers(g: G) -> None:
    cog_rest(g, scheduler="DPM++")


@case("fp8", lost=["runs reduced weights"])
def fp8(g: G) -> None:
    cog_rest(g, cog_loader(g, quantization="fp8_e4m3fn"))


@case("negative", negative="watermark, low quality")
def negative(g: G) -> None:
    cog_rest(g, not_words="watermark, low quality")


@case("rate", fps=16)
def rate(g: G) -> None:
    cog_rest(g, fps=16)


def _stag(g: G, width: Any = 720, height: Any = 480, kind: str = "ImageResizeKJ", **more: Any) -> Out:
    image = g("LoadImage", image="stag.png")["IMAGE"]
    return g(kind, image=image, width=width, height=height, **more)["IMAGE"]


def _encoded(g: G, loader: Any, image: Out, kind: str = "CogVideoImageEncode", **more: Any) -> Out:
    return g(kind, vae=loader[1], start_image=image, **more)[0]


@case("first-picture", ("api", "ui", "modern"), model="cogvideox-5b-i2v", **STAG)
def first_picture(g: G) -> None:
    loader = cog_loader(g, I2V)
    cog_rest(g, loader, image_cond_latents=_encoded(g, loader, _stag(g)))


@case("first-picture-1.5", model="cogvideox-1.5-5b-i2v", width=1360, height=768, frames=81, fps=16, **STAG)
def first_picture_new(g: G) -> None:
    loader = cog_loader(g, NEW)
    cog_rest(g, loader, fps=16, num_frames=81, image_cond_latents=_encoded(g, loader, _stag(g, 1360, 768)))


@case("first-picture-scaled", model="cogvideox-1.5-5b-i2v", width=1024, height=640, **STAG)
def first_picture_scaled(g: G) -> None:
    loader = cog_loader(g, NEW)
    cog_rest(g, loader, image_cond_latents=_encoded(g, loader, _stag(g, 1024, 640, "ImageScale", crop="center")))


@case("first-picture-numbers", model="cogvideox-1.5-5b-i2v", width=960, height=544, frames=33, **STAG)
def first_picture_numbers(g: G) -> None:
    loader = cog_loader(g, NEW)
    width, height, frames = (g("INTConstant", value=value)["value"] for value in (960, 544, 33))
    cog_rest(g, loader, num_frames=frames, image_cond_latents=_encoded(g, loader, _stag(g, width, height)))


@case("first-picture-noise", model="cogvideox-5b-i2v", lost=["adds noise to the picture"], **STAG)
def first_picture_noise(g: G) -> None:
    loader = cog_loader(g, I2V)
    cog_rest(g, loader, image_cond_latents=_encoded(g, loader, _stag(g), noise_aug_strength=0.05))


@case("first-picture-weighed", model="cogvideox-5b-i2v", lost=["weighs the picture with 0.8 from 0% to 50%"], **STAG)
def first_picture_weighed(g: G) -> None:
    loader = cog_loader(g, I2V)
    cog_rest(g, loader, image_cond_latents=_encoded(g, loader, _stag(g), strength=0.8, end_percent=0.5))


@case("two-pictures", model="cogvideox-5b-i2v", lost=["names the clip's last picture “end.png” too"], **STAG)
def two_pictures(g: G) -> None:
    loader = cog_loader(g, I2V)
    end = g("LoadImage", image="end.png")["IMAGE"]
    cog_rest(g, loader, image_cond_latents=_encoded(g, loader, _stag(g), end_image=end))


@case("fun-inpaint", model="CogVideoX-Fun-V1.5-5b-InP",
      start=["stag.png", 1.0], missing=["stag.png", "CogVideoX-Fun-V1.5-5b-InP"])  # fmt: skip
def fun_inpaint(g: G) -> None:
    loader = cog_loader(g, "alibaba-pai/CogVideoX-Fun-V1.5-5b-InP")
    cog_rest(g, loader, image_cond_latents=_encoded(g, loader, _stag(g), "CogVideoImageEncodeFunInP", num_frames=49))


@case("frames-of-a-node", frames=33)
def frames_of_a_node(g: G) -> None:
    cog_rest(g, num_frames=g("INTConstant", value=33)["value"])


@case("clip-to-clip", lost=["gives the clip “jeep.mp4”, which CogVideoSampler #8 changes with a strength of 0.8"])
def clip_to_clip(g: G) -> None:
    loader = cog_loader(g)
    video = g("VHS_LoadVideo", video="jeep.mp4", frame_load_cap=49)["IMAGE"]
    small = g("ImageResizeKJ", image=video, width=720, height=480)["IMAGE"]
    samples = g("CogVideoImageEncode", vae=loader["vae"], start_image=small)["samples"]
    cog_rest(g, loader, samples=samples, denoise_strength=0.8)


@case("clip-to-clip-custom", width=720, height=480, lost=["gives the clip “jeep.mp4”"])
def clip_to_clip_custom(g: G) -> None:
    loader = cog_loader(g)
    video = g("VHS_LoadVideo", video="jeep.mp4", force_size="Custom", custom_width=720, custom_height=480)["IMAGE"]
    samples = g("CogVideoImageEncode", vae=loader["vae"], start_image=video)["samples"]
    cog_rest(g, loader, samples=samples, denoise_strength=0.6)


# --- LoRAs


@case("lora", loras=[["kites.safetensors", 0.7]])
def lora(g: G) -> None:
    chosen = g("CogVideoLoraSelect", lora="kites.safetensors", strength=0.7)
    cog_rest(g, cog_loader(g, lora=chosen["lora"]))


@case("loras", loras=[["harbour-style.safetensors", 0.4], ["kites.safetensors", 0.7]])
def loras(g: G) -> None:
    first = g("CogVideoLoraSelect", lora="harbour-style.safetensors", strength=0.4)
    second = g("CogVideoLoraSelect", lora="kites.safetensors", strength=0.7, prev_lora=first["lora"])
    cog_rest(g, cog_loader(g, lora=second["lora"]))


@case("lora-comfy", loras=[["orbit.safetensors", 1.0]], missing=["orbit.safetensors"])
def lora_comfy(g: G) -> None:
    chosen = g("CogVideoLoraSelectComfy", lora="CogVideoX/orbit.safetensors", strength=1.0)
    cog_rest(g, cog_loader(g, lora=chosen["lora"]))


@case("lora-old-name", loras=[["orbit_left", 1.0]], missing=["orbit_left"])
def lora_old(g: G) -> None:
    chosen = g("CogVideoLoraSelect", lora="orbit_left", strength=1.0)
    cog_rest(g, cog_loader(g, lora=chosen["lora"]))


# --- other loaders


@case("local-files")
def local_files(g: G) -> None:
    model = g("CogVideoXModelLoader", model="CogVideoX_5b_bf16.safetensors")
    vae = g("CogVideoXVAELoader", model_name="cogvideox_vae.safetensors")
    cog_rest(g, model=model["model"], vae=vae["vae"], loader=model)


@case("gguf", model="cogvideox-5b-i2v", lost=["runs reduced weights"], **STAG)
def gguf(g: G) -> None:
    loader = g("DownloadAndLoadCogVideoGGUFModel", model="CogVideoX_5b_I2V_GGUF_Q4_0.safetensors", vae_precision="bf16")
    cog_rest(g, loader, image_cond_latents=_encoded(g, loader, _stag(g)))


# --- what Laterna lacks is named


@case("context", lost=["also takes context_options from CogVideoContextOptions #2"])
def context(g: G) -> None:
    loader = cog_loader(g)
    cog_rest(g, loader, context_options=g("CogVideoContextOptions")["context_options"])


@case("faster-cache", lost=["also takes fastercache from CogVideoXFasterCache #2"])
def faster_cache(g: G) -> None:
    loader = cog_loader(g)
    cog_rest(g, loader, fastercache=g("CogVideoXFasterCache")["fastercache"])


@case("teacache", lost=["also takes teacache_args from CogVideoXTeaCache #2"])
def teacache(g: G) -> None:
    loader = cog_loader(g)
    cog_rest(g, loader, teacache_args=g("CogVideoXTeaCache")["teacache_args"])


# --- versions of the sampler

OLD: dict[str, Any] = {
    "sampler": "dpm", "frames": 49, "steps": 50, "guidance": 7.0, "seed": 806, "model": "cogvideox-5b",
       "lost": ["Not part of this picture: EmptyLatentImage #5."]}  # fmt: skip


def _old(g: G, widgets: list[Any], decode: list[Any] | None = None) -> None:
    loader = cog_loader(g, widgets=["THUDM/CogVideoX-5b", "bf16", False, False])
    cog_rest(g, loader)
    sampler = next(id for id, (kind, _) in g.nodes.items() if kind == "CogVideoSampler")
    g.values[sampler] = widgets
    g.nodes[sampler][1].pop("samples", None)
    text = [id for id, (kind, _) in g.nodes.items() if kind == "CogVideoTextEncode"]
    for id, words in zip(text, ("a stag", ""), strict=True):
        g.values[id] = [words]


@case("august-2024", ("ui",), **OLD)
def august(g: G) -> None:
    _old(g, [480, 720, 49, 50, 7, 806, "fixed", "DPM", 16, 8, 1.0])


@case("august-2024-rate", ("ui",), **OLD)
def august_rate(g: G) -> None:
    _old(g, [480, 720, 49, 8, 50, 7, 806, "fixed", "DPM"])


@case("september-2024", ("ui",), **OLD)
def september(g: G) -> None:
    _old(g, [480, 720, 49, 50, 7, 806, "randomize", "DPM", 1.0])


@case("no-version-fits", ("ui",), refused="The values of CogVideoSampler #6 fit no version")
def no_version_fits(g: G) -> None:
    _old(g, ["49 frames", 720, 49.5, -3, "cfg", 806, "fixed", 7, 7, 7, 7, 7, 7, 7])


@case("steps-as-width", ("ui",), refused="The values of CogVideoSampler #6 fit no version")
def steps_as_width(g: G) -> None:
    _old(g, [480, 720, 8, 49, 50, "fixed", 7, "DPM", 16])


# --- passed through


@case("set-and-get", ("ui", "modern"))
def set_and_get(g: G) -> None:
    loader = cog_loader(g)
    g("SetNode", **{"": loader["model"]}, name="CogVideo", widgets=["CogVideo"])
    got = g("GetNode", name="CogVideo", widgets=["CogVideo"])
    cog_rest(g, loader, model=got["*"])


@case("switched", frames=33, lost=["Not part of this picture: INTConstant #1."])
def switched(g: G) -> None:
    many, few = g("INTConstant", value=49)["value"], g("INTConstant", value=33)["value"]
    cog_rest(g, num_frames=g("ImpactSwitch", select=2, input1=many, input2=few)["selected_value"])
