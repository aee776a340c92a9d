"""What the address of a request asks: its query, read as a model."""

import types
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams

_LISTS: Final = frozenset({list, tuple, set, frozenset})


class Asked:
    """Reads queries as one model.

    Parameters that the model does not know are left out of account, as FlexMeasures does. Of one
    that is there several times the last counts, unless its field is a list.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model
        self._known: dict[str, bool] = {}
        for name, field in model.model_fields.items():
            many = _is_list(field.annotation)
            self._known |= dict.fromkeys(spellings(name, field, model), many)

    def given(self, query: QueryParams) -> dict[str, Any]:
        """What is asked of what is known, as texts and lists of texts."""
        return {
            name: query.getlist(name) if many else query[name]
            for name, many in self._known.items()
            if name in query
        }

    def read(self, given: dict[str, Any]) -> BaseModel:
        """The query understood. Raises ``ValidationError``."""
        return self._model.model_validate(given)


def spellings(name: str, field: FieldInfo, model: type[BaseModel]) -> set[str]:
    """All names by which a field can be given."""
    alias = field.validation_alias or field.alias
    by_name = alias is None or bool(model.model_config.get("validate_by_name"))
    found = {name} if by_name else set()
    if isinstance(alias, AliasChoices):
        return found | {one for one in alias.choices if isinstance(one, str)}
    return found | ({alias} if isinstance(alias, str) else set())


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_list(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return any(_is_list(one) for one in get_args(annotation))
    return annotation in _LISTS or origin in _LISTS
