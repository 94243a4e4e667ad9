"""The regular expressions of the API, each with the words that a person gets when a value does not match.

Go's RE2 (the API server) and Rust's regex (pydantic) both run them, so they keep to what the two share.
"""

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
DATA_KEY = r"^[-._a-zA-Z0-9]+$"
NO_SPACES = r"^\S+$"
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$"
ONE_LINE = r"^[^\r\n\x00]*$"
DURATION = r"^([0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h|d)){1,4}$"
MONEY = r"^[0-9]{1,9}(\.[0-9]{1,9})?$"
CONDITION_REASON = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
MODEL_OR_PREFIX = r"^[^\s*]+\*?$|^\*$"
PERSONA_NAME = r"^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
FUNCTION_NAME = r"^[a-zA-Z0-9_-]+$"
AWS_REGION = r"^[a-z0-9-]+$"
BASE_URL = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
HANDLER_URL = r"^https?://[^\s@]+$"
URL_PATH = r"^/\S*$"
MESH_WORD = r"^[^\s+-]\S*$"
MESH_TAG = r"^[+-]?[^\s+-]\S*$"

MEANINGS = {
    DNS_LABEL: "lower case letters, digits and -, with a letter or digit at both ends",
    DNS_SUBDOMAIN: "lower case letters, digits, - and ., with a letter or digit at both ends",
    DATA_KEY: "letters, digits, -, _ and . only",
    NO_SPACES: "without spaces",
    HEADER_NAME: "a header name such as X-Team",
    ONE_LINE: "one line",
    DURATION: "a duration such as 300ms, 1.5s, 5m or 1h30m",
    MONEY: 'US dollars as a decimal string such as "3.00"',
    CONDITION_REASON: "a CamelCase word",
    MODEL_OR_PREFIX: "a model name, or a prefix with * at its end, without spaces",
    PERSONA_NAME: "lower case letters, digits, - and _, with a letter or digit at both ends",
    VARIABLE_NAME: "letters, digits and _, not beginning with a digit",
    FUNCTION_NAME: "letters, digits, _ and - only",
    AWS_REGION: "a region such as eu-central-1",
    BASE_URL: "an http or https URL without user, query and fragment, such as https://host/v1",
    HANDLER_URL: "an http or https URL without user, such as https://host/path",
    URL_PATH: "a path that begins with /",
    MESH_WORD: "without spaces, not beginning with + or -",
    MESH_TAG: "a tag without spaces, with + before it where it is only preferred and - where it must not be there",
}
"""Each completes the sentence "must be ..."."""
