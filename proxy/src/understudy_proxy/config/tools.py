"""The tools of a configuration, ready to be called."""

from collections.abc import Mapping

from multidict import CIMultiDict, CIMultiDictProxy

from understudy_api.config import Credentials, HttpTool, Snapshot, Tool
from understudy_proxy.config.runtime import RuntimeTool, ToolHandler
from understudy_proxy.config.sending import Unusable, credential, sendable, url_of, visible

CALLED_AS = "X-Understudy-Tool"
"""The header that says which tool a call is for; no object can set or leave out its value."""
_EVERY_CALL = {"Accept": "application/json, text/*;q=0.9", "Accept-Encoding": "identity", "User-Agent": "understudy"}
_NO_HANDLER = "it has no spec.handler: whoever asked the model runs it"


def build_tools(snapshot: Snapshot) -> Mapping[str, RuntimeTool]:
    """All of them; one that cannot be called can still be declared."""
    return {key: _tool(key, tool, snapshot.credentials) for key, tool in snapshot.config.tools.items()}


def _tool(key: str, tool: Tool, credentials: Credentials) -> RuntimeTool:
    handler: ToolHandler | None = None
    out = _NO_HANDLER
    if tool.http is not None:
        try:
            handler, out = _handler(key, tool.http, credentials), ""
        except Unusable as reason:
            out = str(reason)
    return RuntimeTool(
        key=key,
        namespace=tool.namespace,
        function=tool.function,
        declaration=tool.declaration,
        parameters=tool.parameters,
        handler=handler,
        out=out,
        visible_to=visible(tool.namespace, tool.visible_to),
    )


def _handler(key: str, http: HttpTool, credentials: Credentials) -> ToolHandler:
    headers = CIMultiDict(_EVERY_CALL)
    headers.update(sendable(http.headers))
    headers[CALLED_AS] = key
    secret: str | None = None
    if http.credential is not None:
        secret = credential(http.credential, credentials)
        headers["Authorization"] = f"Bearer {secret}"
    return ToolHandler(
        method=http.method,
        url=url_of(http.url, what="URL"),
        headers=CIMultiDictProxy(headers),
        timeout_seconds=http.timeout_seconds,
        secret=secret,
    )
