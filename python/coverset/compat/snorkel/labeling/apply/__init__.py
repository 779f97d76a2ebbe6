"""Appliers by the engine that runs them, as in ``snorkel.labeling.apply``."""
