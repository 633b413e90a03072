"""The large view: a picture, a clip with its player, or what forms right now."""
