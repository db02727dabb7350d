"""From labels to a model bundle; needs TensorFlow, on the driver only."""
