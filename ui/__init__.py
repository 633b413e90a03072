"""The window: PySide6 only. Knows the engine by its messages, never by its code."""
