"""The operations guide names the codes that commands print of their own accord."""

import re

from tests.unit.docs.documents import REPOSITORY, codes, read, section, tables

CLI = REPOSITORY / "router" / "crowdroute" / "router" / "cli"


def test_every_code_of_a_command_is_told_with_what_to_do() -> None:
    told = {codes(row[0])[0] for row in tables(section(read("docs/operations.md"), "Error codes"))[1]}
    sources = "".join(path.read_text(encoding="utf-8") for path in CLI.glob("*.py"))
    printed = set(re.findall(r'(?:_fail\(.*|Trouble\(|NotConnected\()"([A-Z_]+)"', sources))
    assert {"USAGE", "TLS"} <= printed
    assert printed - {"INTERNAL"} <= told
    assert told - {"AGGREGATION_…"} <= printed
