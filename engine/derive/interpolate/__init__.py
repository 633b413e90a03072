"""More frames for a clip, between those that it has: by optical flow, nothing but OpenCV is needed."""
