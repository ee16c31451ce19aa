"""The wire format: schemas and the stubs generated from them."""
