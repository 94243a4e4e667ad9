"""What every part of the configuration is made of."""

from pydantic import BaseModel, ConfigDict


class ConfigModel(BaseModel):
    """A part of the configuration: frozen, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")
