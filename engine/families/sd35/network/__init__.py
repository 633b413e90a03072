"""The torch half."""

from engine.families.sd35.network.pipeline import StableDiffusion35Pipeline

PIPELINE = StableDiffusion35Pipeline()
