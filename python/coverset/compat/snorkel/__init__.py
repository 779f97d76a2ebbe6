"""Snorkel 0.10's labeling under its own names: change ``snorkel`` to ``coverset.compat.snorkel``.

Label matrices are dense arrays here, as there; models and analysis run on the sparse kernels.
Models are saved as checked JSON, never as pickles.
"""
