"""Generated stubs of crowdroute.peer.v1; regenerate with `make proto`."""
