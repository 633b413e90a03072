"""LoRAs: read in any of their usual namings, matched to a network's layers, and added for as long as a stage runs."""

from engine.worker.adapters.adapters import Adapters

__all__ = ["Adapters"]
