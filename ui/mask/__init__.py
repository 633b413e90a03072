"""Painting the mask of a picture in the place of the view."""
