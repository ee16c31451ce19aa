"""The demonstration: real images of handwritten digits, a simulated crowd of known accuracies, a real engine
between."""
