"""The queue: what runs and what waits."""
