"""Components that lie in single files: names and shapes of the original layouts, fp8 and GGUF, read without the hub."""
