"""PNG and MP4 with the recipe inside. Torch-free; numpy arrays in, files out."""
