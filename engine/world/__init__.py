"""What the embedded models' second generation knows: things, colours, backgrounds, styles, and how three languages say
them. Both sides read it: training draws and captions with it, `engine/prompt` understands a person's words by it."""
