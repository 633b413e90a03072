"""The library: files are the truth, and a SQLite database that can be rebuilt from them is their index."""
