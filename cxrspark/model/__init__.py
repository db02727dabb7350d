"""The network, the bundle that holds it, and how an executor runs it."""
