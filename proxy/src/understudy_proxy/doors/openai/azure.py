"""The paths of Azure's client: the model stands in the path, and what the body says of it does not count."""

from collections.abc import Mapping

from understudy_proxy.doors.door import Answer, Door, Refused, Request

PREFIX = "/openai/deployments"


class DeploymentsDoor:
    """Whatever is asked of one deployment, as Azure calls a model that can be addressed.

    Args:
        doors: by what follows the deployment's name.
    """

    def __init__(self, doors: Mapping[str, Door]) -> None:
        self._doors = doors

    async def __call__(self, request: Request) -> Answer | None:
        """Let the door answer that the path is about."""
        for asked, door in self._doors.items():
            if request.rest.endswith(f"/{asked}"):
                return await door(request)
        known = ", ".join(f"{PREFIX}/MODEL/{asked}" for asked in self._doors)
        raise Refused(
            404, f"Nothing is served at this path. There are: {known}.", code="unknown_url", reason="unknown_url"
        )


def deployment(request: Request, asked: str) -> str:
    """The model in the path of a request for `asked`; empty on other paths."""
    return request.rest.removesuffix(f"/{asked}") if request.path.startswith(f"{PREFIX}/") else ""
