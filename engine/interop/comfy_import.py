"""A ComfyUI workflow as a recipe, and what became of every part of it.

The graph is read backwards: from the node that saves the picture to the sampler that made it, and from there to its
prompts, its model and the latent it started from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from engine.families.registry import FAMILIES as REGISTERED
from engine.interop import extras, foreign_json
from engine.interop.comfy_compound import unfold
from engine.interop.comfy_conditioning import ConditioningReader, cover, limited, simplest, uses_weights
from engine.interop.comfy_families import nodes_of, owner
from engine.interop.comfy_latent import LatentReader, Start
from engine.interop.comfy_models import ModelReader
from engine.interop.comfy_pass import ModelChain, Pass
from engine.interop.comfy_pictures import PictureReader, Size
from engine.interop.comfy_reader import Reader
from engine.interop.comfy_refusals import Refusals, empty_prompt
from engine.interop.comfy_sampling import SamplingReader, is_sampler
from engine.interop.file_stems import stem_of
from engine.interop.fit import fit
from engine.interop.graph import Graph, Node, ancestors, from_api, is_api_graph
from engine.interop.model_files import KnownModels
from engine.interop.report import ImportResult, Notes, file_name, listed, shown, too_much
from engine.interop.ui_graph import from_ui, is_ui_graph
from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.conditioning import guidance_points
from engine.protocol.errors import BadFile
from engine.protocol.family_info import FamilyInfo, ModelInfo
from engine.protocol.inputs import STARTING, Input
from engine.protocol.recipe import Recipe

MAX_OUTPUTS = 20
MAX_PASSES = 256  # a chain may have a sampler for each step
COMFYUI_T5_TOKENS = 77
_SAVES = ("SaveImage", "SaveAnimatedWEBP", "SaveAnimatedPNG", "SaveWEBM", "SaveVideo", "VHS_VideoCombine", "Image Save")
_PREVIEWS = ("PreviewImage", "PreviewAny", "easy imageSave")


def import_workflow(
    data: Any,
    known: KnownModels | None = None,
    families: Mapping[str, FamilyInfo] | None = None,
    fitted: bool = True,
    size_of: Callable[[str], Size | None] = lambda name: None,
    made: Size | None = None,
) -> ImportResult:
    """A parsed workflow, as the editor saves it or as it is sent to the server.

    ``families`` are the rules that the recipe is made to fit, unless ``fitted`` is False. ``size_of`` gives the size of
    a picture that the graph names, where it is at hand; ``made`` is the size of the picture that the graph was in.
    Raises ``BadFile`` for what is no workflow, too large, or in circles.
    """
    notes = Notes()
    graph = _graph(data, notes)
    used = unfold(graph, notes)
    recipe = _Import(graph, notes, known or KnownModels(), size_of, made, used).recipe()
    if recipe is not None and fitted:
        recipe = fit(recipe, (families or FAMILIES)[recipe.family], notes)
    return notes.result("ComfyUI", recipe)


def is_workflow(data: Any) -> bool:
    return is_ui_graph(data) or is_api_graph(data) or _wrapped(data) is not None


def _wrapped(data: Any) -> Any:
    """A graph inside a request to the server, or inside a pair of both forms, each as it is or as a text of JSON."""
    if not isinstance(data, dict):
        return None
    inside = data.get("extra_pnginfo")
    places = [data, inside] if isinstance(inside, dict) else [data]
    for said in [place.get(name) for place in places for name in ("prompt", "output", "workflow")]:
        value = foreign_json.loads(said) if isinstance(said, str) and said.lstrip().startswith("{") else said
        if is_api_graph(value) or is_ui_graph(value):
            return value
    return None


def _graph(data: Any, notes: Notes) -> Graph:
    if not is_ui_graph(data) and not is_api_graph(data):
        data = _wrapped(data)
    if is_ui_graph(data):
        return from_ui(data, notes)
    if is_api_graph(data):
        return from_api(data)
    raise BadFile("This is no ComfyUI workflow.", "Choose a workflow that ComfyUI saved, or a picture that has one.")


class _Import:
    def __init__(
        self,
        graph: Graph,
        notes: Notes,
        known: KnownModels,
        size_of: Callable[[str], Size | None],
        made: Size | None,
        used: set[str],
    ) -> None:
        self._graph = graph
        self._notes = notes
        self._known = known
        self._reader = Reader(graph, notes)
        self._reader.used.update(used)
        self._sampling = SamplingReader(self._reader)
        self._made = made
        self._refusals = Refusals(graph, self._reader)
        pictures = PictureReader(self._reader, size_of)
        self._latents = LatentReader(self._reader, pictures)
        self._models = ModelReader(self._reader, known)
        self._conditioning = ConditioningReader(self._reader, pictures)

    def recipe(self) -> Recipe | None:
        output, sampler = self._choose()
        if sampler is None:
            self._refusals.without_sampler()
            return None
        on_the_way = ancestors(self._graph, (output or sampler).id)
        self._decoding(on_the_way)
        passes, start = self._passes(sampler)
        if len(passes) > 1 or not self._saved_as_made(on_the_way, sampler):
            self._made = None
        first, scales = self._merge(passes)
        first_frame = first.node.link("image_cond_latents")
        if first_frame is not None:
            frame = self._latents.first_frame(first_frame)
            if start.width is None:
                start = replace(start, width=frame.width, height=frame.height, rough=frame.rough)
            start = replace(start, picture=frame.picture)
        chain = self._models.chain(first.model)
        self._notes.words = self._words(first)
        if self._refusals.is_foreign(chain, on_the_way):
            return None
        family = self._family(chain, first)
        fields: dict[str, Any] = {"family": family, "model": chain.id or stem_of(chain.file)}
        fields |= self._size(start, first, family, output)
        fields |= self._steps(first, start, scales, family)
        fields |= self._texts(first, family, chain.id)
        if FAMILIES[family].takes("shift"):
            fields["shift"] = 3.0 if chain.shift is None else chain.shift
            self._other_shift(first, chain)
        else:
            fields["shift"] = 1.0
        fields["skip_layer_guidance"] = chain.skip
        fields["adapters"] = tuple(chain.adapters)
        self._models.missing(chain)
        if chain.id:
            self._notes.understood(f"{shown(file_name(chain.file))} is the model {chain.id}.")
        recipe = Recipe(**fields)
        beside = next((node.extras for node in self._graph.values() if node.extras is not None), None)
        if beside is not None:
            recipe = extras.restore(recipe, beside)
        if self._refusals.unreadable():
            return None
        empty_prompt(recipe, self._notes)
        self._leftovers(on_the_way, output)
        return recipe

    def _choose(self) -> tuple[Node | None, Node | None]:
        """The node that saves the picture, and the sampler that feeds it."""
        samplers = [node for node in self._graph.values() if is_sampler(node)]
        outputs = [node for node in self._graph.values() if node.type in _SAVES or "Save" in node.type]
        outputs += [node for node in self._graph.values() if node.type in _PREVIEWS]
        found: list[tuple[Node, Node]] = []
        for saving in outputs[:MAX_OUTPUTS]:
            nearest = next((id for id in ancestors(self._graph, saving.id) if is_sampler(self._graph[id])), None)
            if nearest is not None:
                found.append((saving, self._graph[nearest]))
        output: Node | None = None
        if found:
            output, sampler = found[0]
            if len({node.id for _, node in found}) > 1:
                self._notes.ignored(f"Several pictures are saved; this is the recipe of the one from {output.label}.")
        elif samplers:
            sampler = self._last(samplers)
            self._notes.approximated(f"No node saves the picture; {sampler.label} is taken.")
        else:
            return None, None
        self._reader.used.update({sampler.id, output.id if output is not None else sampler.id})
        if len(samplers) > 1:
            count, picked = len(samplers), sampler.label
            if output is not None:
                self._notes.understood(f"Of {count} samplers {picked} was picked: it feeds {output.label}.")
            else:
                self._notes.understood(f"Of {count} samplers {picked} was picked: no other follows it.")
        return output, sampler

    def _last(self, samplers: list[Node]) -> Node:
        """A sampler that no other one depends on."""
        samplers = samplers[:MAX_OUTPUTS]
        before = {id for node in samplers for id in ancestors(self._graph, node.id)[1:]}
        return next((node for node in samplers if node.id not in before), samplers[-1])

    def _decoding(self, on_the_way: list[str]) -> None:
        for id in on_the_way:
            node = self._graph[id]
            if node.type in ("VAEDecode", "VAEDecodeTiled") or owner(node, "decoders"):
                self._reader.used.add(id)
                self._models.vae(node.link("vae"))
                tiled = node.type == "VAEDecodeTiled" or self._reader.flag(node, "enable_vae_tiling", False)
                if tiled:
                    self._notes.ignored(
                        f"{node.label} decodes in tiles; Laterna plans tiling by the memory that is free."
                    )

    def _saved_as_made(self, on_the_way: list[str], sampler: Node) -> bool:
        """Whether nothing between sampler and file may change the picture's size."""
        after = set(on_the_way) - set(ancestors(self._graph, sampler.id))
        plain = ("VAEDecode", "VAEDecodeTiled", "VAELoader", *_SAVES, *_PREVIEWS)
        return all(self._graph[id].type in plain for id in after)

    def _passes(self, sampler: Node) -> tuple[list[Pass], Start]:
        """The samplers that work on the picture one after another, first to last, and what the first starts from."""
        passes = [self._sampling.read(sampler)]
        while len(passes) <= MAX_PASSES:
            earlier, start = self._latents.back(passes[-1].latent)
            if earlier is None:
                return passes[::-1], start
            passes.append(self._sampling.read(earlier))
        raise too_much(f"sends the picture through more than {MAX_PASSES} samplers")

    def _merge(self, passes: list[Pass]) -> tuple[Pass, list[float]]:
        """The first pass, or all of them as one where they share a schedule; with the guidance scale of each step."""
        first = passes[0]
        if len(passes) == 1:
            return first, []
        if self._is_one_schedule(passes):
            scales = [one.guidance for one in passes for _ in range(one.run)]
            names = ", ".join(one.node.label for one in passes)
            self._notes.understood(f"{names} run one schedule in parts: guidance changes over the steps.")
            merged = Pass(**{**vars(first), "end": passes[-1].end})
            return merged, scales if len(set(scales)) > 1 else []
        for later in passes[1:]:
            self._notes.ignored(
                f"{later.node.label} works on the picture again ({later.run} steps, denoise {later.denoise:g});"
                f" the recipe is that of {first.node.label}, which makes the first one."
            )
        if first.last < first.total:
            self._notes.approximated(f"{first.node.label} stops at step {first.last}; here it runs to the end.")
            first = Pass(**{**vars(first), "end": first.total})
        return first, []

    @staticmethod
    def _is_one_schedule(passes: list[Pass]) -> bool:
        def schedule(one: Pass) -> tuple[object, ...]:
            return (one.total, one.sampler, one.scheduler, one.denoise, one.model, one.positive, one.negative)

        return all(
            schedule(before) == schedule(after) and before.last == after.start and not after.adds_noise
            for before, after in pairwise(passes)
        )

    def _family(self, chain: ModelChain, first: Pass) -> str:
        own = owner(first.node, "samplers")
        if own:
            return own
        known = self._known.installed.get(chain.id) or (MODELS[chain.id].family if chain.id in MODELS else "")
        family = known or chain.family
        if family:
            return family
        usual = next(iter(FAMILIES))
        if not any(nodes_of(usual).is_marked(node) for node in self._graph.values()):
            self._notes.approximated(
                f"Laterna does not know the model “{shown(file_name(chain.file))}”; its settings are read as for"
                f" {FAMILIES[usual].name}, and the picture will be another."
            )
        return usual

    def _size(self, start: Start, first: Pass, family: str, output: Node | None) -> dict[str, Any]:
        width, height = start.width, start.height
        if "width" in first.node.inputs and "height" in first.node.inputs:  # as a wrapper's first versions have them
            width, height = (self._reader.integer(first.node, name, 0) or None for name in ("width", "height"))
        if (start.picture or start.clip) and self._made and (start.rough or width is None):
            width, height = self._made
            self._notes.understood(f"The size, {width} × {height}, is that of the picture which has this workflow.")
        elif start.rough and width and height:
            self._notes.approximated(f"The size depends on the picture's shape; {width} × {height} stands there now.")
        elif (width is None or height is None) and (start.picture or start.clip):
            width, height = _native(family)
            self._notes.approximated(
                f"The size is that of “{shown(start.picture or start.clip)}”, which the workflow does not say;"
                f" {width} × {height} stands there now."
            )
        elif width is None or height is None:
            width, height = _native(family)
            self._notes.approximated(f"The workflow does not say the picture's size; {width} × {height} is used.")
        fields: dict[str, Any] = {"width": width, "height": height, "batch": start.batch}
        if FAMILIES[family].kind == "video":
            fields["frames"] = first.frames
            fields["fps"] = round(self._rate(output))
        return fields

    def _rate(self, output: Node | None) -> float:
        for _ in range(4):
            if output is None:
                break
            for name in ("frame_rate", "fps"):
                if name in output.inputs:
                    return self._reader.number(output, name, 8.0)
            output = self._reader.node(output.link("video"))
        return 8.0

    def _steps(self, first: Pass, start: Start, scales: list[float], family: str) -> dict[str, Any]:
        label = first.node.label
        steps, strength = first.total, first.denoise
        if first.start:
            steps = max(1, first.run)
            strength = _denoise(steps, first.total)
        if first.last < first.total:
            self._notes.approximated(f"{label} leaves noise in the picture; Laterna always removes all of it.")
        if not first.adds_noise:
            self._notes.approximated(f"{label} adds no noise; Laterna always does.")
        fields: dict[str, Any] = {
            "steps": steps,
            "seed": first.seed,
            "guidance": scales[0] if scales else first.guidance,
            "guidance_schedule": guidance_points(scales) if scales else (),
            "sampler": first.sampler,
            "scheduler": first.scheduler,
        }
        self._notes.understood(
            f"{label}: {steps} steps of {first.sampler} with {first.scheduler}, guidance {fields['guidance']:g}, seed"
            f" {first.seed}."
        )
        if start.picture:
            name = file_name(start.picture)
            rule = FAMILIES[family].rule_of(*STARTING)
            role = rule.role if rule is not None else "start"
            fields["inputs"] = (Input(role, name, strength=strength),)
            self._notes.understood(
                f"The clip begins with the picture “{shown(name)}”."
                if role == "first_frame"
                else f"It starts from the picture “{shown(name)}” with a denoise strength of {strength:g}."
            )
            self._notes.missing(name, "picture")
        elif start.clip:
            fields["steps"] = first.total
            self._notes.ignored(
                f"{start.by} gives the clip “{shown(start.clip)}”, which {label} changes with a strength of"
                f" {strength:g}; Laterna makes the clip anew from the words."
            )
        elif strength != 1.0:
            fields["steps"] = first.total
            self._notes.approximated(f"{label} runs a part of the schedule on an empty latent; Laterna runs all of it.")
        return fields

    def _texts(self, first: Pass, family: str, model: str) -> dict[str, Any]:
        positive = self._conditioning.side(first.positive, "positive")
        if not positive:
            self._notes.approximated("No prompt is connected; an empty one is used.")
        encoders = set().union(*(self._models.encoders(link) for link in self._conditioning.encoders[:1]))
        negative = self._conditioning.side(first.negative, "negative")
        sides = [
            cover(limited(side, name, self._notes), name, self._notes)
            for side, name in ((positive, "positive"), (negative, "negative"))
        ]
        fields: dict[str, Any] = simplest(sides[0], sides[1])
        for name, side in zip(("positive", "negative"), sides, strict=True):
            if len(side) > 1:
                self._notes.understood(f"{len(side)} {name} conditionings, each with its part of the schedule.")
        if "comfyui" in FAMILIES[family].text_encodings:
            fields |= {"text_encoding": "comfyui", "max_sequence_length": COMFYUI_T5_TOKENS}
            fields["use_t5"] = not encoders or "T5" in encoders
            absent = {"CLIP-L", "CLIP-G"} - encoders
            if encoders and absent:
                self._notes.approximated(f"The workflow loads no {' and no '.join(sorted(absent))}; Laterna uses it.")
        else:
            known = MODELS.get(model) or _usual(family)
            fields["max_sequence_length"] = known.defaults.max_sequence_length
            fields["text_encoding"] = "comfyui" if uses_weights(sides[0] + sides[1]) else "diffusers"
        return fields

    def _words(self, first: Pass) -> tuple[str, str]:
        """What is said to the model, whatever model it is."""
        sides = [
            self._conditioning.side(first.positive, "positive"),
            self._conditioning.side(first.negative, "negative"),
        ]
        said = [next((entry.text or "" for entry in side if not entry.zero), "") for side in sides]
        return said[0], said[1]

    def _other_shift(self, first: Pass, chain: ModelChain) -> None:
        """SamplerCustomAdvanced may take its schedule from another model than its guidance."""
        sigmas = self._reader.node(first.node.link("sigmas"))
        link = sigmas.link("model") if sigmas is not None else None
        if link is None or link == first.model:
            return
        shift = self._models.chain(link).shift
        if (3.0 if shift is None else shift) != (3.0 if chain.shift is None else chain.shift):
            self._notes.approximated("The schedule and the guidance have different shifts; the guidance's is used.")

    def _leftovers(self, on_the_way: list[str], output: Node | None) -> None:
        way, used = set(on_the_way), self._reader.used
        said = {self._graph[id].label for id in used if id in self._graph}  # a node may stand for several
        left = [node for node in self._graph.values() if node.id not in used and node.label not in said]
        after = list(dict.fromkeys(node.label for node in left if node.id in way))
        apart = list(dict.fromkeys(node.label for node in left if node.id not in way))
        if after:
            self._notes.ignored(f"Laterna leaves out {listed(after)}.")
        if apart:
            self._notes.ignored(f"Not part of this picture: {listed(apart)}.")


def _denoise(steps: int, total: int) -> float:
    """A denoise strength whose schedule of ``int(steps / d)`` steps has ``total``."""
    plain = steps / total
    return plain if int(steps / plain) == total else steps / (total + 0.5)


def _usual(family: str) -> ModelInfo:
    """The published model whose settings a graph of an unknown one is read with."""
    wanted = REGISTERED[family].usual_model
    return MODELS[wanted] if wanted else REGISTERED[family].models[0]


def _native(family: str) -> tuple[int, int]:
    defaults = _usual(family).defaults
    return defaults.width, defaults.height
