"""Labeling functions in worker processes."""
