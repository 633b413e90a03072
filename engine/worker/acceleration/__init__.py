"""What makes a generation faster beyond its memory plan: step caching and compiled blocks. Both are asked for."""
