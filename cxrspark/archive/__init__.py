"""Which images there are, and their bytes: manifest, listing, stores, reading ahead."""
