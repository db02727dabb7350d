"""From labels to the second network: chest or not, turn, inversion, mirroring, projection."""
