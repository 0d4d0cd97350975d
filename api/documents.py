"""The OpenAPI document, as JSON and YAML and as a page that needs nothing from outside: `/docs`.

The page is Swagger UI, whose files a Python package ships, so that it works on a machine without a way to the internet
and no other site learns who reads it.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from litestar import Response, get
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin, YamlRenderPlugin

from fleet.errors import NotFoundError

VERSION: Final = "1.0.0"
"""Of the HTTP interface, not of the program."""

_PATH: Final = "/docs"
_FILES: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PACKAGE: Final = "swagger_ui"
_CACHED: Final = {"cache-control": "public, max-age=3600"}


def openapi_config() -> OpenAPIConfig:
    """Where the document is and how it is shown; the files of the page are `document_routes`."""
    page = SwaggerRenderPlugin(
        css_url=f"{_PATH}/page/swagger-ui.css",
        js_url=f"{_PATH}/page/swagger-ui-bundle.js",
        standalone_preset_js_url=f"{_PATH}/page/swagger-ui-standalone-preset.js",
        favicon=f"<link rel='icon' type='image/png' href='{_PATH}/page/favicon-32x32.png'>",
    )
    return OpenAPIConfig(
        title="Muster", version=VERSION, path=_PATH, render_plugins=[page, JsonRenderPlugin(), YamlRenderPlugin()]
    )


def document_routes() -> list[BaseRouteHandler]:
    """The files of the page, read once."""
    # The package's own code, for other frameworks, is not imported.
    spec = find_spec(_PACKAGE)
    (folder,) = (spec.submodule_search_locations if spec else None) or ("",)
    contents = {name: (Path(folder) / "static" / name).read_bytes() for name in _FILES}

    @get(f"{_PATH}/page/{{name:str}}", include_in_schema=False, sync_to_thread=False)
    def page_file(name: str) -> Response[bytes]:
        if name not in contents:
            raise NotFoundError(f"{_PATH}/page has no such file")
        return Response(contents[name], media_type=_FILES[name], headers=_CACHED)

    return [page_file]
