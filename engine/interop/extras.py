"""What a graph has no place for, kept beside it: hashes, the shape of a guidance curve, a sampler that ComfyUI lacks.

An exported node's ``_meta`` holds the recipe's own values of such fields, and what the graph says in their place. An
import takes them back as long as the graph still says that; where someone changed the graph, the graph is right.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.interop.fit import unweighted, weighs
from engine.interop.report import file_name
from engine.protocol.recipe import VERSION, Recipe

# These are one thing said in several ways, compared by what the model is told.
TEXT_FIELDS = ("prompt", "negative_prompt", "negative_range", "conditioning")


class Extras(msgspec.Struct, frozen=True, omit_defaults=True):
    """``recipe`` and ``graph`` map a field to its value in the recipe and to what an import of the graph gives."""

    recipe: dict[str, Any] = {}
    graph: dict[str, Any] = {}


def difference(recipe: Recipe, read: Recipe) -> Extras:
    """What ``read``, the import of an exported ``recipe``, lacks or has otherwise."""
    encoding = {} if recipe.text_encoding == read.text_encoding else {"text_encoding": recipe.text_encoding}
    read = _as_plain(read, recipe.text_encoding)
    own, said = _values(recipe), _values(read)
    fields = [name for name in own if name not in TEXT_FIELDS and own[name] != said[name]]
    if _spoken(recipe) != _spoken(read):
        fields += [name for name in TEXT_FIELDS if own[name] != said[name]]
    return Extras({name: own[name] for name in fields} | encoding, {name: said[name] for name in fields})


def restore(read: Recipe, raw: Any) -> Recipe:
    """``read`` with the fields that the graph could not say; unchanged where the extras are damaged or out of date."""
    try:
        extras = msgspec.convert(raw, Extras)
        own = dict(extras.recipe)
        if weighs(read):  # someone put weights into the graph's texts
            own.pop("text_encoding", None)
        said = _values(_as_plain(read, own.get("text_encoding", read.text_encoding)))
        changes = {
            name: value
            for name, value in own.items()
            if name in said and (name not in extras.graph or extras.graph[name] == said[name])
        }
        restored = msgspec.convert({"version": VERSION} | said | changes, Recipe)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError):
        return read
    return restored.replace(
        inputs=tuple(one.replace(path=file_name(one.path)) for one in restored.inputs),
        adapters=tuple(msgspec.structs.replace(one, name=file_name(one.name)) for one in restored.adapters),
    )


def _values(recipe: Recipe) -> dict[str, Any]:
    """Every field as JSON has it, so that values compare equal after a file."""
    values = {name: getattr(recipe, name) for name in recipe.__struct_fields__}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(values))
    return plain


def _spoken(recipe: Recipe) -> tuple[object, ...]:
    return recipe.positive_entries(), recipe.negative_entries()


def _as_plain(read: Recipe, encoding: str) -> Recipe:
    return unweighted(read) if encoding == "diffusers" and read.text_encoding == "comfyui" else read
