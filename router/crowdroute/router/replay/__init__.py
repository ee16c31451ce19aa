"""Play a recorded crowd through the real engine, and tell what it would have cost and how right it would have
been.

A worker is only given tasks that they really labelled and answers with their recorded label; nothing is
imputed. Gold is looked at after the last answer, to score.
"""
