"""What is here, what is wrong with it, and the one thing that mends it: ``laterna doctor``. Nothing is ever sent."""
