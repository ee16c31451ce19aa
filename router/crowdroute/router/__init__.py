"""The engine: a pure core that decides who labels what, and the shells that run it.

Read in this order: `model` (words), `events` and `commands` (facts and requests), `lifecycle` (what may
follow what), `state` (where facts are folded to), `machine` (decide, apply, follow, due, check), then
`runtime` (the loop that makes it durable).
"""
