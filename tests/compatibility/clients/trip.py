"""The answer that every client wants in JSON, as the SDKs take it: a pydantic model."""

from pydantic import BaseModel


class Trip(BaseModel):
    """A trip."""

    city: str
    days: int
