"""The Python client; it knows only the wire."""
