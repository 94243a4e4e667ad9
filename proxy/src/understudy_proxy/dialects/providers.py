"""The provider side of every dialect but pass-through. A new dialect is a package and a row here."""

from collections.abc import Mapping

from understudy_api.config import Dialect
from understudy_proxy.dialects.anthropic.provider import PROVIDER as ANTHROPIC
from understudy_proxy.dialects.bedrock.provider import PROVIDER as BEDROCK
from understudy_proxy.dialects.gemini.provider import PROVIDER as GEMINI
from understudy_proxy.dialects.mesh.provider import PROVIDER as MESH
from understudy_proxy.dialects.ollama.provider import PROVIDER as OLLAMA
from understudy_proxy.dialects.openai.provider import PROVIDER as OPENAI
from understudy_proxy.dialects.provider import ProviderDialect

PROVIDERS: Mapping[Dialect, ProviderDialect] = {
    Dialect.ANTHROPIC: ANTHROPIC,
    Dialect.BEDROCK: BEDROCK,
    Dialect.GEMINI: GEMINI,
    Dialect.MESH: MESH,
    Dialect.OLLAMA: OLLAMA,
    Dialect.OPENAI: OPENAI,
}
