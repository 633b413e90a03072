"""The engine process: models, samplers and the one job in hand. Only this package imports torch."""
