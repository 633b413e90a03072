"""Enlarging by Lanczos resampling: nothing is invented, nothing but OpenCV is needed."""
