"""Who may work, how well they do, and what they are owed; a library without I/O.

Read in this order: `status`, `skill` and `profile` (who a worker is), `reliability` and `peers` (how often
they are right), `capacity` and `eligibility` (what they may be given), `ledger` and `bonus` (what they are
owed).
"""
