"""The second generation's world in pixels and captions: more things, colours, counts, styles, three languages."""
