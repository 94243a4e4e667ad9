"""The store that the settings name for a whole fleet, or what is wrong with its address."""

from typing import TYPE_CHECKING

from understudy_proxy.settings import PREFIX, BadSetting, Settings

if TYPE_CHECKING:
    from understudy_proxy.state.redis import RedisStore

_SETTING = f"{PREFIX}REDIS_URL"


def shared_store(settings: Settings) -> "RedisStore | None":
    """The store, not connected yet; None where the settings name none.

    Raises:
        BadSetting: there cannot be one at this address; the message does not repeat it, for it may hold a password.
    """
    if not settings.redis_url:
        return None
    try:
        from understudy_proxy.state.redis import RedisStore
    except ImportError as error:
        raise BadSetting(
            f"{_SETTING} needs a library that is not installed: pip install 'understudy[redis]'"
        ) from error
    try:
        return RedisStore(settings.redis_url)
    except ValueError as error:
        raise BadSetting(f"{_SETTING} is no address of a Redis: its host, port or database cannot be read") from error
    except TypeError as error:
        raise BadSetting(f"{_SETTING} has an option after its ? that Redis' clients do not know") from error
