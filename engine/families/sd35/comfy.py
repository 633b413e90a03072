"""The graphs of Stable Diffusion 3.5 in ComfyUI, which needs no nodes of its own for it."""

from __future__ import annotations

from engine.interop.comfy_families import FamilyNodes, ModelFile
from engine.interop.comfy_graph import CLIP_G, CLIP_L, T5, GraphWriter, Out, lora_file, sampled, side, start
from engine.interop.graph import Node
from engine.interop.prompt_weights import escape
from engine.protocol.recipe import Recipe

_SD35 = r"(sd|stable-?diffusion-?)3-?5"


class StableDiffusion35Nodes(FamilyNodes):
    files = (
        ModelFile(
            "sd3.5-large-turbo",
            "sd3.5_large_turbo.safetensors",
            rf"{_SD35}.*turbo|35-?large-?turbo",
        ),
        ModelFile("sd3.5-medium", "sd3.5_medium.safetensors", rf"{_SD35}-?m(edium)?|35-?medium"),
        ModelFile("sd3.5-large", "sd3.5_large.safetensors", rf"{_SD35}(-?l(arge)?)?|35-?large"),
    )
    vae_files = r"(sd3|stable-?diffusion-?3).*vae|vae.*(sd3|stable-?diffusion-?3)"
    # EmptySD3LatentImage and ModelSamplingSD3 are not among these: other families' graphs have them too.
    marks = ("CLIPTextEncodeSD3", "TripleCLIPLoader", "TripleCLIPLoaderGGUF", "SkipLayerGuidanceSD3")

    def is_marked(self, node: Node) -> bool:
        return node.type in self.marks or node.inputs.get("type") == "sd3"

    def export(self, graph: GraphWriter, recipe: Recipe) -> str:
        loader = graph.add("CheckpointLoaderSimple", ckpt_name=self.file_of(recipe.model))
        model: Out = [loader, 0]
        if recipe.use_t5:
            names = {"clip_name1": CLIP_G, "clip_name2": CLIP_L, "clip_name3": T5}
            clip: Out = [graph.add("TripleCLIPLoader", **names), 0]
        else:
            clip = [graph.add("DualCLIPLoader", clip_name1=CLIP_G, clip_name2=CLIP_L, type="sd3"), 0]
        for adapter in recipe.adapters:
            text = adapter.strength if adapter.text_strength is None else adapter.text_strength
            lora = graph.add(
                "LoraLoader",
                model=model,
                clip=clip,
                lora_name=lora_file(adapter),
                strength_model=adapter.strength,
                strength_clip=text,
            )
            model, clip = [lora, 0], [lora, 1]
        model = [graph.add("ModelSamplingSD3", model=model, shift=recipe.shift), 0]
        skip = recipe.skip_layer_guidance
        if skip is not None:
            guided = graph.add(
                "SkipLayerGuidanceSD3",
                model=model,
                layers=", ".join(map(str, skip.layers)),
                scale=skip.scale,
                start_percent=skip.start,
                end_percent=skip.end,
            )
            model = [guided, 0]
        write = str if recipe.text_encoding == "comfyui" else escape
        positive = side(graph, recipe.positive_entries(), clip, write)
        negative = side(graph, recipe.negative_entries(), clip, write)
        latent = sampled(graph, recipe, model, positive, negative, start(graph, recipe, loader))
        image = graph.add("VAEDecode", samples=latent, vae=[loader, 2])
        return graph.add("SaveImage", images=[image, 0], filename_prefix="Laterna")


NODES = StableDiffusion35Nodes()
