"""Where weights lie and in what precision: what changes memory and speed, never the recipe."""
