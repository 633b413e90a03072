"""The program around the window: arguments, command line, settings, paths, logs, and the one place that builds it all."""
