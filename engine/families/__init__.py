"""The families of models: a folder each, and nothing of one anywhere else. ``registry`` finds them by being here.

A family's own modules are free of torch; its torch half is its package ``network``, which only the engine's process
imports, by the name that the family gives.
"""
