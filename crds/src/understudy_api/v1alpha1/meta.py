"""What every kind shares: model base, bounded scalars, references and status.

Names and semantics follow the Kubernetes API conventions; the bounds exist because the API server estimates the
cost of CEL rules from them and refuses a CRD whose strings, lists or maps are open-ended.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

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
Money = Annotated[str, Field(min_length=1, max_length=20, pattern=patterns.MONEY)]
"""US dollars as a decimal string, because binary floats lose cents."""
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]


class ObjectReference(ApiModel):
    """Another object of a kind that the field implies; the namespace defaults to the referrer's own."""

    name: Name
    namespace: Namespace | None = None


class SecretKeySelector(ApiModel):
    """One key of a Secret in the referrer's namespace."""

    name: Name
    key: SecretKey


class ConfigMapKeySelector(ApiModel):
    """One key of a ConfigMap in the referrer's namespace."""

    name: Name
    key: SecretKey


class CABundleReference(ApiModel):
    """Where PEM certificates are kept: a ConfigMap (the default) or a Secret in the referrer's namespace."""

    kind: Literal["ConfigMap", "Secret"] = "ConfigMap"
    name: Name
    key: SecretKey = "ca.crt"


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
    operator: LabelSelectorOperator
    values: Annotated[tuple[LabelValue, ...], Field(max_length=64)] = ()


class LabelSelector(ApiModel):
    """Kubernetes' own label selector: all of it must hold; an empty one matches everything."""

    match_labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=64)] = {}
    match_expressions: Annotated[tuple[LabelSelectorRequirement, ...], Field(max_length=32)] = ()


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

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=patterns.DNS_LABEL)]
    namespace: Namespace | None = None
    port: Annotated[int, Field(ge=1, le=65535)]


class ConditionStatus(StrEnum):
    """The three values a Kubernetes condition can have."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ApiModel):
    """metav1.Condition."""

    type: Annotated[str, Field(max_length=316)]
    status: ConditionStatus
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"}, max_length=64)]
    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=patterns.CONDITION_REASON)]
    message: Annotated[str, Field(max_length=32768)]


class Status(ApiModel):
    """What the operator says of an object.

    `revision` is the configuration in which this object's part last changed, and `digest` names that part, so that
    an operator that has just started can tell without memory whether anything about the object is new.
    """

    conditions: Annotated[tuple[Condition, ...], Field(max_length=16), UniqueBy("type")] = ()
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    revision: Annotated[str, Field(max_length=64)] | None = None
    digest: Annotated[str, Field(max_length=64)] | None = None


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
