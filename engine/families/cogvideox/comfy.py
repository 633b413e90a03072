"""The graphs of CogVideoX in ComfyUI: those of its wrapper's nodes."""

from __future__ import annotations

from typing import Any

from engine.families.cogvideox.comfy_widgets import WIDGETS
from engine.interop.comfy_families import FamilyNodes, FamilyReader, ModelFile, Names, Strengths
from engine.interop.comfy_graph import T5, GraphWriter, lora_file, picture
from engine.interop.comfy_pass import ModelChain, Pass
from engine.interop.comfy_reader import MAX_CHAIN
from engine.interop.graph import Node
from engine.interop.prompt_weights import escape
from engine.interop.report import file_name
from engine.protocol.recipe import Adapter, Recipe

_OTHERS = r"fun|tora|inp|pose|control|interpolation|img2vid"
_SCHEDULERS = {
    "ddim": "CogVideoXDDIM",
    "dpm": "CogVideoXDPMScheduler",
    "euler": "Euler",
    "euler_ancestral": "Euler A",
    "heun": "HeunDiscreteScheduler",
    "dpmpp_2m_log_snr": "DPM++",
    "uni_pc_log_snr": "UniPCMultistepScheduler",
    "deis_log_snr": "DEISMultistepScheduler",
}


class CogVideoXNodes(FamilyNodes):
    files = (
        ModelFile(
            "cogvideox-1.5-5b-i2v", "kijai/CogVideoX-5b-1.5-I2V", r"cogvideo-?x?-?(1-5-?5b|5b-1-5)-?i2v", _OTHERS
        ),
        ModelFile("cogvideox-5b-i2v", "THUDM/CogVideoX-5b-I2V", r"cogvideo-?x?-?5b-?i2v", _OTHERS),
        ModelFile(
            "cogvideox-1.5-5b", "kijai/CogVideoX-5b-1.5-T2V", r"cogvideo-?x?-?(1-5-?5b|5b-1-5)", f"i2v|{_OTHERS}"
        ),
        ModelFile("cogvideox-2b", "THUDM/CogVideoX-2b", r"cogvideo-?x?-?2b", f"i2v|{_OTHERS}"),
        ModelFile("cogvideox-5b", "THUDM/CogVideoX-5b", r"cogvideo-?x?-?5b", f"i2v|{_OTHERS}"),
    )
    vae_files = "cogvideo.*vae|vae.*cogvideo"
    loaders = dict.fromkeys(
        ("DownloadAndLoadCogVideoModel", "DownloadAndLoadCogVideoGGUFModel", "CogVideoXModelLoader"), "model"
    )
    samplers = ("CogVideoSampler",)
    texts = {"CogVideoTextEncode": "prompt"}
    pictures = {
        "CogVideoImageEncode": "start_image",
        "CogVideoImageEncodeFunInP": "start_image",
        "CogVideoEncode": "image",
    }
    lora_folder = "models/CogVideo/loras"
    decoders = ("CogVideoDecode",)
    widgets = WIDGETS

    def export(self, graph: GraphWriter, recipe: Recipe) -> str:
        """The nodes of the CogVideoX wrapper; its text node reads weights, so plain parentheses are escaped."""
        loras: dict[str, Any] = {}
        for adapter in recipe.adapters:
            before = {"prev_lora": loras["lora"]} if loras else {}
            chosen = graph.add(
                "CogVideoLoraSelect", lora=lora_file(adapter), strength=adapter.strength, fuse_lora=False, **before
            )
            loras = {"lora": [chosen, 0]}
        loader = graph.add(
            "DownloadAndLoadCogVideoModel",
            model=self.file_of(recipe.model),
            precision="fp16" if recipe.model == "cogvideox-2b" else "bf16",
            quantization="disabled",
            enable_sequential_cpu_offload=False,
            attention_mode="sdpa",
            load_device="main_device",
            **loras,
        )
        clip = graph.add("CLIPLoader", clip_name=T5, type="sd3")
        write = str if recipe.text_encoding == "comfyui" else escape
        texts = {}
        for name, entry in (("positive", recipe.positive_entries()[0]), ("negative", recipe.negative_entries()[0])):
            text = graph.add(
                "CogVideoTextEncode", clip=[clip, 0], prompt=write(entry.text or ""), strength=1.0, force_offload=True
            )
            texts[name] = [text, 0]
        size = graph.add("EmptyLatentImage", width=recipe.width, height=recipe.height, batch_size=recipe.batch)
        first_frame = recipe.input_of("first_frame")
        if first_frame is not None:
            texts["image_cond_latents"] = [
                graph.add(
                    "CogVideoImageEncode",
                    vae=[loader, 1],
                    start_image=picture(graph, first_frame, recipe),
                    enable_tiling=False,
                    noise_aug_strength=0.0,
                ),
                0,
            ]
        sampler = graph.add(
            "CogVideoSampler",
            model=[loader, 0],
            **texts,
            samples=[size, 0],
            num_frames=recipe.frames,
            steps=recipe.steps,
            cfg=recipe.guidance,
            seed=recipe.seed,
            scheduler=_SCHEDULERS.get(recipe.sampler, "CogVideoXDDIM"),
            denoise_strength=1.0,
        )
        images = graph.add(
            "CogVideoDecode",
            vae=[loader, 1],
            samples=[sampler, 0],
            enable_vae_tiling=False,
            tile_sample_min_height=240,
            tile_sample_min_width=360,
            tile_overlap_factor_height=0.2,
            tile_overlap_factor_width=0.2,
            auto_tile_size=True,
        )
        return graph.add(
            "VHS_VideoCombine",
            images=[images, 0],
            frame_rate=recipe.fps,
            loop_count=0,
            filename_prefix="Laterna",
            format="video/h264-mp4",
            pingpong=False,
            save_output=True,
        )

    def read_loader(self, reader: FamilyReader, strengths: Strengths, node: Node, chain: ModelChain) -> None:
        quantized = [reader.text(node, name, "disabled") for name in ("quantization", "fp8_transformer")]
        if any(value not in ("disabled", "False", "") for value in quantized):
            reader.notes.approximated(
                f"{node.label} runs reduced weights; Laterna runs the model's own, so details differ."
            )
        for _ in range(MAX_CHAIN):
            lora = reader.node(node.link("lora") or node.link("prev_lora"))
            if lora is None:
                return
            strength = strengths.strength(lora, "strength")
            name = file_name(reader.text(lora, "lora", ""))
            if name:
                chain.adapters.append(Adapter(name, strength=strength))
            else:
                reader.notes.ignored(f"{lora.label} names no LoRA.")
            node = lora

    def read_sampler(self, reader: FamilyReader, names: Names, node: Node) -> Pass:
        name = reader.text(node, "scheduler", "CogVideoXDDIM")
        name = {"DPM++": "DPMSolverMultistepScheduler"}.get(name, name)  # the wrapper's names are diffusers' classes
        for extra in ("context_options", "tora_trajectory", "fastercache", "feta_args", "teacache_args"):
            other = reader.node(node.link(extra))
            if other is not None:
                reader.notes.ignored(f"{node.label} also takes {extra} from {other.label}; Laterna has none.")
        control = reader.node(node.link("controlnet"))
        if control is not None:
            reader.notes.ignored(
                f"{control.label} guides by a control clip at strength"
                f" {reader.number(control, 'control_strength', 1.0):g}; Laterna leaves it out."
            )
        return Pass(
            node,
            node.link("model") or node.link("pipeline"),
            node.link("positive"),
            node.link("negative"),
            node.link("samples"),
            seed=reader.seed(node, "seed"),
            total=names.steps(node, 50),
            guidance=reader.number(node, "cfg", 6.0),
            sampler=names.sampler(name, node),
            scheduler="trailing",
            denoise=reader.number(node, "denoise_strength", 1.0),
            frames=reader.integer(node, "num_frames", 49),
        )


NODES = CogVideoXNodes()
