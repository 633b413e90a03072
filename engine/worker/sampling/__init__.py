"""Samplers: a page each. They know latents and predictions, and nothing of prompts, guidance or families."""
