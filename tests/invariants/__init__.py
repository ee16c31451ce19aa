"""The promises of docs/invariants.md: that each is guarded by a test, and that the test catches a defect."""
