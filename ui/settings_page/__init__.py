"""Every setting on one page that can be searched."""
