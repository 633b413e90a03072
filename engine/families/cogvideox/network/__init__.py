"""The torch half."""

from engine.families.cogvideox.network.pipeline import CogVideoXPipeline

PIPELINE = CogVideoXPipeline()
