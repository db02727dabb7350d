"""A synthetic archive: people, what X-rays make of them, and files of every kind."""
