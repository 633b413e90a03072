"""The program around the window: arguments, command line, settings, paths, and the one place that builds it all."""
