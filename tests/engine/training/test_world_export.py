"""The second generation's picture model as a folder: its card, its words, and the shipped VAE byte for byte."""

import torch
from diffusers import StableDiffusion3Pipeline

from engine.models.installed import open_folder
from engine.prompt.adapt import adapt
from engine.training.image import ImageShape
from engine.training.text import TextStack
from engine.training.tokenizers import T5_LENGTH
from engine.training.world.begin import SHIPPED
from engine.training.world.composition import World
from engine.training.world.export import export_world
from engine.training.world.layout import Layout
from engine.training.world.task import WorldTask
from engine.world.looks import BACKGROUNDS
from engine.world.things import THING_INDEX


def test_an_exported_world_model_draws_and_knows_its_words(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.training.world.export._CAPTIONS", 1500)
    names = ("cat", "bus", "penguin", "horse", "red apple", "crab", "fox", "owl", "house", "rocket", "star", "pizza",
             "tree", "frog", "moon", "sun", "dog", "bear", "lion", "tiger", "banana", "cactus", "robot",
             "ghost")  # fmt: skip
    world = World(tuple(THING_INDEX[name] for name in names))
    text = TextStack(32, 64)
    task = WorldTask(world, ImageShape(1, 2, 32, 64), None, text, Layout(64, 64))
    folder = export_world(task, tmp_path / "mine")
    info = open_folder(folder).info
    for file in (SHIPPED / "vae").iterdir():
        assert (folder / "vae" / file.name).read_bytes() == file.read_bytes()
    known = set(info.vocabulary)
    assert {"cats", "gatos", "caballo", "pink", "six", "seis", "pixel", *BACKGROUNDS} <= known
    assert not {"sofa", "violins", "zebra"} & known
    assert len(info.examples) == 12
    for example in (*info.examples, "two pink cats, blue background", "un caballo verde en la playa", "3 gatos"):
        assert not adapt(example, info.vocabulary, info.examples, any_colour=info.any_colour).changes, example
    pipeline = StableDiffusion3Pipeline.from_pretrained(folder, dtype=torch.float32)
    made = pipeline("two cats", num_inference_steps=1, height=128, width=128, max_sequence_length=T5_LENGTH).images[0]
    assert made.size == (128, 128)
