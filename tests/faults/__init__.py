"""Real engines under real load, killed, frozen, starved of disk and told to stop.

    python -m pytest tests/faults                             six kills; what a commit is tested with
    CROWDROUTE_KILLS=20 python -m pytest tests/faults         the whole measure, as CI (env CI) runs it
    make soak MINUTES=30                                      faults of every kind, for as long as one likes

Not to be run beside other tests: each starts an engine, its snapshotter and 32 clients.
"""
