"""Making something from something: a folder for each kind, of which only ``work.py`` needs more than this module does.

Torch-free. ``kinds.KINDS`` names them all; the engine, the queue, the command line and the window ask nothing else.
"""
