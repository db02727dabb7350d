"""Bytes to 64×64 pixels: the one recipe. It knows no Spark."""
