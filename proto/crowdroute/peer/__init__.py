"""The peer protocol of crowdroute, by version."""
