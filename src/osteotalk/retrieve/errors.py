"""The exception of this package, and how its messages are put together."""


class RetrieveError(ValueError):
    """A file cannot be retrieved; the message names it, the reason and what to do."""


def failure(url: str, what: str, *, where: str = "") -> RetrieveError:
    """Give the error for `url`, closed by the row of the table that asks for it."""
    return RetrieveError(f"{url}: {what}" + (f" (asked for in {where})" if where else ""))
