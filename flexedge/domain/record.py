"""What people and programs write down, typed: kebab-case keys, unknown keys are errors."""

from pydantic import BaseModel, ConfigDict


def kebab(name: str) -> str:
    """``soc_min`` as people write it: ``soc-min``."""
    return name.replace("_", "-")


class Record(BaseModel):
    """A frozen pydantic model with kebab-case keys that refuses keys it does not know.

    Read with ``Record.model_validate(data, by_alias=True, by_name=False)``: snake_case keys are
    for Python code only.
    """

    model_config = ConfigDict(
        alias_generator=kebab,
        extra="forbid",
        frozen=True,
        validate_by_alias=True,
        validate_by_name=True,
        use_attribute_docstrings=True,
    )
