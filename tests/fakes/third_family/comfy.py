"""Its graphs in ComfyUI: a loader for both transformers, and a sampler that is told the guidance scale."""

from __future__ import annotations

from engine.interop.comfy_families import FamilyNodes, FamilyReader, ModelFile, Names, Strengths
from engine.interop.comfy_graph import T5, GraphWriter
from engine.interop.comfy_pass import ModelChain, Pass
from engine.interop.graph import Node
from engine.interop.report import file_name
from engine.protocol.recipe import Adapter, Recipe


class TwofoldNodes(FamilyNodes):
    files = (ModelFile("twofold-one", "twofold_high_noise.safetensors", "twofold-(high|low)-noise"),)
    vae_files = "twofold.*vae"
    loaders = {"TwofoldLoader": "high"}
    samplers = ("TwofoldSampler",)
    texts = {"TwofoldPrompt": "words"}
    decoders = ("TwofoldDecode",)
    widgets = {
        "TwofoldLoader": (("high", "low", "lora", "strength"),),
        "TwofoldPrompt": (("words",),),
        "TwofoldSampler": (("seed", "steps", "guidance", "shift", "sampler"),),
    }

    def export(self, graph: GraphWriter, recipe: Recipe) -> str:
        high = self.file_of(recipe.model)
        named = {"lora": "", "strength": 1.0}
        if recipe.adapters:
            named = {"lora": file_name(recipe.adapters[0].name), "strength": recipe.adapters[0].strength}
        loader = graph.add("TwofoldLoader", high=high, low=high.replace("high", "low"), **named)
        clip = graph.add("CLIPLoader", clip_name=T5, type="twofold")
        words = graph.add("TwofoldPrompt", words=recipe.prompt, clip=[clip, 0])
        size = graph.add("EmptyLatentImage", width=recipe.width, height=recipe.height, batch_size=recipe.batch)
        sampler = graph.add(
            "TwofoldSampler",
            model=[loader, 0],
            positive=[words, 0],
            samples=[size, 0],
            seed=recipe.seed,
            steps=recipe.steps,
            guidance=recipe.guidance,
            shift=recipe.shift,
            sampler=recipe.sampler,
        )
        image = graph.add("TwofoldDecode", samples=[sampler, 0])
        return graph.add("SaveImage", images=[image, 0], filename_prefix="Laterna")

    def read_loader(self, reader: FamilyReader, strengths: Strengths, node: Node, chain: ModelChain) -> None:
        name = reader.text(node, "lora", "")
        if name:
            chain.adapters.append(Adapter(name, strength=strengths.strength(node, "strength")))

    def read_sampler(self, reader: FamilyReader, names: Names, node: Node) -> Pass:
        return Pass(
            node,
            node.link("model"),
            node.link("positive"),
            None,
            node.link("samples"),
            seed=reader.seed(node, "seed"),
            total=names.steps(node, 6),
            guidance=reader.number(node, "guidance", 3.5),
            sampler=names.sampler(reader.text(node, "sampler", "euler"), node),
            scheduler="normal",
        )


NODES = TwofoldNodes()
