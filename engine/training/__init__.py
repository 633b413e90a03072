"""Training: the embedded models, made from rendered scenes, and the tools to fine-tune any family.

``python -m engine.training --help`` lists the commands; ``docs/training.md`` tells the story and the numbers.
"""
