"""What the outside looks like to the engine: one module per vendor, each behind a protocol of `ports`."""
