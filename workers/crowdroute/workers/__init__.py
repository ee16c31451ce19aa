"""Who may work, how well they do, and what they are owed; a library without I/O."""
