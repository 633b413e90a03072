"""Logs of both processes: bounded files, nothing private in them, and reports that a person can look at and save."""
