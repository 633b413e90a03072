"""The torch half."""

from .pipeline import TwofoldPipeline

PIPELINE = TwofoldPipeline()
