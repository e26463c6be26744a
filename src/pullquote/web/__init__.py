"""The page, the HTTP interface and what guards them: the only rooms that know gradio and fastapi.

gradio is imported here, before any of them, because how it is imported matters.
"""

import inspect
import os
import sys
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read at import; on, it asks two hosts
os.environ["HF_HUB_OFFLINE"] = "1"


def _import_gradio() -> None:
    """Import gradio without its writing of type stubs, which takes as long as all the rest (4.3 s against 2.3 s).

    subtle: for every component class it parses its own source and writes a .pyi file into site-packages, unless
    `inspect.getfile` finds no source; so its classes have none until the import is done. And where the MCP library is
    installed, it imports that too (1 s), for a server that is not used here; so it is not there either until then.
    """
    find = inspect.getfile
    unused = [] if "mcp" in sys.modules else ["mcp"]

    def getfile(found: Any) -> str:
        if isinstance(found, type) and found.__module__.startswith("gradio."):
            raise OSError("no stubs, please")
        return find(found)

    inspect.getfile = getfile  # type: ignore[assignment]
    sys.modules.update(dict.fromkeys(unused))  # type: ignore[arg-type]  # None: importing it fails
    try:
        import gradio  # noqa: F401
    finally:
        inspect.getfile = find
        for name in unused:
            del sys.modules[name]


_import_gradio()
