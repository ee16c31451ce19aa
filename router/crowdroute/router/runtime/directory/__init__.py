"""What an engine tells other processes through a `Directory`, and what it learns from them."""
