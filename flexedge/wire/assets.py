"""Assets as FlexMeasures writes them: their JSON-valued fields travel as texts."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AliasChoices, ConfigDict, Field, StrictBool

from flexedge.wire.shape import JsonText, Shape, Told, Whole

Number = Annotated[Whole, Field(ge=-(2**31), lt=2**31)]
"""What may be the number of something."""
Name = Annotated[str, Field(min_length=1, max_length=255)]
_DECIMALS = 7


def _within(what: str, most: int) -> AfterValidator:
    def check(value: float) -> float:
        for bound, word in ((-most, "minimum"), (most, "maximum")):
            if value < bound if bound < 0 else value > bound:
                raise ValueError(
                    f"{what} {value} exceeds the {word} {what.lower()} of {bound} degrees."
                )
        if round(value, _DECIMALS) != value:
            raise ValueError("Latitudes and longitudes are limited to 7 decimal places.")
        return value

    return AfterValidator(check)


Latitude = Annotated[float, _within("Latitude", 90)]
Longitude = Annotated[float, _within("Longitude", 180)]


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("Should be a JSON object.")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("Should be a JSON list.")
    return value


JsonObject = Annotated[JsonText, AfterValidator(_object)]
JsonList = Annotated[JsonText, AfterValidator(_list)]


class AssetChange(Shape):
    """What is to be changed of an asset: what is not named stays."""

    name: Name | None = None
    description: str | None = None
    account_id: Number | None = None
    """Whose it is; cannot be changed."""
    parent_asset_id: Number | None = None
    generic_asset_type_id: Number | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    attributes: JsonObject | None = None
    flex_model: JsonObject | None = None
    flex_context: JsonObject | None = None
    sensors_to_show: JsonList | None = None
    sensors_to_show_as_kpis: JsonList | None = None
    external_id: Annotated[str, Field(max_length=255)] | None = None
    """What another system calls it; blank: nothing."""


class NewAsset(AssetChange):
    """A new asset."""

    name: Name
    generic_asset_type_id: Number


class TypeTold(Told):
    """A type of assets, by number and name."""

    id: int
    name: str


class TypeWhole(TypeTold):
    """A type of assets."""

    description: str


class OwnerTold(Told):
    """The account that an asset belongs to."""

    id: int
    name: str


class ChildTold(Told):
    """An asset right below another one."""

    id: int
    name: str
    account_id: int | None
    generic_asset_type: TypeTold


class SensorNamed(Told):
    """A sensor of an asset."""

    id: int
    name: str


class AssetTold(Told):
    """An asset."""

    account_id: int | None
    """None: public."""
    attributes: JsonText
    child_assets: list[ChildTold]
    description: str | None
    external_id: str | None
    flex_context: JsonText
    flex_model: JsonText
    generic_asset_type: TypeTold
    generic_asset_type_id: int
    id: int
    latitude: float | None
    longitude: float | None
    name: str
    owner: OwnerTold | None
    parent_asset_id: int | None
    sensors: list[SensorNamed]
    sensors_to_show: JsonText
    sensors_to_show_as_kpis: JsonText


class AssetShown(AssetTold):
    """One asset, with the status that FlexMeasures adds to what is read or changed."""

    status: int = 200


class Page(Told):
    """A page of a list."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    data: list[Any]
    num_records: Annotated[int, Field(alias="num-records")]
    """How many there are before searching."""
    filtered_records: Annotated[int, Field(alias="filtered-records")]
    """How many were found, on all pages."""
    status: int = 200


class AssetPage(Page):
    """A page of a list of assets."""

    data: list[AssetTold] | list[dict[str, Any]]


FIELDS: Final = frozenset(AssetTold.model_fields)
DEFAULT_FIELDS: Final = ("id", "name", "account_id", "generic_asset_type")


def _fields(text: str) -> str:
    for name in text.split("|"):
        if name.strip() and name not in FIELDS:
            raise ValueError(f"Parameter '{name}' is not a valid asset field.")
    return text


Fields = Annotated[str, AfterValidator(_fields)]


class Query(Shape):
    """What is asked for in an address; FlexMeasures does not mind what it does not know there."""

    model_config = ConfigDict(extra="ignore", validate_by_name=True, validate_by_alias=True)


class Paged(Query):
    """A page of a list, and what is searched for."""

    page: Annotated[int, Field(ge=1, le=2**31)] | None = None
    """From 1 on; without, all are told."""
    per_page: Annotated[
        int, Field(ge=1, le=2**31, validation_alias=AliasChoices("per-page", "per_page"))
    ] = 10
    filter: str | None = None
    """Words to search for; those with spaces in quotes."""


SortDir = Literal["asc", "desc"]
_SORT_BY = Field(validation_alias=AliasChoices("sort-by", "sort_by"))
_SORT_DIR = Field(validation_alias=AliasChoices("sort-dir", "sort_dir"))


class PublicAsked(Query):
    """Which fields of public assets are told."""

    fields: Fields = "|".join(DEFAULT_FIELDS)
    """Names with "|" between; without, or with just the usual four, all are told."""


class AssetsAsked(Paged):
    """Which assets are told, and what of them."""

    fields: Fields = "|".join(DEFAULT_FIELDS)
    """Names with "|" between; without, or with just the usual four, all are told."""
    account: Annotated[
        Number | None, Field(validation_alias=AliasChoices("account", "account_id"))
    ] = None
    """Whose assets; without, those of the caller's account."""
    root: Number | None = None
    """Only this asset and what is below it."""
    depth: Annotated[int, Field(ge=0, le=2**31)] | None = None
    """So many levels below the root, or below assets at the top."""
    all_accessible: bool = False
    """Those of all accounts that the caller may read, and public ones."""
    include_public: bool = False
    asset_type: Number | None = None
    """Only assets of the type with this number."""
    external_id: str | None = None
    """Only the asset that another system calls so (not in FlexMeasures)."""
    sort_by: Annotated[Literal["id", "name", "owner"] | None, _SORT_BY] = None
    sort_dir: Annotated[SortDir | None, _SORT_DIR] = None


class AssetSensorsAsked(Paged):
    """Which sensors of an asset are told."""

    sort_by: Annotated[Literal["id", "name", "resolution"] | None, _SORT_BY] = None
    sort_dir: Annotated[SortDir | None, _SORT_DIR] = None


class CopyAsked(Query):
    """Where a copy of an asset belongs; without both beside the asset itself."""

    account: Number | None = None
    """The copy belongs to this account; without ``parent`` it is at the top."""
    parent: Number | None = None
    """The copy is below this asset; without ``account`` it belongs to that asset's account."""


class Copied(Told):
    """The number of a copy."""

    message: str
    asset: int
    status: int = 201


View = Literal["Audit Log", "Context", "Graphs", "Properties", "Status"]


class ViewWanted(Shape):
    """The page of an asset that a user wants to see first."""

    default_asset_view: View
    use_as_default: StrictBool = True
    """False: forget it."""


class LegendsWanted(Shape):
    """Where a user wants the legends of charts to be."""

    keep_legends_below_graphs: StrictBool = True


class Said(Told):
    """A sentence."""

    message: str
    status: int = 200
