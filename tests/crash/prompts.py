"""What the robot asks for."""

PROMPTS = ("a red apple, blue sky background", "an owl, forest background", "a big star, night background")
