"""What events are folded into: tables of integers, kept column by column, and small dictionaries beside
them."""
