"""Layers for code that was written for other libraries."""
