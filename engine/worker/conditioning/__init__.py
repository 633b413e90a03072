"""What the model is told: texts to encodings, entries to conditionings."""
