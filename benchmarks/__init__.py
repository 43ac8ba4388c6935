"""Measurements of what a requirement names; each prints a ratio or a cost, none asserts a time."""
