"""What a generation needs of memory and time, planned before it runs; ``engine.worker.residency`` carries it out.

Free of torch: the window forecasts with it.
"""
