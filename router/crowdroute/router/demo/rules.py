"""The rules that the demonstration is played under, as an operations manager would write them."""

from __future__ import annotations

BONUS_PERIOD_S = 10
"""Seconds after which bonuses are decided; people would have a week."""

DOCUMENT = f"""\
schema: crowdroute.rules/v1

labels: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]

guideline: "Which digit is in the picture?"

routing:
  lease: {{duration: 1m}}

quality:
  overlap: {{minimum: 2, maximum: 7}}
  stopping: {{target: 0.98}}
  gold: {{share: 12%, first: 8}}
  review:
    mode: enforce
    threshold: 0.5
    share: 3%

money:
  currency: USD
  crowd: "0.02"
  senior: "0.05"
  bonuses:
    - id: accuracy
      mode: enforce
      least_checked: 8
      period: {BONUS_PERIOD_S}s
      bands:
        - {{from: 0.60, amount: "0.10"}}
        - {{from: 0.75, amount: "0.25"}}
"""
