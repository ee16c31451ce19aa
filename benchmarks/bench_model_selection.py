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
"""
