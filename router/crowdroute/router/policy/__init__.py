"""Which task a worker gets: policies behind one protocol, and the indexes they keep."""
