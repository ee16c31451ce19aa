"""Does `--model auto` choose well? Its policy judged on recorded crowds that its numbers were not fitted on.

    python benchmarks/bench_model_selection.py [--seeds 10] [CROWD ...]

The protocol, committed before anything was tuned.

* Crowds: every single-choice crowd in the datasets that has gold; repeated (task, worker) pairs keep the
  first label. A tie for the likeliest label counts by chance, for every model.
* The policy sees labels and no gold (second table: also gold of 100 tasks, or of half of them where there are
  fewer than 200, drawn with seeds 0 to 9; accuracy is then that on the other tasks, for every model alike).
* Leave one set out: for each crowd, the policy's numbers are those that give the highest mean accuracy over
  the *other* crowds, of equals the most cautious. Cross-validation over annotations has five folds, seed 0.
* Reference: the single model with the highest mean accuracy over all crowds, known only afterwards.
* Targets: mean accuracy at most 0.3 points below the reference; on no crowd of 300 gold tasks or more is the
  accuracy more than 1 point below majority vote, the smaller ones taken together as one.
* Intervals are paired bootstraps over tasks, seed 0.

What came after the protocol, for the reader to weigh. With the tolerance alone, both targets were missed
(0.52 points below Dawid-Skene, 3.9 below the votes on zencrowd_us). Subtypes on strong evidence were then
added with these crowds in view; what is strong is the literature's. Two more were tried and dropped, because
they did no better: a demand of evidence for each overruled majority, and the rule of one standard error.
Crowds that nobody has looked at remain the real test.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from recorded import CHOICE_CROWDS, datasets

from crowdroute.aggregation import read_annotations, read_gold
from crowdroute.aggregation.models import AUTO_MODELS
from crowdroute.aggregation.selection import Evidence, Policy, choose, gather_evidence

TOLERANCES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""What the policy's number is chosen from, the most cautious last."""

LARGE = 300
"""Gold tasks from which on a crowd stands alone beside majority vote."""

VOTES = "majority-vote"


@dataclass(frozen=True)
class Crowd:
    """What is known of one crowd once every model was fitted."""

    name: str
    evidence: tuple[Evidence, ...]
    tasks: NDArray[np.int32]

    def right(self, model: str) -> NDArray[np.float64]:
        return next(one.right for one in self.evidence if one.name == model)

    def blind(self) -> tuple[Evidence, ...]:
        """Return the evidence without gold."""
        return tuple(Evidence(one.name, one.told, np.zeros(0), one.bayes_factor) for one in self.evidence)

    def choice(self, policy: Policy) -> str:
        return choose(self.blind(), self.tasks, policy).chosen


def read(name: str, datasets: Path) -> Crowd:
    annotations = read_annotations(datasets / name / "labels.csv.gz", repeats="first")
    gold = read_gold(datasets / name / "gold.csv.gz")
    evidence, _, sample = gather_evidence(annotations, AUTO_MODELS, gold)
    return Crowd(name, evidence, sample.tasks)


def tuned(crowds: list[Crowd]) -> Policy:
    """Return the policy with the highest mean accuracy on these crowds, of equals the most cautious."""

    def mean(policy: Policy) -> float:
        return float(np.mean([crowd.right(crowd.choice(policy)).mean() for crowd in crowds]))

    return max(
        (Policy(tolerance=tolerance) for tolerance in TOLERANCES),
        key=lambda policy: (round(mean(policy), 9), policy.tolerance),
    )


def interval(differences: list[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the 95 % interval of the mean over crowds of mean differences, tasks drawn anew in each."""
    generator = np.random.default_rng(0)
    means = np.zeros(2_000)
    for one in differences:
        means += one[generator.integers(len(one), size=(len(means), len(one)))].mean(axis=1)
    lower, upper = np.quantile(means / len(differences), [0.025, 0.975]).tolist()
    return lower, upper


def without_gold(crowds: list[Crowd]) -> dict[str, Policy]:
    singles = {model: np.mean([crowd.right(model).mean() for crowd in crowds]) for model in AUTO_MODELS}
    reference = max(singles, key=lambda model: singles[model])
    policies = {crowd.name: tuned([one for one in crowds if one is not crowd]) for crowd in crowds}
    print(f"{'no gold':<18}{'gold':>6}{'votes':>8}{reference:>24}{'auto':>8}{'- votes':>9}  chosen")
    chosen = {}
    for crowd in crowds:
        chosen[crowd.name] = crowd.choice(policies[crowd.name])
        votes, single, auto = (crowd.right(m).mean() for m in (VOTES, reference, chosen[crowd.name]))
        print(
            f"{crowd.name:<18}{len(crowd.right(VOTES)):>6}{votes:>8.4f}{single:>24.4f}{auto:>8.4f}"
            f"{100 * (auto - votes):>+9.2f}  {chosen[crowd.name]} ({policies[crowd.name].tolerance:g})"
        )
    auto = np.mean([crowd.right(chosen[crowd.name]).mean() for crowd in crowds])
    print(f"{'mean':<18}{'':>6}{singles[VOTES]:>8.4f}{singles[reference]:>24.4f}{auto:>8.4f}")
    lower, upper = interval([c.right(chosen[c.name]) - c.right(reference) for c in crowds])
    apart = 100 * (auto - singles[reference])
    verdict(
        f"auto - {reference}: {apart:+.2f} points ({100 * lower:+.2f} to {100 * upper:+.2f})", apart >= -0.3
    )
    lower, upper = interval([c.right(chosen[c.name]) - c.right(VOTES) for c in crowds])
    apart = 100 * (auto - singles[VOTES])
    print(f"auto - votes: {apart:+.2f} points ({100 * lower:+.2f} to {100 * upper:+.2f})")
    small = [crowd for crowd in crowds if len(crowd.right(VOTES)) < LARGE]
    worst = [(c.name, c.right(chosen[c.name]) - c.right(VOTES)) for c in crowds if c not in small]
    if small:
        pooled = np.concatenate([c.right(chosen[c.name]) - c.right(VOTES) for c in small])
        worst.append((f"{len(small)} small ones together", pooled))
    for name, lead in worst:
        if lead.mean() < 0:
            lower, upper = interval([lead])
            verdict(
                f"loses to votes on {name}: {100 * lead.mean():+.2f} points"
                f" ({100 * lower:+.2f} to {100 * upper:+.2f})",
                lead.mean() >= -0.01,
            )
    for model, mean in singles.items():
        print(f"  {model:<26}{mean:.4f}")
    print(f"tuned on all of them: {tuned(crowds)}")
    return policies


def with_gold(crowds: list[Crowd], policies: Mapping[str, Policy], seeds: int) -> None:
    print(f"\n{'gold of 100 tasks':<18}{'votes':>8}{'auto':>8}{'- votes':>9}  chosen most often")
    means = []
    for crowd in crowds:
        n = len(crowd.right(VOTES))
        rows, chosen = [], []
        for seed in range(seeds):
            order = np.random.default_rng(seed).permutation(n)
            shown, rest = order[: min(100, n // 2)], order[min(100, n // 2) :]
            seen = tuple(
                Evidence(one.name, one.told, one.right[shown], one.bayes_factor) for one in crowd.evidence
            )
            chosen.append(choose(seen, crowd.tasks, policies[crowd.name]).chosen)
            rows.append([crowd.right(model)[rest].mean() for model in (VOTES, chosen[-1], *AUTO_MODELS)])
        means.append(np.mean(rows, axis=0))
        votes, auto = means[-1][:2]
        often = max(set(chosen), key=chosen.count)
        print(
            f"{crowd.name:<18}{votes:>8.4f}{auto:>8.4f}{100 * (auto - votes):>+9.2f}"
            f"  {often} ({chosen.count(often)} of {seeds})"
        )
    votes, auto, *singles = np.mean(means, axis=0)
    best = int(np.argmax(singles))
    print(f"{'mean':<18}{votes:>8.4f}{auto:>8.4f}")
    apart = 100 * (auto - singles[best])
    verdict(f"auto - {list(AUTO_MODELS)[best]} with gold: {apart:+.2f} points", apart >= -0.3)


def verdict(told: str, met: bool) -> None:
    print(f"{told}: {'met' if met else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crowds", nargs="*", default=CHOICE_CROWDS)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    folder = datasets()
    crowds = [read(name, folder) for name in options.crowds]
    with_gold(crowds, without_gold(crowds), options.seeds)


if __name__ == "__main__":
    main()
