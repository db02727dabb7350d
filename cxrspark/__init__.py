"""Frontal or lateral? An answer for every image of a chest X-ray archive, on Spark."""

__version__ = "0.1.0"
