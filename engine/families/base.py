"""What a family of models is, without torch: data and small questions. Whatever is asked of a family is asked here, or
of its torch half (``engine.worker.pipeline``)."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec

from engine.families.files import FileKind
from engine.families.networks import Config, Kind, NetworkClass
from engine.families.shapes import Shapes
from engine.families.source import Licence, ModelSource
from engine.protocol.errors import UnsafeModel
from engine.protocol.family_info import FamilyInfo, ModelDefaults, ModelInfo
from engine.protocol.recipe import Recipe

_NOTHING = re.compile(r"(?!)")
CLIP_TOKENIZERS = ("transformers:CLIPTokenizer", "transformers:CLIPTokenizerFast")
T5_TOKENIZERS = (
    "transformers:T5TokenizerFast",
    "transformers:T5Tokenizer",
    "transformers:PreTrainedTokenizerFast",
    "transformers:TokenizersBackend",
)


@dataclass(frozen=True)
class ComponentSpec:
    """A component's folder name and the classes that it may be of, as ``module:class``, the usual one first. ``kind``
    is that of single files that hold it, "" where none do."""

    name: str
    label: str
    classes: tuple[str, ...]
    has_weights: bool = True
    optional: bool = False
    kind: str = ""

    @property
    def class_name(self) -> str:
        """The usual one."""
        return self.classes[0].partition(":")[2]

    def find_class(self, name: str) -> Any:
        """The class that a model's index names for this component. Raises ``UnsafeModel`` for any other."""
        for entry in self.classes:
            module, _, cls = entry.partition(":")
            if name in ("", cls):
                return getattr(importlib.import_module(module), cls)
        raise UnsafeModel(
            f"The model wants {name} as its {self.label}, which Laterna does not know.", "Choose another model."
        )


class PublishedPart(NamedTuple):
    """A component of a published model: its folder's name, its network among ``networks``, and its dtype."""

    name: str
    network: str
    precision: str


class Family:
    """One family. A subclass gives the values; the methods below have the usual answers.

    ``models`` are the published ones. ``components`` are those of a model's folder, ``pipelines`` the names that its
    ``model_index.json`` may go by, the usual one first. ``network_classes`` are the classes of its components;
    ``networks`` the published networks as name → (class, configuration), ``published`` the parts of each published
    model. ``layers`` are the numbers of layers of the published denoisers: others are small or experimental ones.
    ``sources`` say where the published models come from and ``licences`` under which terms, ``parts_label`` how the
    parts are called that its imports share.
    ``file_kinds`` are those of its components in single files; ``scheduler`` is then the folder of the published
    configuration that no such file has, ``variants`` by model what is different in a component's configuration and the
    files cannot tell, and ``preferred`` the part of a file's name, in lower case without dots, by which one of several
    is chosen.
    ``distils_guidance``: the guidance scale is an input of the denoiser, which then needs one pass.
    ``lora_told_by`` finds a LoRA's family in the names of its layers, with dots as underscores; ``lora_query`` the
    layers whose inputs are as wide as the denoiser, ``lora_strangers`` names others by widths that only they have and
    whose layers may be called alike.
    ``usual_model`` lends its settings where a file from elsewhere names none that is known ("": the first).
    ``comfy`` is the module with its graphs in ComfyUI; it has ``NODES``.
    ``training`` is the module that says how its denoiser is trained, "" where that cannot be done here.
    ``network`` is the module of the torch half; it has ``PIPELINE``.
    """

    info: ClassVar[FamilyInfo]
    models: ClassVar[tuple[ModelInfo, ...]]
    components: ClassVar[tuple[ComponentSpec, ...]]
    pipelines: ClassVar[tuple[str, ...]]
    network_classes: ClassVar[tuple[NetworkClass, ...]]
    networks: ClassVar[Mapping[str, tuple[str, Config]]] = {}
    published: ClassVar[Mapping[str, tuple[PublishedPart, ...]]] = {}
    layers: ClassVar[tuple[int, ...]] = ()
    sources: ClassVar[tuple[ModelSource, ...]] = ()
    licences: ClassVar[tuple[Licence, ...]] = ()
    parts_label: ClassVar[str] = ""
    file_kinds: ClassVar[tuple[FileKind, ...]] = ()
    scheduler: ClassVar[Path | None] = None
    variants: ClassVar[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {}
    preferred: ClassVar[str] = ""
    distils_guidance: ClassVar[bool] = False
    lora_told_by: ClassVar[re.Pattern[str]] = _NOTHING
    lora_query: ClassVar[re.Pattern[str]] = _NOTHING
    lora_strangers: ClassVar[Mapping[int, str]] = {}
    usual_model: ClassVar[str] = ""
    comfy: ClassVar[str] = ""
    training: ClassVar[str] = ""
    network: ClassVar[str]

    def nearest(self, name: str, config: Config) -> str:
        """The id of the published model that a denoiser's ``config``, in a folder called ``name``, is nearest to."""
        return self.models[0].id

    def own_defaults(self, defaults: ModelDefaults, config: Config) -> ModelDefaults:
        """The reference settings of a model of another size than the published ones."""
        return defaults

    def recognise(self, name: str, config: Config) -> ModelInfo:
        """What a folder ``name`` without a card holds, by its denoiser's ``config``: the nearest published model, with
        the sizes that it was trained for where it is none of those."""
        nearest = self.nearest(name, config)
        base = next(model for model in self.models if model.id == nearest)
        if config.get("num_layers") in self.layers:
            return base if name == base.id else msgspec.structs.replace(base, id=name)
        defaults = self.own_defaults(base.defaults, config)
        return msgspec.structs.replace(
            base,
            id=name,
            name=name,
            summary="",
            defaults=defaults,
            sizes=((defaults.width, defaults.height),),
            repository="",
        )

    def unused_components(self, recipe: Recipe) -> tuple[str, ...]:
        """Components that ``recipe`` does without."""
        return ()

    def passes(self, recipe: Recipe) -> float:
        """Passes over the denoiser in one step: one for each prompt, and with guidance for each negative one;
        skip-layer guidance adds its share of a pass."""
        found = float(len(recipe.positive_entries()) + len(recipe.negative_entries()) * self.is_guided(recipe))
        if recipe.skip_layer_guidance is not None:
            found += max(0.0, recipe.skip_layer_guidance.end - recipe.skip_layer_guidance.start)
        return found

    def prompts(self, recipe: Recipe) -> int:
        """Texts that are encoded."""
        return len(recipe.positive_entries()) + len(recipe.negative_entries()) * self.is_guided(recipe)

    def is_guided(self, recipe: Recipe) -> bool:
        """Whether guidance takes passes of its own in any step. A single scale of 1 or less means none, as in
        diffusers; a distilled guidance value never does, the network is told it."""
        if self.distils_guidance:
            return False
        if recipe.guidance_schedule:
            return any(recipe.guidance_at_step(step) != 1 for step in range(recipe.steps))
        return recipe.guidance > 1

    def text_tokens(self, recipe: Recipe) -> int:
        """Tokens of text that the denoiser reads beside those of the picture."""
        return recipe.max_sequence_length

    def turns(self, recipe: Recipe) -> dict[str, float]:
        """The part of the steps that each denoiser is asked in, as well as it can be told without the model: all in
        equal parts."""
        names = self.denoisers()
        return {name: 1 / len(names) for name in names}

    def likely_denoiser(self, recipe: Recipe, step: int) -> str:
        """The one that is asked in ``step``, by ``turns``."""
        done = 0.0
        for name, turn in self.turns(recipe).items():
            done += turn * recipe.steps
            if step < done - 0.5:
                return name
        return self.denoisers()[-1]

    def tokens(self, recipe: Recipe, denoiser: Config, vae: Config) -> int:
        """Of one result in the denoiser, by the configurations of both."""
        scale = 2 ** (len(vae.get("block_out_channels", (0,) * 4)) - 1)
        patch = int(denoiser.get("patch_size") or 2)
        spatial = max(1, recipe.width // scale // patch) * max(1, recipe.height // scale // patch)
        patch_t = int(denoiser.get("patch_size_t") or 1)
        compression = int(vae.get("temporal_compression_ratio") or 4)
        frames = (recipe.frames - 1) // compression + 1 if recipe.frames > 1 else 1
        return int(spatial * -(-frames // patch_t))

    def vae(self) -> str:
        """The component that makes latents of pixels and pixels of latents."""
        return next(spec.name for spec in self.components if self.kind_of(spec) == "vae")

    def denoisers(self) -> tuple[str, ...]:
        """Components that are denoisers, in the order in which they are used."""
        return tuple(spec.name for spec in self.components if self.kind_of(spec) == "denoiser")

    def kind_of(self, spec: ComponentSpec) -> Kind | None:
        """None for a tokenizer."""
        kinds = {cls.name: cls.kind for cls in self.network_classes}
        return kinds.get(spec.class_name)

    def told(self) -> tuple[ComponentSpec, ...]:
        """The components in the order in which people are told of them: denoisers, VAE, text encoders, tokenizers."""
        order: tuple[Kind | None, ...] = ("denoiser", "vae", "text", None)
        return tuple(sorted(self.components, key=lambda spec: order.index(self.kind_of(spec))))

    @property
    def optional(self) -> tuple[str, ...]:
        """Components without which a model runs."""
        return tuple(spec.name for spec in self.components if spec.optional)

    def spec(self, name: str) -> ComponentSpec | None:
        return next((spec for spec in self.components if spec.name == name), None)

    def name_of(self, kind: str) -> str:
        """The component that files of ``kind`` hold, "" where it has none."""
        return next((spec.name for spec in self.components if kind and spec.kind == kind), "")

    def file_label(self, name: str) -> str:
        """What a component is called where it is a file."""
        spec = self.spec(name)
        return next((kind.label for kind in self.file_kinds if spec and kind.name == spec.kind), name)

    def variant(self, model: str, component: str) -> Mapping[str, Any]:
        return self.variants.get(model, {}).get(component, {})

    def width(self, config: Config) -> int:
        """Of the layers of a denoiser; 0 where ``config`` does not say."""
        return int(config.get("num_attention_heads", 0)) * int(config.get("attention_head_dim", 0))

    def lora_denoisers(self, name: str) -> tuple[str, ...]:
        """Which of several denoisers a LoRA is for whose layers do not say it, by its file's ``name``."""
        return self.denoisers()

    def is_controlnet(self, shapes: Shapes) -> bool:
        """Whether a file with tensors of ``shapes`` is a ControlNet for one of its models."""
        return False
