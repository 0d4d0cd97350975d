"""The page that shows the interface works on a machine without a way to the internet."""

import re

import httpx

from tests.api.installation import Api

_LOADED = re.compile(r"<(?:script|link|img)\b[^>]*?(?:src|href)=['\"]([^'\"]+)")


def test_the_page_needs_nothing_from_outside(api: Api) -> None:
    """Style, scripts and icon come from this process, each of its type."""
    page = httpx.get(f"{api.url}/docs")
    assert page.status_code == 200
    loaded = _LOADED.findall(page.text)
    types = set()
    for path in loaded:
        assert path.startswith("/docs/"), path
        answer = httpx.get(api.url + path)
        assert (answer.status_code, len(answer.content) > 100) == (200, True), path
        types.add(answer.headers["content-type"].partition(";")[0])
    assert types == {"text/css", "text/javascript", "image/png"}


def test_other_files_of_the_page_do_not_exist(api: Api) -> None:
    """Only what the page loads is there."""
    for name in ("index.css", "..%2F__init__.py", "x"):
        assert httpx.get(f"{api.url}/docs/page/{name}").status_code == 404
