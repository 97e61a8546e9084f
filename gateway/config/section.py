"""What every section of the settings is: known keys, frozen."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Section(BaseModel):
    """A mapping of the settings file: its keys are known, or the file is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# An empty one, such as a secret that was not mounted, would let in whoever sends an empty one.
Secret = Annotated[SecretStr, Field(min_length=1)]
