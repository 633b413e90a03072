"""The gallery: everything that was made, as a grid that stays quick at 100,000 items."""
