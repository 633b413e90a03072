"""The version of Laterna, the same as in ``pyproject.toml``, and that of its protocol."""

VERSION = "0.1.0"

PROTOCOL = 2
"""The version of what window and engine say to each other; both say it first, and it changes with any message."""
