"""`crowdroute refit` against a served engine: its numbers are in force."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.integration.cli.test_operations import answer_all
from tests.support.program import Served


def test_a_refit_is_in_force_and_told_to_people_and_to_scripts(served: Served, folder: Path) -> None:
    project = served.told("project", "create", "fitted", "--rules", "birds.yaml")
    (folder / "some.csv").write_text("external_id,text\n" + "".join(f"i{n},t{n}\n" for n in range(4)))
    served.done("import", "fitted", "some.csv")
    for worker in ("ann", "bob"):
        assert answer_all(served, project["id"], worker, "owl") == 4

    first = served.run("refit", "fitted", "--json")
    second = served.run("refit", "fitted")

    told = json.loads(first.stdout)
    assert (told["version"], int(told["labels"])) == (1, 8)
    assert len(told["digest"]) == 32
    assert first.stderr == ""
    assert "fitted: refit 2 is in force, fitted to 8 labels" in " ".join(second.stdout.split())
    lines = second.stderr.splitlines()
    assert lines[0] == "fitted: waiting for its turn"
    assert re.match(r"fitted: fitting label: sweep \d+ of 30 at most moved \S+ \(at rest below", lines[-2])
    assert lines[-1] == "fitted: taking over what was found"


def test_a_project_without_answers_is_not_fitted(served: Served) -> None:
    served.done("project", "create", "unanswered", "--rules", "birds.yaml")

    assert "no answer counts yet" in " ".join(served.refused("refit", "unanswered").split())
