"""Two to four results beside one another, or two under a slider."""
