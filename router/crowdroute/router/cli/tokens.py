"""`crowdroute token`: issue, list and revoke credentials."""

from __future__ import annotations

import re
import time
from typing import Annotated

import typer

from crowdroute.api.v1 import tokens_pb2
from crowdroute.router.cli.output import console, print_json, print_table, to_dict
from crowdroute.router.cli.paging import pages
from crowdroute.router.cli.target import DEFAULT_ADDRESS, Address, AsJson, TokenFile, connect

app = typer.Typer(help="Issue, list and revoke credentials.", no_args_is_help=True)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST = 100 * 365 * SECONDS["d"]
"""Seconds; who wants more wants no end. Timestamps end in the year 9999."""


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration; write for example 12h or 30d")
    seconds = int(match[1]) * SECONDS[match[2]]
    if not 0 < seconds <= LONGEST:
        raise typer.BadParameter(f"{text!r} is no lifetime; give up to 36500d, or leave it out for no end")
    return seconds


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for; shown in logs and lists.")],
    scope: Annotated[list[str], typer.Option("--scope", "-s", help="What it may do; repeat for several.")],
    expires: Annotated[str, typer.Option(help="Lifetime, for example 30d; empty for no end.")] = "",
    vendor: Annotated[str, typer.Option(help="Id of the vendor whose token it is.")] = "",
    pool: Annotated[str, typer.Option(help="Id of the pool it is limited to.")] = "",
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Issue a token; its secret is shown this once.

    Example: crowdroute token create labelling-backend --scope sessions.create --expires 90d
    """
    request = tokens_pb2.IssueTokenRequest(name=name, scopes=scope, vendor_id=vendor, pool_id=pool)
    if expires:
        request.expires_at.FromSeconds(int(time.time()) + _seconds(expires))
    with connect(address, token_file) as client:
        issued = client.operations.IssueToken(request)
    if as_json:
        print_json(to_dict(issued))
    else:
        console().print(f"{issued.token.name} ({issued.token.id}); keep this, it is not shown again:")
        typer.echo(issued.bearer)


@app.command("list")
def list_tokens(
    address: Address = DEFAULT_ADDRESS, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """List all tokens, without their secrets.

    Example: crowdroute token list
    """
    with connect(address, token_file) as client:
        tokens = [
            token
            for page in pages(client.operations.ListTokens, tokens_pb2.ListTokensRequest())
            for token in page.tokens
        ]
    if as_json:
        print_json([to_dict(token) for token in tokens])
        return
    print_table(
        ("name", "id", "scopes", "expires", "state"),
        (
            (
                one.name,
                one.id,
                " ".join(one.scopes),
                one.expires_at.ToJsonString() if one.HasField("expires_at") else "never",
                "revoked" if one.revoked else "good",
            )
            for one in tokens
        ),
        "no tokens",
    )


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="Id of the token (tok_…).")],
    reason: Annotated[str, typer.Option(help="Why; kept in the log.")] = "revoked by an operator",
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """End a token and every worker session it minted.

    Example: crowdroute token revoke tok_0123456789abcdef0123456789abcdef --reason "laptop lost"
    """
    with connect(address, token_file) as client:
        client.operations.RevokeToken(tokens_pb2.RevokeTokenRequest(token_id=token_id, reason=reason))
    console().print(f"{token_id} is revoked")
