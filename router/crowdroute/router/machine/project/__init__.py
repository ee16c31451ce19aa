"""A project's stream: `machine` is its door, `fold` applies events, the other modules decide, one concern
each."""
