"""What a person writes before it is a recipe: counting its tokens, alternatives, wildcards, styles. No torch, no Qt."""
