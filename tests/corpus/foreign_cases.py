"""Graphs for families that Laterna does not make: each is named, and gives no recipe."""

from __future__ import annotations

from typing import Any

from tests.corpus.graph_case import SD, Collection, rest, saved, text
from tests.corpus.graphs import G, Made, Out

case = Collection(SD)


def refused(name: str, family: str, *forms: str) -> Any:
    return case(name, forms or ("api", "ui"), refused=f"a workflow for {family} (")


def _clip(g: G, type: str, *files: str) -> Out:
    if len(files) == 1:
        return g("CLIPLoader", clip_name=files[0], type=type)["CLIP"]
    return g("DualCLIPLoader", clip_name1=files[0], clip_name2=files[1], type=type)["CLIP"]


def _unet(g: G, file: str) -> Out:
    return g("UNETLoader", unet_name=file, weight_dtype="default")["MODEL"]


def _vae(g: G, file: str) -> Out:
    return g("VAELoader", vae_name=file)["VAE"]


def _video(g: G, latent: Out, vae: Out) -> None:
    images = g("VAEDecode", samples=latent, vae=vae)["IMAGE"]
    g("SaveVideo", video=g("CreateVideo", images=images, fps=24)["VIDEO"])


def _sampled(g: G, model: Out, clip: Out, latent: Out, vae: Out, **sides: Out) -> None:
    sides = sides or {"positive": text(g, clip, "a red kite"), "negative": text(g, clip, "blurry")}
    sampler = g("KSampler", model=model, latent_image=latent, seed=1, steps=20, cfg=6.0, **sides)
    _video(g, sampler["LATENT"], vae)


@refused("wan", "Wan video", "api", "ui", "modern")
def wan(g: G) -> None:
    clip, vae = _clip(g, "wan", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"), _vae(g, "wan_2.1_vae.safetensors")
    model = g("ModelSamplingSD3", model=_unet(g, "wan2.1_t2v_1.3B_fp16.safetensors"), shift=8)["MODEL"]
    _sampled(g, model, clip, g("EmptyHunyuanLatentVideo", width=832, height=480, length=33)["LATENT"], vae)


@refused("wan-picture", "Wan video")
def wan_picture(g: G) -> None:
    clip, vae = _clip(g, "wan", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"), _vae(g, "wan_2.1_vae.safetensors")
    both = g("WanImageToVideo", positive=text(g, clip, "a kite"), negative=text(g, clip, "blurry"), vae=vae,
             start_image=g("LoadImage", image="stag.png")["IMAGE"])  # fmt: skip
    model = _unet(g, "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors")
    _sampled(g, model, clip, both["latent"], vae, positive=both["positive"], negative=both["negative"])


@refused("wan-renamed", "Wan video")
def wan_renamed(g: G) -> None:
    clip, vae = _clip(g, "wan", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"), _vae(g, "my_vae.safetensors")
    _sampled(g, _unet(g, "my_favourite.safetensors"), clip, g("EmptyHunyuanLatentVideo")["LATENT"], vae)


@refused("wan-wrapper", "Wan video")
def wan_wrapper(g: G) -> None:
    sampler = g(
        "WanVideoSampler", model=g("WanVideoModelLoader", model="WanVideo/Wan2_1-T2V-14B_fp8.safetensors")["model"],
        text_embeds=g("WanVideoTextEncode", positive_prompt="a kite")["text_embeds"],
        image_embeds=g("WanVideoEmptyEmbeds")["image_embeds"], seed=1,
    )  # fmt: skip
    images = g("WanVideoDecode", samples=sampler["samples"])["images"]
    g("VHS_VideoCombine", images=images, frame_rate=16)


@refused("hunyuan", "Hunyuan video")
def hunyuan(g: G) -> None:
    clip = _clip(g, "hunyuan_video", "clip_l.safetensors", "llava_llama3_fp8_scaled.safetensors")
    vae = _vae(g, "hunyuan_video_vae_bf16.safetensors")
    model = _unet(g, "hunyuan_video_t2v_720p_bf16.safetensors")
    _sampled(g, model, clip, g("EmptyHunyuanLatentVideo")["LATENT"], vae)


@refused("hunyuan-wrapper", "Hunyuan video")
def hunyuan_wrapper(g: G) -> None:
    model = g("HyVideoModelLoader", model="hunyuan_video_720_cfgdistill_fp8_e4m3fn.safetensors")["model"]
    sampler = g("HyVideoSampler", model=model, seed=1)
    g("VHS_VideoCombine", images=g("VAEDecode", samples=sampler["samples"])["IMAGE"])


@refused("ltx", "LTX video")
def ltx(g: G) -> None:
    ckpt = g("CheckpointLoaderSimple", ckpt_name="ltx-video-2b-v0.9.5.safetensors")
    clip = _clip(g, "ltxv", "t5xxl_fp16.safetensors")
    both = g("LTXVConditioning", positive=text(g, clip, "a kite"), negative=text(g, clip, "blurry"))
    latent = g("EmptyLTXVLatentVideo")["LATENT"]
    sampler = g(
        "SamplerCustom", model=ckpt["MODEL"], positive=both["positive"], negative=both["negative"],
        sampler=g("KSamplerSelect")["SAMPLER"], sigmas=g("LTXVScheduler", latent=latent)["SIGMAS"], latent_image=latent,
        noise_seed=1, cfg=3.0,
    )  # fmt: skip
    _video(g, sampler["output"], ckpt["VAE"])


@refused("mochi", "Mochi video")
def mochi(g: G) -> None:
    clip = _clip(g, "mochi", "t5xxl_fp16.safetensors")
    _sampled(
        g,
        _unet(g, "mochi_preview_bf16.safetensors"),
        clip,
        g("EmptyMochiLatentVideo")["LATENT"],
        _vae(g, "mochi_vae.safetensors"),
    )


@refused("cosmos", "Cosmos video")
def cosmos(g: G) -> None:
    clip = _clip(g, "cosmos", "oldt5_xxl_fp8_e4m3fn_scaled.safetensors")
    model = _unet(g, "Cosmos-1_0-Diffusion-7B-Text2World.safetensors")
    _sampled(g, model, clip, g("EmptyCosmosLatentVideo")["LATENT"], _vae(g, "cosmos_cv8x8x8_1.0.safetensors"))


@refused("svd", "Stable Video Diffusion")
def svd(g: G) -> None:
    ckpt = g("ImageOnlyCheckpointLoader", ckpt_name="svd_xt.safetensors")
    both = g("SVD_img2vid_Conditioning", clip_vision=ckpt["CLIP_VISION"], vae=ckpt["VAE"],
             init_image=g("LoadImage", image="stag.png")["IMAGE"])  # fmt: skip
    model = g("VideoLinearCFGGuidance", model=ckpt["MODEL"])["MODEL"]
    sampler = g("KSampler", model=model, positive=both["positive"], negative=both["negative"], latent_image=both["latent"],
                seed=1, steps=20, cfg=2.5)  # fmt: skip
    g("SaveAnimatedWEBP", images=g("VAEDecode", samples=sampler["LATENT"], vae=ckpt["VAE"])["IMAGE"], fps=10)


@refused("ace-step", "ACE-Step audio")
def ace_step(g: G) -> None:
    ckpt = g("CheckpointLoaderSimple", ckpt_name="ace_step_v1_3.5b.safetensors")
    words = g("TextEncodeAceStepAudio", clip=ckpt["CLIP"], tags="folk", lyrics="[verse]\na kite")["CONDITIONING"]
    sampler = g("KSampler", model=ckpt["MODEL"], positive=words, negative=g("ConditioningZeroOut", conditioning=words)["CONDITIONING"],
                latent_image=g("EmptyAceStepLatentAudio")["LATENT"], seed=1, steps=50, cfg=5.0)  # fmt: skip
    g("SaveAudio", audio=g("VAEDecodeAudio", samples=sampler["LATENT"], vae=ckpt["VAE"])["AUDIO"])


@refused("stable-audio", "Stable Audio")
def stable_audio(g: G) -> None:
    ckpt = g("CheckpointLoaderSimple", ckpt_name="stable-audio-open-1.0.safetensors")
    clip = _clip(g, "stable_audio", "t5_base.safetensors")
    sampler = g("KSampler", model=ckpt["MODEL"], positive=text(g, clip, "wind"), negative=text(g, clip, ""),
                latent_image=g("EmptyLatentAudio")["LATENT"], seed=1, steps=50, cfg=5.0)  # fmt: skip
    g("SaveAudio", audio=g("VAEDecodeAudio", samples=sampler["LATENT"], vae=ckpt["VAE"])["AUDIO"])


@refused("animatediff", "AnimateDiff video")
def animatediff(g: G) -> None:
    ckpt = g("CheckpointLoaderSimple", ckpt_name="dreamshaper_8.safetensors")
    model = g("ADE_UseEvolvedSampling", model=ckpt["MODEL"])["MODEL"]
    _sampled(g, model, ckpt["CLIP"], g("EmptyLatentImage", batch_size=16)["LATENT"], ckpt["VAE"])


def _checkpoint(name: str, family: str, file: str, *forms: str) -> None:
    @refused(name, family, *forms)
    def graph(g: G) -> None:
        rest(g, g("CheckpointLoaderSimple", ckpt_name=file))


_checkpoint("sd3-medium", "SD3 Medium (2024)", "sd3_medium.safetensors", "api", "ui", "modern")
_checkpoint("sd3-medium-with-encoders", "SD3 Medium (2024)", "SD3/sd3_medium_incl_clips_t5xxlfp8.safetensors")
_checkpoint("sd3-medium-long", "SD3 Medium (2024)", "stable-diffusion-3-medium.safetensors")
_checkpoint("sdxl", "SDXL", "sd_xl_base_1.0.safetensors")
_checkpoint("sd15", "Stable Diffusion 1.5", "v1-5-pruned-emaonly-fp16.safetensors")
_checkpoint("flux-checkpoint", "Flux", "flux1-dev-fp8.safetensors")
_checkpoint("auraflow", "AuraFlow", "aura_flow_0.3.safetensors")


def _still(name: str, family: str, file: str, type: str, *encoders: str) -> None:
    @refused(name, family)
    def graph(g: G) -> None:
        clip = _clip(g, type, *encoders)
        sides = {"positive": text(g, clip, "a red kite"), "negative": text(g, clip, "")}
        latent = g("EmptySD3LatentImage")["LATENT"]
        model = g("ModelSamplingAuraFlow", model=_unet(g, file), shift=3.1)["MODEL"]
        sampler: Made = g("KSampler", model=model, latent_image=latent, seed=1, steps=20, cfg=4.0, **sides)
        saved(g, sampler["LATENT"], _vae(g, "ae.safetensors"))


_still(
    "qwen-image",
    "Qwen-Image",
    "qwen_image_fp8_e4m3fn.safetensors",
    "qwen_image",
    "qwen_2.5_vl_7b_fp8_scaled.safetensors",
)
_still("chroma", "Chroma", "chroma-unlocked-v37.safetensors", "chroma", "t5xxl_fp16.safetensors")
_still("lumina", "Lumina 2", "lumina_2_model_bf16.safetensors", "lumina2", "gemma_2_2b_fp16.safetensors")
_still("z-image", "Z-Image", "z_image_turbo_bf16.safetensors", "lumina2", "qwen_3_4b.safetensors")
_still("flux-renamed", "Flux", "my_favourite.safetensors", "flux", "t5xxl_fp16.safetensors", "clip_l.safetensors")


@refused("flux", "Flux")
def flux(g: G) -> None:
    clip = _clip(g, "flux", "t5xxl_fp16.safetensors", "clip_l.safetensors")
    words = g("FluxGuidance", conditioning=text(g, clip, "a red kite"), guidance=3.5)["CONDITIONING"]
    model = g("ModelSamplingFlux", model=_unet(g, "flux1-dev.safetensors"))["MODEL"]
    sampler = g(
        "SamplerCustomAdvanced", noise=g("RandomNoise", noise_seed=1)["NOISE"],
        guider=g("BasicGuider", model=model, conditioning=words)["GUIDER"],
        sampler=g("KSamplerSelect")["SAMPLER"], sigmas=g("BasicScheduler", model=model, scheduler="simple")["SIGMAS"],
        latent_image=g("EmptySD3LatentImage")["LATENT"],
    )  # fmt: skip
    saved(g, sampler["output"], _vae(g, "ae.safetensors"))


@refused("hidream", "HiDream")
def hidream(g: G) -> None:
    clip = g("QuadrupleCLIPLoader", clip_name1="clip_l_hidream.safetensors", clip_name2="clip_g_hidream.safetensors",
             clip_name3="t5xxl_fp8_e4m3fn_scaled.safetensors", clip_name4="llama_3.1_8b_instruct_fp8_scaled.safetensors")  # fmt: skip
    model = g("ModelSamplingSD3", model=_unet(g, "hidream_i1_full_fp16.safetensors"), shift=3)["MODEL"]
    rest(g, model=model, clip=clip["CLIP"], vae=_vae(g, "ae.safetensors"))
