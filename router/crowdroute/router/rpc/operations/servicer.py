"""All calls of the service in one object."""

from __future__ import annotations

from crowdroute.router.rpc.operations.administration import Administration
from crowdroute.router.rpc.operations.annotations import Annotations
from crowdroute.router.rpc.operations.explanations import Explanations
from crowdroute.router.rpc.operations.items import Items
from crowdroute.router.rpc.operations.ledger import Ledger
from crowdroute.router.rpc.operations.projects import Projects
from crowdroute.router.rpc.operations.refits import Refits
from crowdroute.router.rpc.operations.results import Results
from crowdroute.router.rpc.operations.rules import Rules
from crowdroute.router.rpc.operations.stats import Stats
from crowdroute.router.rpc.operations.suppliers import Suppliers
from crowdroute.router.rpc.operations.tasks import Tasks
from crowdroute.router.rpc.operations.tokens import Tokens
from crowdroute.router.rpc.operations.watch import Watch


class OperationsServicer(
    Projects,
    Refits,
    Stats,
    Rules,
    Items,
    Tasks,
    Annotations,
    Results,
    Tokens,
    Suppliers,
    Ledger,
    Explanations,
    Watch,
    Administration,
):
    """Carries out the calls; each is written where its part is."""
