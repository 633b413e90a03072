"""The local engine: protocol, library, jobs, models and media (all torch-free), and the worker that runs torch.

Nothing in here imports Qt, ``ui`` or ``app``; only ``engine.worker`` and ``engine.training`` import torch.
"""
