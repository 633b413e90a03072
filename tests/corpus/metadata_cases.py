"""Pictures and texts as programs write them that have a form of their own, each with what it says."""

from __future__ import annotations

import json
from typing import Any

from tests.corpus.a1111_cases import A1111, NOISE, SCHEDULER, UNKNOWN, a1111, forks, in_other_places, of
from tests.corpus.reading import Case, Reading
from tests.engine.interop.pictures import jpeg, png, stealth, tiff, webp

FOOOCUS = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8Rundiffusion",
    "base_model_hash": "aeb7e9e689",
    "full_negative_prompt": ["blurry"],
    "full_prompt": ["a red kite", "cinematic still a red kite . emotional"],
    "guidance_scale": 4.0,
    "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"], ["kites", 0.5, "3b1f000000"]],
    "metadata_scheme": "fooocus",
    "negative_prompt": "blurry",
    "performance": "Speed",
    "prompt": "a red kite",
    "prompt_expansion": "",
    "refiner_model": "None",
    "refiner_switch": 0.5,
    "resolution": "(896, 1152)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "88",
    "sharpness": 2.0,
    "steps": 30,
    "styles": "['Fooocus V2', 'Fooocus Enhance']",
    "vae": "Default (model)",
    "version": "Fooocus v2.5.5",
}


def fooocus() -> list[Case]:
    reading = of(
        A1111,
        program="Fooocus", model="juggernautXL_v8Rundiffusion", seed=88, steps=30, guidance=4.0,
        sampler="dpmpp_2m_sde", scheduler="karras", width=896, height=1152,
        loras=[["sd_xl_offset_example-lora_1.0", 0.1], ["kites.safetensors", 0.5]],
        missing=["juggernautXL_v8Rundiffusion", "sd_xl_offset_example-lora_1.0"],
        lost=["Fooocus' styles", "Fooocus also used sharpness, ADM guidance", UNKNOWN, NOISE],
    )  # fmt: skip
    log = {
        "Prompt": "a red kite", "Negative Prompt": "blurry", "Styles": "[]", "Performance": "Quality",
        "Resolution": "(1024, 1024)", "Guidance Scale": 4.0, "Sharpness": 0, "Base Model": "sd3.5_large.safetensors",
        "Refiner Model": "None", "Sampler": "euler", "Scheduler": "normal", "Seed": 5,
        "LoRA 1": "kites.safetensors : 0.35", "Version": "v2.1.865",
    }  # fmt: skip
    old = dict(FOOOCUS, lora_combined_1="kites.safetensors : 0.5", styles="[]", sharpness=None, adm_guidance=None)
    del old["loras"]
    exif = tiff(b"UNICODE\0" + json.dumps(FOOOCUS).encode("utf-16-be"), ">", {0x0131: b"Fooocus v2.5.5\0"})
    return [
        ("fooocus-own.png", png({"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"}), reading),
        ("fooocus-own.webp", webp(exif), reading),
        ("fooocus-own.jpg", jpeg(exif), reading),
        (
            "fooocus-combined.png",
            png({"parameters": json.dumps(old), "fooocus_scheme": "fooocus"}),
            of(reading, loras=[["kites.safetensors", 0.5]], missing=["juggernautXL_v8Rundiffusion"], lost=[UNKNOWN, NOISE]),
        ),
        (
            "fooocus-log.json",
            json.dumps(log).encode(),
            of(A1111, program="Fooocus", seed=5, steps=60, guidance=4.0, sampler="euler", scheduler="normal",
               width=1024, height=1024, loras=[["kites.safetensors", 0.35]], lost=[NOISE]),
        ),
    ]  # fmt: skip


def invokeai() -> list[Case]:
    data: dict[str, Any] = {
        "app_version": "5.6.0",
        "generation_mode": "sd3_txt2img",
        "positive_prompt": "a red kite",
        "negative_prompt": "blurry",
        "width": 832,
        "height": 1216,
        "seed": 1234,
        "rand_device": "cpu",
        "cfg_scale": 4.5,
        "steps": 28,
        "model": {
            "key": "k",
            "hash": "blake3:00",
            "name": "stable-diffusion-3.5-large",
            "base": "sd-3",
            "type": "main",
        },
    }
    plain = of(A1111, program="InvokeAI", sampler="euler", scheduler="normal")
    three = data | {
        "app_version": "3.7.0", "generation_mode": "txt2img", "scheduler": "dpmpp_2m_k",
        "model": {"model_name": "dreamshaper", "base_model": "sd-1", "model_type": "main"},
        "loras": [{"lora": {"model_name": "kites", "base_model": "sd-1"}, "weight": 0.6}],
    }  # fmt: skip
    old = {
        "model": "stable diffusion", "model_weights": "stable-diffusion-1.5", "model_hash": "cc6cb27103417325ff94f52b7a5d2d",
        "app_id": "invoke-ai/InvokeAI", "app_version": "2.3.5",
        "image": {
            "prompt": [{"prompt": "a red kite [rain, people]", "weight": 1.0}], "steps": 30, "cfg_scale": 6.0,
            "threshold": 0.0, "perlin": 0.0, "height": 768, "width": 512, "seed": 77, "type": "txt2img",
            "postprocessing": None, "sampler": "k_lms", "variations": [],
        },
    }  # fmt: skip
    two = of(
        plain, negative="rain, people", model="", seed=77, steps=30, guidance=6.0, sampler="lms", width=512, height=768,
        lost=[UNKNOWN, SCHEDULER, NOISE],
    )  # fmt: skip

    def dream(name: str, command: str, **changes: Any) -> Case:
        return f"invokeai-dream-{name}.png", png({"Dream": command}), of(two, **changes)

    return [
        ("invokeai-5.png", png({"invokeai_metadata": json.dumps(data)}), plain),
        (
            "invokeai-5-loras.png",
            png({"invokeai_metadata": json.dumps(data | {"loras": [{"model": {"name": "kites"}, "weight": 0.5}]})}),
            of(plain, loras=[["kites.safetensors", 0.5]]),
        ),
        (
            "invokeai-5-controlnet.png",
            png({"invokeai_metadata": json.dumps(data | {"controlnets": [{"control_weight": 1}]})}),
            of(plain, lost=["InvokeAI also used ControlNets", NOISE]),
        ),
        (
            "invokeai-img2img.png",
            png({"invokeai_metadata": json.dumps(data | {"generation_mode": "sd3_img2img", "strength": 0.4,
                                                         "init_image": "room.png"})}),
            of(plain, start=["room.png", 0.4], missing=["room.png"]),
        ),
        (
            "invokeai-3.png",
            png({"invokeai_metadata": json.dumps(three)}),
            of(plain, model="dreamshaper", sampler="dpmpp_2m", scheduler="karras", loras=[["kites.safetensors", 0.6]],
               lost=[UNKNOWN, NOISE], missing=["dreamshaper"]),
        ),
        (
            "invokeai-weights.png",
            png({"invokeai_metadata": json.dumps(data | {"positive_prompt": "a red++ kite"})}),
            of(plain, prompt="a red++ kite", lost=["InvokeAI's weights", NOISE]),
        ),
        (
            "invokeai-2.png",
            png({"sd-metadata": json.dumps(old), "Dream": '"a red kite [rain, people]" -s 30 -S 77'}),
            of(two, model="stable-diffusion-1.5", missing=["stable-diffusion-1.5"]),
        ),
        dream("plain", '"a red kite [rain, people]" -s 30 -S 77 -W 512 -H 768 -C 6 -A k_lms'),
        dream("tight", '"a red kite [rain, people]" -s30 -S77 -W512 -H768 -C6.0 -Ak_lms'),
        dream("long", '"a red kite [rain, people]" --steps 30 --seed 77 --width=512 --height=768 --cfg_scale 6 -A k_lms'),
        dream("no-quotes", "a red kite [rain, people] -s 30 -S 77 -W 512 -H 768 -C 6 -A k_lms"),
        dream(
            "quotes-within", r'"a \"red\" kite" -s 30 -S 77 -W 512 -H 768 -C 6 -A k_euler_a',
            prompt='a "red" kite', negative="", sampler="euler_ancestral",
        ),
        dream(
            "image", '"a red kite [rain, people]" -s 30 -S 77 -W 512 -H 768 -C 6 -A k_lms -I /home/me/room.png -f 0.4',
            start=["room.png", 0.4], missing=["room.png"],
        ),
        dream(
            "corrected", '"a red kite [rain, people]" -s 30 -S 77 -W 512 -H 768 -C 6 -A k_lms -G 0.8 -U 2 0.75',
            lost=[UNKNOWN, SCHEDULER, NOISE, "option -G 0.8", "option -U 2"],
        ),
    ]  # fmt: skip


def swarm(**changes: Any) -> dict[str, Any]:
    params = {
        "prompt": "a red kite", "negativeprompt": "blurry", "model": "OfficialStableDiffusion/sd3.5_large", "images": 1,
        "resolution": "Custom", "width": 832, "height": 1216, "seed": 1234, "steps": 28, "cfgscale": 4.5,
        "sampler": "euler", "scheduler": "normal", "sigmashift": 3.0, "swarm_version": "0.9.7.0",
    }  # fmt: skip
    params |= changes
    return {
        "sui_image_params": {key: value for key, value in params.items() if value is not None},
        "sui_extra_data": {"date": "2025-08-01", "generation_time": "20 sec"},
        "sui_models": [
            {"name": "sd3.5_large.safetensors", "param": "model", "hash": "0xffef7a279d9134626e6ce0d494fba84f"}
        ],
    }


def swarmui() -> list[Case]:
    plain = of(A1111, program="SwarmUI", sampler="euler", scheduler="normal", lost=[])

    def one(name: str, reading: Reading, **changes: Any) -> Case:
        return f"swarm-{name}.png", png({"parameters": json.dumps(swarm(**changes), indent=2)}), reading

    wide = b"UNICODE\0" + json.dumps(swarm()).encode("utf-16-le")
    video = swarm(model="Wan/wan2.1_t2v_14B_fp8.safetensors", text2videoframes=81, text2videofps=16)
    clip = swarm(model="CogVideoX-5b", width=720, height=480, text2videoframes=49, text2videofps=8, sigmashift=None,
                 sampler="ddim", scheduler="normal", steps=50, cfgscale=6)  # fmt: skip
    return [
        one("plain", plain),
        ("swarm-exif.jpg", jpeg(tiff(wide, "<")), plain),
        one("loras", of(plain, loras=[["kites.safetensors", 0.7], ["dunes", 0.4]], missing=["dunes"]),
            loras=["kites", "sky/dunes"], loraweights=["0.7", "0.4"]),
        one("lora-twice", of(plain, loras=[["kites.safetensors", 0.7]]),
            prompt="a red kite <lora:kites:0.7>", loras=["kites"], loraweights=["0.7"]),
        one("lora-only-in-prompt", of(plain, loras=[["kites.safetensors", 0.3]]), prompt="a red kite <lora:kites:0.3>"),
        one("random", of(plain, seed=None, lost=["leaves the seed to chance (-1)"]), seed=-1),
        one("no-sampler", of(plain, scheduler="simple"), sampler=None, scheduler=None),
        one("image", of(plain, lost=["made from another one"]), initimagecreativity=0.6),
        one("refined", of(plain, lost=["SwarmUI also used refiner, enlarging"]),
            refinermethod="PostApply", refinerupscale=1.5),
        one("weights", of(plain, prompt="a (red:1.4) kite"), prompt="a (red:1.4) kite"),
        (
            "swarm-wan.png",
            png({"parameters": json.dumps(video)}),
            of(plain, refused="clip of Wan video (wan2.1_t2v_14B_fp8.safetensors)"),
        ),
        (
            "swarm-cogvideox.png",
            png({"parameters": json.dumps(clip)}),
            of(plain, family="cogvideox", model="cogvideox-5b", steps=50, guidance=6.0, sampler="ddim",
               scheduler="trailing", shift=1.0, width=720, height=480, frames=49, fps=8,
               lost=["has no scheduler normal for ddim"]),
        ),
    ]  # fmt: skip


NOVEL = {
    "prompt": "a red kite", "steps": 28, "height": 1216, "width": 832, "scale": 5.0, "uncond_scale": 0.0,
    "cfg_rescale": 0.0, "seed": 1234, "n_samples": 1, "noise_schedule": "karras", "sampler": "k_euler_ancestral",
    "controlnet_strength": 1.0, "dynamic_thresholding": False, "sm": False, "sm_dyn": False, "uc": "blurry",
    "request_type": "PromptGenerateRequest",
}  # fmt: skip


def novelai() -> list[Case]:
    plain = of(
        A1111, program="NovelAI", model="NovelAI Diffusion V4 37442FCA", guidance=5.0, sampler="euler_ancestral",
        scheduler="karras", lost=[UNKNOWN, NOISE], missing=["NovelAI Diffusion V4 37442FCA"],
    )  # fmt: skip

    def chunks(**changes: Any) -> dict[str, str]:
        return {
            "Title": "AI generated image", "Description": "a red kite", "Software": "NovelAI",
            "Source": "NovelAI Diffusion V4 37442FCA", "Comment": json.dumps(NOVEL | changes),
        }  # fmt: skip

    def caption(base: str, *characters: str) -> dict[str, Any]:
        found = [{"char_caption": one, "centers": [{"x": 0.5, "y": 0.5}]} for one in characters]
        return {"caption": {"base_caption": base, "char_captions": found}, "use_coords": True, "use_order": True}

    four = chunks(
        v4_prompt=caption("a beach", "a girl, kite", "a dog"), v4_negative_prompt=caption("blurry", "hat", "")
    )
    return [
        ("novelai-3.png", png(chunks()), plain),
        ("novelai-old.png", png({"Software": "NovelAI", "Source": "Stable Diffusion 1D44365E", "Description": "a red kite",
            "Comment": json.dumps({"steps": 28, "sampler": "k_euler", "seed": 7, "strength": 0.69, "noise": 0.2,
                                   "scale": 11.0, "uc": "blurry"})}),
         of(plain, model="Stable Diffusion 1D44365E", seed=7, guidance=11.0, sampler="euler", scheduler="normal", width=1024,
            height=1024, lost=[UNKNOWN, "does not say the picture's size", SCHEDULER, NOISE],
            missing=["Stable Diffusion 1D44365E"])),
        ("novelai-4.png", png(four),
         of(plain, prompt="a beach, a girl, kite, a dog", negative="blurry, hat", lost=["have places in the picture", UNKNOWN, NOISE])),
        ("novelai-weights.png", png(chunks(prompt="a {red} [kite], 1.5::dunes::")),
         of(plain, prompt=f"a (red:1.05) (kite:{1.05**-1!r}), (dunes:1.5)")),
        ("novelai-extras.png", png(chunks(sm=True, cfg_rescale=0.2, controlnet_model="hed")),
         of(plain, lost=["NovelAI also used SMEA, CFG rescale, ControlNet", UNKNOWN, NOISE])),
        ("novelai-image.png", png(chunks(request_type="Img2ImgRequest", strength=0.7, noise=0.0)),
         of(plain, lost=["made from another one", UNKNOWN, NOISE])),
        ("novelai-stealth.png", stealth(json.dumps(chunks())), plain),
        ("novelai-stealth.webp", stealth(json.dumps(chunks()), form="WEBP"), plain),
        ("novelai-ddim.png", png(chunks(sampler="ddim_v3", noise_schedule="native")),
         of(plain, sampler="ddim", scheduler="normal")),
    ]  # fmt: skip


def draw_things() -> list[Case]:
    data: dict[str, Any] = {
        "c": "a red kite", "uc": "blurry", "model": "sd3.5_large_q8p.ckpt", "sampler": "Euler A Trailing", "seed": 1234,
        "scale": 4.5, "steps": 28, "size": "832x1216", "shift": 3, "strength": 1, "seed_mode": "Scale Alike", "lora": [],
        "mask_blur": 1.5, "v2": {"steps": 28, "guidanceScale": 4.5},
    }  # fmt: skip
    plain = of(A1111, program="Draw Things", sampler="euler_ancestral", scheduler="simple")

    def xmp(data: dict[str, Any], as_attribute: bool = False) -> str:
        text = json.dumps(data).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        inside = f'<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></exif:UserComment>'
        attribute = f' exif:UserComment="{text}"' if as_attribute else ""
        return (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description rdf:about=""{attribute}>'
            f"<xmp:CreatorTool>Draw Things</xmp:CreatorTool>{'' if as_attribute else inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
        )

    def one(name: str, reading: Reading, **changes: Any) -> Case:
        return f"drawthings-{name}.png", png({"XML:com.adobe.xmp": xmp(data | changes)}), reading

    return [
        one("plain", plain),
        ("drawthings.jpg", jpeg(xmp=xmp(data)), plain),
        ("drawthings-attribute.png", png({"XML:com.adobe.xmp": xmp(data, as_attribute=True)}), plain),
        ("drawthings-exif.jpg", jpeg(tiff(b"ASCII\0\0\0" + json.dumps(data).encode())), plain),
        one("loras", of(plain, loras=[["kites.safetensors", 0.7], ["dunes_lora_f16.ckpt", 0.4]], missing=["dunes_lora_f16.ckpt"]),
            lora=[{"model": "kites.ckpt", "weight": 0.7}, {"model": "dunes_lora_f16.ckpt", "weight": 0.4}]),
        one("image", of(plain, lost=["made from another one", NOISE]), strength=0.6),
        one("karras", of(plain, sampler="dpmpp_2m", scheduler="karras"), sampler="DPM++ 2M Karras"),
        one("random", of(plain, seed=None, lost=["leaves the seed to chance (-1)", NOISE]), seed=-1),
        one("quotes", of(plain, prompt='a "red" kite & <dunes>'), c='a "red" kite & <dunes>'),
    ]  # fmt: skip


def easy_diffusion() -> list[Case]:
    data: dict[str, Any] = {
        "prompt": "a red kite", "negative_prompt": "blurry", "seed": 1234, "width": 832, "height": 1216,
        "num_inference_steps": 28, "guidance_scale": 4.5, "sampler_name": "dpmpp_2m", "scheduler_name": "karras",
        "use_stable_diffusion_model": "sd3.5_large", "clip_skip": False, "use_vae_model": "None",
        "use_hypernetwork_model": "None", "use_upscale": "None", "use_face_correction": "None",
    }  # fmt: skip
    plain = of(A1111, program="Easy Diffusion", scheduler="karras")
    lines = (
        "Prompt: a red kite\nNegative Prompt: blurry\nSeed: 1234\nWidth: 832\nHeight: 1216\nSteps: 28\n"
        "Guidance Scale: 4.5\nSampler: dpmpp_2m\nStable Diffusion model: sd3.5_large\nVAE model: None\nLoRA model: kites\n"
        "LoRA Strength: 0.6\n"
    )

    def chunks(**changes: Any) -> dict[str, str]:
        return {key: str(value) for key, value in (data | changes).items()}

    return [
        ("easydiffusion.png", png(chunks()), plain),
        ("easydiffusion.json", json.dumps(data).encode(), plain),
        ("easydiffusion.jpg", jpeg(tiff(b"UNICODE\0" + json.dumps(data).encode("utf-16-be"))), plain),
        ("easydiffusion.txt", lines.encode(),
         of(plain, scheduler="normal", loras=[["kites.safetensors", 0.6]], lost=[SCHEDULER, NOISE])),
        ("easydiffusion-loras.png", png(chunks(use_lora_model="['kites', 'dunes']", lora_alpha="[0.7, 0.4]")),
         of(plain, loras=[["kites.safetensors", 0.7], ["dunes", 0.4]], missing=["dunes"])),
        ("easydiffusion-lora.png", png(chunks(use_lora_model="kites", lora_alpha="0.7")),
         of(plain, loras=[["kites.safetensors", 0.7]])),
        ("easydiffusion-image.json", json.dumps(data | {"prompt_strength": 0.5, "init_image": "data:image/png;base64,AAAA"}).encode(),
         of(plain, lost=["made from another one", NOISE])),
        ("easydiffusion-corrected.png", png(chunks(use_face_correction="GFPGANv1.4", use_upscale="RealESRGAN_x4plus")),
         of(plain, lost=["Easy Diffusion also used face correction, enlarging", NOISE])),
    ]  # fmt: skip


def civitai() -> list[Case]:
    def text(resources: list[dict[str, Any]], line: str = "") -> str:
        return (
            "a red kite\nNegative prompt: blurry\nSteps: 25, CFG scale: 4.5, Sampler: Euler, Seed: 1234, process: txt2img,"
            " workflow: txt2img, Size: 832x1216, draft: false, width: 832, height: 1216, quantity: 4,"
            f" Created Date: 2025-03-08T12:18:28.2880345Z, {line}Civitai resources: {json.dumps(resources)},"
            " Civitai metadata: {}"
        )

    large = {"type": "checkpoint", "modelVersionId": 983309, "modelName": "Stable Diffusion 3.5 Large",
             "modelVersionName": "Large"}  # fmt: skip
    plain = of(A1111, program="Civitai", steps=25, sampler="euler", scheduler="normal", lost=[SCHEDULER, NOISE])

    def exif(text: str) -> bytes:
        return jpeg(tiff(b"UNICODE\0" + text.encode("utf-16-be")))

    graph = {
        "resource-stack": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd3:checkpoint:civitai:878387@983309"}},
        "6": {"class_type": "smZ CLIPTextEncode", "inputs": {"text": "a red kite", "clip": ["resource-stack", 1]}},
        "11": {"class_type": "KSampler", "inputs": {"seed": 1234, "steps": 25, "cfg": 4.5, "model": ["resource-stack", 0]}},
        "extra": {"airs": ["urn:air:sd3:checkpoint:civitai:878387@983309", "urn:air:sd3:lora:civitai:111@222"]},
        "extraMetadata": json.dumps({
            "prompt": "a red kite", "negativePrompt": "blurry", "steps": 25, "cfgScale": 4.5, "sampler": "Euler",
            "seed": 1234, "width": 832, "height": 1216, "workflowId": "txt2img",
            "resources": [{"modelVersionId": 983309, "strength": 1}, {"modelVersionId": 222, "strength": 0.6}],
        }),
    }  # fmt: skip
    return [
        ("civitai.jpg", exif(text([large])), plain),
        ("civitai.png", png({"parameters": text([large])}), plain),
        ("civitai-lora.jpg", exif(text([large, {"type": "lora", "weight": 0.8, "modelVersionId": 5, "modelName": "Harbour",
                                                "modelVersionName": "v1", "hash": "C0FFEE0011"}])),
         of(plain, loras=[["harbour-style.safetensors", 0.8]])),
        ("civitai-hashes.jpg", exif(text([
            {"type": "checkpoint", "modelName": "Someone's merge", "hashes": {"AutoV2": "ABABABABAB", "SHA256": "AB" * 32}},
            {"type": "lora", "weight": 0.5, "modelName": "x", "hashes": {"AutoV3": "C0FFEE001122"}}])),
         of(plain, loras=[["harbour-style.safetensors", 0.5]])),
        ("civitai-lora-missing.jpg", exif(text([large, {"type": "lora", "weight": 0.8, "modelVersionId": 5,
                                                        "modelName": "Paper kites", "modelVersionName": "v1"}])),
         of(plain, loras=[["Paper kites v1", 0.8]], missing=["Paper kites v1"])),
        ("civitai-embedding.jpg", exif(text([large, {"type": "embed", "weight": 1.0, "modelName": "easynegative"}])),
         of(plain, lost=["The resource easynegative (embed) is left out", SCHEDULER, NOISE])),
        ("civitai-other-model.jpg", exif(text([{"type": "checkpoint", "modelVersionId": 290640, "modelName": "Pony Diffusion",
                                                "modelVersionName": "V6 XL"}])),
         of(plain, model="Pony Diffusion V6 XL", lost=[UNKNOWN, SCHEDULER, NOISE], missing=["Pony Diffusion V6 XL"])),
        ("civitai-graph.jpg", exif(json.dumps(graph)),
         of(plain, model="983309", loras=[["222", 0.6]], lost=[UNKNOWN, SCHEDULER, NOISE], missing=["983309", "222"])),
    ]  # fmt: skip


def cases() -> list[Case]:
    return [
        case
        for group in (
            *(a1111, in_other_places, forks, fooocus, invokeai, swarmui, novelai, draw_things, easy_diffusion, civitai),
        )
        for case in group()
    ]
