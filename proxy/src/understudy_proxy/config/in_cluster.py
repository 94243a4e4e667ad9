"""The source of a proxy in a cluster, from its settings and what its pod is given."""

import random
import time
from collections.abc import Mapping

from understudy_proxy.config.api_client import Access, ApiClient
from understudy_proxy.config.api_fetch import ShardFetch
from understudy_proxy.config.api_watch import HeadWatch
from understudy_proxy.config.published import Api, Published
from understudy_proxy.config.volume import Volume
from understudy_proxy.settings import PREFIX, BadSetting, Settings


def published(settings: Settings, environ: Mapping[str, str]) -> Published:
    """Follow the API where this is a pod and `settings.api` is on, and the volume where there is one.

    Raises:
        BadSetting: that leaves nothing to follow.
    """
    access = Access.in_pod(environ) if settings.api else None
    api = _api(access, settings) if access is not None else None
    volume = Volume(settings.volume) if settings.volume is not None else None
    if api is None and volume is None:
        raise BadSetting(
            "there is nowhere to get a configuration from: run this in a pod with a ServiceAccount token, or set "
            f"{PREFIX}VOLUME to a folder that holds one; `understudy serve` runs from YAML files"
        )
    return Published(api=api, volume=volume, timer=time.monotonic, draw=random.random)


def _api(access: Access, settings: Settings) -> Api:
    namespace = settings.namespace or access.namespace
    if not namespace:
        raise BadSetting(f"set {PREFIX}NAMESPACE to the namespace that holds the configuration")
    client = ApiClient(access)
    watch = HeadWatch(client, namespace=namespace, prefix=settings.prefix, draw=random.random, timer=time.monotonic)
    return Api(client, watch, ShardFetch(client, namespace=namespace, prefix=settings.prefix))
