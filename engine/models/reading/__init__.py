"""What lies on the disk of a model, read once for catalogue, planner and engine; free of torch, no weight is read."""
