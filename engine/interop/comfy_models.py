"""Loaders and what is put on a model: the checkpoint, text encoders, LoRAs, shift, skip-layer guidance."""

from __future__ import annotations

import re

from engine.families.registry import FAMILIES
from engine.interop.comfy_families import nodes_of, owner
from engine.interop.comfy_pass import ModelChain
from engine.interop.comfy_reader import MAX_CHAIN, Reader
from engine.interop.graph import Link, Node
from engine.interop.model_files import KnownModels, is_reduced, is_standard_vae, standard_encoder
from engine.interop.report import file_name, shown
from engine.protocol.recipe import Adapter, SkipLayerGuidance

_CHECKPOINTS = {
    "CheckpointLoaderSimple": "ckpt_name",
    "CheckpointLoader": "ckpt_name",
    "unCLIPCheckpointLoader": "ckpt_name",
    "ImageOnlyCheckpointLoader": "ckpt_name",
    "UNETLoader": "unet_name",
    "UnetLoaderGGUF": "unet_name",
    "DiffusersLoader": "model_path",
}
_NAMES = ("ckpt_name", "unet_name", "model_name", "model", "checkpoint", "model_path", "gguf_name")
_SHIFTS = ("ModelSamplingSD3", "ModelSamplingAuraFlow")
_MEMORY_ONLY = ("ModelComputeDtype", "TorchCompileModel", "PatchModelAddDownscale", "FreeMemory", "ApplyFBCacheOnModel")


class ModelReader:
    def __init__(self, reader: Reader, known: KnownModels) -> None:
        self._reader = reader
        self._notes = reader.notes
        self._known = known

    def chain(self, link: Link | None) -> ModelChain:
        """Follow a MODEL link back to its loader; of two shifts or two skip-layer guidances the later one counts."""
        chain = ModelChain()
        node = self._reader.node(link)
        for _ in range(MAX_CHAIN):
            if node is None or self._loader(node, chain):
                break
            if node.type in _SHIFTS:
                if chain.shift is None:
                    chain.shift = self._reader.number(node, "shift", 3.0)
            elif node.type == "SkipLayerGuidanceSD3":
                chain.family = chain.family or next((one for one in FAMILIES if nodes_of(one).is_marked(node)), "")
                self._skip(node, chain)
            elif node.type in ("LoraLoader", "LoraLoaderModelOnly"):
                self._lora(node, chain)
            elif node.type in _MEMORY_ONLY:
                self._notes.ignored(f"{node.label} changes speed or memory; Laterna plans those itself.")
            else:
                self._notes.ignored(f"{node.label} changes the model in a way that Laterna does not know.")
            chain.nodes.append(node)
            node = self._reader.node(node.link("model") or node.link("pipeline"))
        chain.adapters.reverse()
        return chain

    def _loader(self, node: Node, chain: ModelChain) -> bool:
        family = owner(node, "loaders")
        name = nodes_of(family).loaders[node.type] if family else _CHECKPOINTS.get(node.type)
        if name is None:
            if node.link("model") is not None or node.link("pipeline") is not None:
                return False
            name = next((one for one in _NAMES if isinstance(node.inputs.get(one), str)), None)
            if name is None:
                self._notes.approximated(f"{node.label} is no loader that Laterna knows, so the model is not known.")
                return True
            self._notes.approximated(f"{node.label} is no loader that Laterna knows; its {name} is read as the model.")
        chain.nodes.append(node)
        chain.file = self._reader.text(node, name, "")
        chain.id = self._known.find(chain.file, node.hashes.get(chain.file, ""))
        if family:
            chain.family = family
            nodes_of(family).read_loader(self._reader, self, node, chain)
        reduced = self._reader.text(node, "weight_dtype", "default") not in ("default", "")
        if reduced or is_reduced(chain.file):
            self._notes.approximated(
                f"{node.label} runs reduced weights; Laterna runs the model's own, so details differ."
            )
        return True

    def _skip(self, node: Node, chain: ModelChain) -> None:
        if chain.skip is not None:
            self._notes.approximated(f"{node.label} is a second skip-layer guidance; Laterna applies one.")
            return
        layers = tuple(int(digits) for digits in re.findall(r"\d{1,4}", self._reader.text(node, "layers", "7, 8, 9")))
        start = self._reader.number(node, "start_percent", 0.01)
        end = self._reader.number(node, "end_percent", 0.15)
        chain.skip = SkipLayerGuidance(self._reader.number(node, "scale", 3.0), layers[:64], start, end, "sigma")

    def _lora(self, node: Node, chain: ModelChain) -> None:
        strength = self.strength(node, "strength_model")
        text = self.strength(node, "strength_clip") if node.type == "LoraLoader" else 0.0
        name = file_name(self._reader.text(node, "lora_name", ""))
        if name in ("", "None"):
            return
        chain.adapters.append(Adapter(name, "", strength, None if text == strength else text))

    def strength(self, node: Node, name: str) -> float:
        stated = self._reader.number(node, name, 1.0)
        kept = min(max(stated, -20.0), 20.0)
        if kept != stated:
            self._notes.approximated(f"{node.label} has a strength of {stated:g}; {kept:g} is used.")
        return kept

    def missing(self, chain: ModelChain) -> None:
        """Name the files that this machine does not have."""
        if chain.file and (not chain.id or chain.id not in self._known.installed):
            self._notes.missing(file_name(chain.file), "model", chain.id)
        for adapter in chain.adapters:
            if not self._known.has_lora(adapter.name):
                self._notes.missing(adapter.name, "LoRA")

    def encoders(self, link: Link | None) -> set[str]:
        """The text encoders behind a CLIP link; empty where the checkpoint brings its own, or nothing is known."""
        node = self._reader.node(link)
        for _ in range(MAX_CHAIN):
            if node is None:
                return set()
            if "CLIPLoader" in node.type:
                return self._encoder_files(node)
            if node.type == "CLIPSetLastLayer" and self._reader.integer(node, "stop_at_clip_layer", -1) not in (-1, -2):
                self._notes.approximated(
                    f"{node.label} skips layers of CLIP; these models always take the last but one."
                )
            node = self._reader.node(node.link("clip"))
        return set()

    def _encoder_files(self, node: Node) -> set[str]:
        found = set()
        for name in ("clip_name", "clip_name1", "clip_name2", "clip_name3", "clip_name4"):
            file = self._reader.text(node, name, "")
            if not file:
                continue
            encoder = standard_encoder(file)
            if encoder:
                found.add(encoder)
                self._notes.understood(f"{shown(file_name(file))} is the {encoder} that comes with the model.")
                if is_reduced(file):
                    self._notes.approximated(
                        f"{shown(file_name(file))} has reduced weights; Laterna runs the model's own."
                    )
            else:
                self._notes.missing(file_name(file), "text encoder")
        return found

    def vae(self, link: Link | None) -> None:
        node = self._reader.node(link)
        if node is None or "VAELoader" not in node.type:
            return
        file = self._reader.text(node, "vae_name", "") or self._reader.text(node, "model_name", "")
        if is_standard_vae(file):
            self._notes.understood(f"{shown(file_name(file))} is the VAE that comes with the model.")
        else:
            self._notes.missing(file_name(file), "VAE")
            self._notes.approximated(f"{node.label} decodes with a VAE of its own; Laterna takes the model's.")
