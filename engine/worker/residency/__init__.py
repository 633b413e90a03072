"""Carries out what ``engine.memory`` plans: where weights lie and in what precision, never the recipe."""
