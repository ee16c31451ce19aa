"""What several test suites share: small engines and the processes that run them."""
