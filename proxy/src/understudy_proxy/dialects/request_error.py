"""What is wrong with a client's request, whatever its dialect."""


class RequestError(Exception):
    """The request is wrong. `type` and `code` are OpenAI's words; a door of another dialect goes by `status`."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the field's own name in OpenAI's format
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param


class Unsupported(Exception):
    """A provider's dialect cannot express what the request means; another provider's may.

    Raised while a request is put into that dialect. What changes nothing in the answer's meaning is no error but a
    warning, see `Call.warnings`.
    """

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        """For the client: what cannot be had from this kind of provider, and what to do."""
        self.param = param
        """The field, in the canonical name or the client's."""
