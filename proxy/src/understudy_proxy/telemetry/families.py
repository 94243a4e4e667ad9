"""Every metric that the gateway shows, in one place.

Names, units and buckets of `gen_ai_*` are OpenTelemetry's conventions for generative AI in Prometheus' spelling; the
gateway is the server of its callers and the client of its providers. Labels come from the configuration and from
closed sets alone, never from a client.
"""

from understudy_proxy.telemetry.book import Family, Kind, Merge

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST_TOKEN = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_PER_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS = tuple(float(4**power) for power in range(14))
_LOAD_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_WHO = ("route", "provider", "model")
_GEN_AI = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")

# A histogram costs some 16 lines for each combination of labels, and a gateway has thousands of routes: so only what
# a route promises (how long a request takes, and its first token) is told by route; what a model does is told by model.
REQUEST_SECONDS = Family(
    "gen_ai_server_request_duration_seconds",
    "From the first byte of a request to the last of its answer.",
    Kind.HISTOGRAM,
    ("route", "provider", *_GEN_AI, "error_type"),
    _SECONDS,
)
FIRST_TOKEN_SECONDS = Family(
    "gen_ai_server_time_to_first_token_seconds",
    "From the first byte of a streaming request to the first token of its answer.",
    Kind.HISTOGRAM,
    ("route", "provider", *_GEN_AI),
    _FIRST_TOKEN,
)
PER_TOKEN_SECONDS = Family(
    "gen_ai_server_time_per_output_token_seconds",
    "Of a streamed answer: the time after its first token, divided by the tokens after it.",
    Kind.HISTOGRAM,
    ("provider", *_GEN_AI),
    _PER_TOKEN,
)
TOKEN_USAGE = Family(
    "gen_ai_client_token_usage",
    "Tokens of a request, as the provider counted them; input includes cached ones, output includes reasoning.",
    Kind.HISTOGRAM,
    ("provider", *_GEN_AI, "gen_ai_token_type"),
    _TOKENS,
)
ATTEMPT_SECONDS = Family(
    "gen_ai_client_operation_duration_seconds",
    "One attempt at one provider.",
    Kind.HISTOGRAM,
    ("provider", *_GEN_AI, "error_type"),
    _SECONDS,
)
REQUESTS = Family(
    "understudy_requests",
    "Requests answered, by class of status; reason says why one was refused or answered by an understudy.",
    Kind.COUNTER,
    (*_WHO, "status_class", "reason"),
)
TOKENS = Family(
    "understudy_tokens",
    "Tokens by type. cached_input and cache_write are part of input, reasoning is part of output.",
    Kind.COUNTER,
    (*_WHO, "type"),
)
ATTEMPTS = Family(
    "understudy_attempts", "Attempts at providers, by how they ended.", Kind.COUNTER, ("provider", "model", "outcome")
)
FAILOVERS = Family("understudy_failovers", "Times that the next backend was asked.", Kind.COUNTER, ("route",))
PERSONA_REQUESTS = Family(
    "understudy_persona_requests",
    "Requests that a persona answered, by the revision of its prompt: that of now and the one before.",
    Kind.COUNTER,
    ("route", "persona_revision", "status_class"),
)
TOOL_CALLS = Family(
    "understudy_tool_calls", "Calls of tools by the gateway, by how they ended.", Kind.COUNTER, ("tool", "outcome")
)
TOOL_SECONDS = Family(
    "understudy_tool_call_duration_seconds", "One call of a tool.", Kind.HISTOGRAM, ("tool",), _SECONDS
)
MCP_REQUESTS = Family(
    "understudy_mcp_requests",
    "Requests of the Model Context Protocol, by how they ended; a tool that failed is no error of the protocol.",
    Kind.COUNTER,
    ("method", "era", "outcome"),
)
CLIENT_DISCONNECTS = Family(
    "understudy_client_disconnects", "Clients that left before their answer was whole.", Kind.COUNTER, ("route",)
)
ADMISSION_REFUSALS = Family(
    "understudy_admission_refusals", "Requests refused before anybody was asked.", Kind.COUNTER, ("reason",)
)
IN_FLIGHT = Family("understudy_requests_in_flight", "Requests being answered.", Kind.GAUGE)
ENDPOINT_CHANGES = Family(
    "understudy_endpoint_changes", "Endpoints (or models there) that went out or came back.", Kind.COUNTER,
    ("provider", "standing"),
)  # fmt: skip
ENDPOINTS_OUT = Family(
    "understudy_endpoints_out",
    "Endpoints (or models there) that are not asked now, and why; model is empty where all of them are out.",
    Kind.GAUGE,
    ("endpoint", "model", "standing"),
    merge=Merge.MAX,
)
CONFIG_INFO = Family(
    "understudy_config_info", "1 for the revision that new requests get.", Kind.GAUGE, ("revision", "origin"),
    merge=Merge.MAX,
)  # fmt: skip
CONFIG_LOADED = Family(
    "understudy_config_last_load_timestamp_seconds", "When that revision was loaded.", Kind.GAUGE, merge=Merge.MIN
)
CONFIG_LOAD_SECONDS = Family(
    "understudy_config_load_duration_seconds", "Validating and building a configuration.", Kind.HISTOGRAM,
    bounds=_LOAD_SECONDS,
)  # fmt: skip
CONFIG_REJECTED = Family(
    "understudy_config_rejected",
    "1 while a newer configuration is refused and the last good one serves.",
    Kind.GAUGE,
    merge=Merge.MAX,
)
CONFIG_REJECTIONS = Family("understudy_config_rejections", "Configurations refused.", Kind.COUNTER)
PROVIDERS_OUT = Family(
    "understudy_providers_out", "Providers that the configuration names and that cannot be called.", Kind.GAUGE,
    merge=Merge.MAX,
)  # fmt: skip
LOG_DROPPED = Family("understudy_log_lines_dropped", "Log lines lost because nobody took them.", Kind.COUNTER)
LOG_SUPPRESSED = Family(
    "understudy_log_lines_suppressed", "Lines about failed attempts left out: many were alike.", Kind.COUNTER
)

MESH_AGENTS = Family(
    "understudy_mesh_agents",
    "Agents that registered here, by how they fare; only who keeps the registry has any.",
    Kind.GAUGE,
    ("status",),
)

PROCESS_CPU = Family("process_cpu_seconds", "User and system CPU time.", Kind.COUNTER)
PROCESS_MEMORY = Family("process_resident_memory_bytes", "Resident memory.", Kind.GAUGE)
PROCESS_FILES = Family("process_open_fds", "Open file descriptors.", Kind.GAUGE)
PROCESS_START = Family(
    "process_start_time_seconds", "When the process began, since the epoch.", Kind.GAUGE, merge=Merge.MIN
)
WORKERS = Family("understudy_workers", "Worker processes that answer.", Kind.GAUGE)

ALL: tuple[Family, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Family))
