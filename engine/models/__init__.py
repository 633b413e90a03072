"""What models there are, where they lie, and (later) how they are fetched. Torch-free."""
