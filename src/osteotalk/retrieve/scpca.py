"""The download address of a project in the Single-cell Pediatric Cancer Atlas (scPCA) portal.

The portal gives it to holders of a token only, pre-signed and for a short time. API as described
in the examples of the portal: https://github.com/AlexsLemonade/scpca-portal (api-examples).
"""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import requests

from osteotalk.retrieve.errors import RetrieveError, failure
from osteotalk.retrieve.http import (
    Limits,
    Session,
    Trouble,
    check_redirect,
    check_url,
    hosts,
    mirrored,
    reason,
    request,
    status_text,
    with_retries,
)

TOKEN_VARIABLE = "SCPCA_TOKEN"
WANTED = "SINGLE_CELL_ANN_DATA"
_HOW = f"""\
Ask for one with your own e-mail address; "is_activated": true accepts the Terms of Use of the \
portal (https://scpca.alexslemonade.org/terms-of-use), so read them first:
  curl -X POST https://api.scpca.alexslemonade.org/v1/tokens/ -H 'Content-Type: application/json' \
-d '{{"email": "you@example.org", "is_activated": true}}'
then put the "id" of the answer into the environment: export {TOKEN_VARIABLE}=<id>"""


def token() -> str:
    """Give the token of the environment.

    Raises
    ------
    RetrieveError
        If there is none; the message tells how to get one.
    """
    value = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not value:
        msg = f"Downloads from scPCA need a token, but {TOKEN_VARIABLE} is not set. {_HOW}"
        raise RetrieveError(msg)
    if not (value.isascii() and value.isprintable()) or " " in value:
        msg = f"{TOKEN_VARIABLE} holds characters that a token cannot have; set it again. {_HOW}"
        raise RetrieveError(msg)
    return value


def scpca_download_url(url: str, *, mirrors: Mapping[str, str] | None, limits: Limits) -> str:
    """Find the AnnData download of the project that the listing `url` is about.

    Parameters
    ----------
    url
        Listing of the portal's data sets (`.../v1/ccdl-datasets/?ccdl_project_id=...`).

    Returns
    -------
    A pre-signed address. Keep it out of logs and files.

    Raises
    ------
    RetrieveError
        If there is no token, it is not accepted, or the answers are not as expected.
    """
    check_url(url)
    key = token()
    listing = _get_json(url, mirrors=mirrors, limits=limits, key="")
    identity = _choose(listing, url=url)
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{quote(identity, safe='')}/"
    detail = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    answer = _get_json(detail, mirrors=mirrors, limits=limits, key=key)
    address = answer.get("download_url") if isinstance(answer, dict) else None
    if not isinstance(address, str) or urlsplit(address).scheme not in ("http", "https"):
        msg = (
            f"the portal gave no download_url although a token was sent; the token in "
            f"{TOKEN_VARIABLE} may not be activated, or the API has changed. {_HOW}"
        )
        raise failure(detail, msg)
    asked = mirrored(detail, mirrors)
    refused = ""
    try:
        check_redirect(asked, address, named=hosts(asked, *(mirrors or {}).values()))
    except RetrieveError as error:
        refused = str(error)
    if refused:
        raise failure(detail, refused)
    return address


def _choose(listing: Any, *, url: str) -> str:
    """Give the id of the one data set with all samples as AnnData."""
    results = listing.get("results") if isinstance(listing, dict) else None
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        msg = "expected a JSON object with a list `results`, found another shape; the API may have"
        raise failure(url, f"{msg} changed")
    fits = [r for r in results if r.get("computed_file") and r.get("ccdl_name") == WANTED]
    if len(fits) != 1 or not isinstance(fits[0].get("id"), str | int):
        names = sorted(
            f"{r.get('ccdl_name')}{'' if r.get('computed_file') else ' (without a file)'}"
            for r in results
        )
        msg = (
            f"expected one data set named {WANTED} with a file and an id, found {len(fits)}; the "
            f"listing has: {', '.join(names) or 'nothing'}. Check the project id in the url"
        )
        raise failure(url, msg)
    return str(fits[0]["id"])


def _get_json(url: str, *, mirrors: Mapping[str, str] | None, limits: Limits, key: str) -> Any:
    headers = {"Accept": "application/json"} | ({"API-KEY": key} if key else {})
    refused = ""

    def ask() -> Any:
        address = mirrored(url, mirrors)
        named = hosts(address, *(mirrors or {}).values())
        with Session(private=headers, named=named) as session:
            response = request(session, address, headers=headers, limits=limits, redirects=not key)
            with response:
                return _json(response, url=url, key=key, limits=limits)

    try:
        return with_retries(ask, url=url, limits=limits)
    except RetrieveError as error:
        refused = str(error)
    raise RetrieveError(refused if refused.startswith(url) else f"{url}: {refused}")


def _json(response: requests.Response, *, url: str, key: str, limits: Limits) -> Any:
    status = response.status_code
    if key and status in (401, 403):
        msg = (
            f"the portal answered {status_text(status)}: the token in {TOKEN_VARIABLE} is not "
            f"accepted. {_HOW}"
        )
        raise failure(url, msg)
    if key and 300 <= status < 400:
        msg = (
            f"the portal redirects ({status_text(status)}) to an address the token is not sent to; "
            f"the API may have moved: correct the url in the table of files"
        )
        raise failure(url, msg)
    if status != 200:
        msg = f"the portal answered {status_text(status)}; check the url in the table of files"
        raise failure(url, msg)
    fault: Exception
    try:
        return response.json()
    except requests.exceptions.JSONDecodeError:
        fault = failure(url, "expected JSON, found something else; the API may have changed")
    except requests.RequestException as error:
        fault = Trouble(reason(error, timeout=limits.timeout))
    raise fault
