"""The command line: the same program without its window."""
