"""Graphs of the corpus about samplers, schedules, latents and clips, with the recipe of each."""

from __future__ import annotations

from typing import Any

from tests.engine.interop.comfy_nodes import Graph, Out
from tests.engine.interop.corpus_parts import SD3, Case, Expected, Parts


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
        ["The size is that of “passwd”"],
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


def beta_node() -> Case:
    p = Parts()
    guider = p.g.add("CFGGuider", model=p.model, positive=p.text("a red boat"), negative=p.text("blurry"), cfg=4.0)
    out = p.g.add(
        "SamplerCustomAdvanced",
        noise=(p.g.add("RandomNoise", noise_seed=7), 0),
        guider=(guider, 0),
        sampler=(p.g.add("KSamplerSelect", sampler_name="euler"), 0),
        sigmas=(p.g.add("BetaSamplingScheduler", model=p.model, steps=20, alpha=0.6, beta=0.6), 0),
        latent_image=p.latent(),
    )
    return p.saved((out, 0)), Expected(SD3 | {"scheduler": "beta"})


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
    return p.g, Expected(SD3, ignored=["VAEDecodeTiled #7 decodes in tiles", "Laterna leaves out ImageScaleBy #8"])


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
    return g, Expected(recipe, ignored=["CogVideoDecode #7 decodes in tiles"])


GRAPHS = (
    *(image_to_image, unscaled_picture, batch, advanced, guidance_in_parts, late_start, two_passes, two_pictures),
    *(custom, custom_advanced, basic_guider, beta_node, split_sigmas, tiled_preview, unknown_nodes, cogvideox),
)
