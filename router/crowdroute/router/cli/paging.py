"""Lists come in pages; this follows them to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def pages(call: Callable[[Any], Any], request: Any) -> Iterator[Any]:
    """Yield every page of a list call, beginning with `request`."""
    while True:
        page = call(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
