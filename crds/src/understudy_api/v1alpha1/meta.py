"""What every kind shares: model base, bounded scalars, references and status.

Names and semantics follow the Kubernetes API conventions; the bounds exist because the API server estimates the
cost of CEL rules from them and refuses a CRD whose strings, lists or maps are open-ended.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from understudy_api.v1alpha1 import patterns
from understudy_api.v1alpha1.model import ApiModel, Invariant, UniqueBy

GROUP = "understudy.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

Name = Annotated[str, Field(min_length=1, max_length=253, pattern=patterns.DNS_SUBDOMAIN)]
Namespace = Annotated[str, Field(min_length=1, max_length=63, pattern=patterns.DNS_LABEL)]
SecretKey = Annotated[str, Field(min_length=1, max_length=253, pattern=patterns.DATA_KEY)]
ModelName = Annotated[str, Field(min_length=1, max_length=256, pattern=patterns.NO_SPACES)]
HeaderName = Annotated[str, Field(min_length=1, max_length=256, pattern=patterns.HEADER_NAME)]
HeaderValue = Annotated[str, Field(max_length=4096, pattern=patterns.ONE_LINE)]
Duration = Annotated[str, Field(min_length=2, max_length=32, pattern=patterns.DURATION)]
"""A length of time such as `300ms`, `1.5s`, `5m`, `1h30m` or `30d`."""
PositiveDuration = Annotated[
    Duration,
    Invariant(
        cel="self.matches('[1-9]')",
        message="must be longer than 0s",
        holds=lambda duration: any(digit in "123456789" for digit in duration),
    ),
]
Money = Annotated[str, Field(min_length=1, max_length=20, pattern=patterns.MONEY)]
"""US dollars as a decimal string, because binary floats lose cents."""
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]


ATOMIC_MAP: JsonDict = {"x-kubernetes-map-type": "atomic"}
"""For what server-side apply must not put together from two owners: a name of one, a namespace of another."""
ATOMIC = ConfigDict(json_schema_extra=ATOMIC_MAP)
"""The same for a whole part."""


class ObjectReference(ApiModel):
    """Another object of a kind that the field implies; the namespace defaults to the referrer's own."""

    model_config = ATOMIC

    name: Name
    """The object's name."""
    namespace: Namespace | None = None
    """The namespace it is in. Default: that of the object that refers."""


class SecretKeySelector(ApiModel):
    """One key of a Secret in the referrer's namespace."""

    model_config = ATOMIC

    name: Name
    """The Secret's name."""
    key: SecretKey
    """The key in the Secret."""


class ConfigMapKeySelector(ApiModel):
    """One key of a ConfigMap in the referrer's namespace."""

    model_config = ATOMIC

    name: Name
    """The ConfigMap's name."""
    key: SecretKey
    """The key in the ConfigMap."""


class CABundleReference(ApiModel):
    """Where PEM certificates are kept: a ConfigMap (the default) or a Secret in the referrer's namespace."""

    model_config = ATOMIC

    kind: Literal["ConfigMap", "Secret"] = "ConfigMap"
    """ConfigMap or Secret."""
    name: Name
    """The object's name."""
    key: SecretKey = "ca.crt"
    """The key in the object."""


class LabelSelectorOperator(StrEnum):
    """How a label's value is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelSelectorRequirement(ApiModel):
    """One comparison of a label selector."""

    invariants: ClassVar = (
        Invariant(
            cel="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            message="values are needed by In and NotIn, and refused by Exists and DoesNotExist",
            holds=lambda part: (
                (part.operator in {LabelSelectorOperator.IN, LabelSelectorOperator.NOT_IN}) == bool(part.values)
            ),
        ),
    )

    key: LabelKey
    """The label's key."""
    operator: LabelSelectorOperator
    values: Annotated[tuple[LabelValue, ...], Field(max_length=64)] = ()
    """One or more for In and NotIn, none for Exists and DoesNotExist."""


class LabelSelector(ApiModel):
    """Kubernetes' own label selector: all of it must hold; an empty one matches everything."""

    model_config = ATOMIC

    match_labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=64)] = {}
    """Labels that must all be there with these values."""
    match_expressions: Annotated[tuple[LabelSelectorRequirement, ...], Field(max_length=32)] = ()
    """Comparisons that must all hold."""


class FromNamespaces(StrEnum):
    """Whose references are allowed, as Gateway API names it."""

    SAME = "Same"
    ALL = "All"
    SELECTOR = "Selector"


SELECTOR_WITH_FROM = Invariant(
    cel="(has(self.from) && self.from == 'Selector') == has(self.selector)",
    message="selector and from: Selector go together: set both or neither",
    holds=lambda part: (part.from_ is FromNamespaces.SELECTOR) == (part.selector is not None),
)
"""A selector that nothing looks at would seem to close what is open."""


class AllowedNamespaces(ApiModel):
    """Which namespaces may refer to this object."""

    invariants: ClassVar = (SELECTOR_WITH_FROM,)

    from_: Annotated[FromNamespaces, Field(alias="from")] = FromNamespaces.SAME
    selector: LabelSelector | None = None


class ServiceReference(ApiModel):
    """A Service in the referrer's namespace, or in another one of the cluster."""

    model_config = ATOMIC

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=patterns.DNS_LABEL)]
    """The Service's name."""
    namespace: Namespace | None = None
    """The namespace it is in. Default: that of the object that refers."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """The Service's port number."""


class ConditionStatus(StrEnum):
    """The three values a Kubernetes condition can have."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ApiModel):
    """One thing that is so or is not: metav1.Condition."""

    type: Annotated[str, Field(max_length=316)]
    """Accepted, ResolvedRefs, Programmed or Ready."""
    status: ConditionStatus
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """The generation of the object that this was said of."""
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"}, max_length=64)]
    """When the status last changed."""
    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=patterns.CONDITION_REASON)]
    """A CamelCase word for programs."""
    message: Annotated[str, Field(max_length=32768)]
    """A sentence for people."""


class Status(ApiModel):
    """What the operator says of an object.

    `revision` is the configuration in which this object's part last changed, and `digest` names that part, so that
    an operator that has just started can tell without memory whether anything about the object is new.
    """

    conditions: Annotated[tuple[Condition, ...], Field(max_length=16), UniqueBy("type")] = ()
    """Accepted (a valid spec), ResolvedRefs (all it names is there), Programmed (every proxy runs it), Ready (all)."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """The generation of the object that the conditions speak of."""
    revision: Annotated[str, Field(max_length=64)] | None = None
    """The configuration in which the object's part last changed."""
    digest: Annotated[str, Field(max_length=64)] | None = None
    """The content hash of the object's part of the configuration."""


class ObjectMeta(ApiModel):
    """The metadata this project reads; the API server owns the rest."""

    name: Name
    namespace: Namespace = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Resource(ApiModel):
    """An object of one of the four kinds."""

    api_version: Literal["understudy.dev/v1alpha1"] = "understudy.dev/v1alpha1"
    kind: str
    metadata: ObjectMeta
    status: Status | None = None
