"""Whether the mounted volume counts beside the API, when the two disagree.

Both show the same objects, so they disagree only in time. A configuration carries no counter that says which is newer
(its revision is a content hash, and an API server restored from a backup takes any counter back), so the order comes
from what is known of the two readers:

- The API is the truth, whatever it says, older content included: rolling back is a change like any other.
- The volume is the kubelet's copy of it. It moves forward only, up to about two minutes behind.

So the volume counts until a configuration from the API has been taken. After that it counts only while the API is out
of reach, and only when it must be newer than what the API gave last: it has shown that very revision and then another
one, or it has changed later than the kubelet's delay after the API was last heard. The API's next word ends that.
"""

KUBELET_DELAY_SECONDS = 180.0
"""The kubelet syncs a volume every 60-90 s from a cache that is up to 60 s old; with a margin."""


class Precedence:
    """What has been seen of both; times are monotonic seconds."""

    def __init__(self) -> None:
        self._taken: str | None = None
        self._reachable = False
        self._heard = 0.0
        self._caught_up = False

    def api_heard(self, *, now: float) -> None:
        """The API answered, or sent something on the watch."""
        self._reachable = True
        self._heard = now

    def api_lost(self) -> None:
        """The connection to the API ended other than by plan."""
        self._reachable = False

    def api_taken(self, revision: str) -> None:
        """A configuration that the API gave is being served."""
        if revision != self._taken:
            self._taken = revision
            self._caught_up = False

    def volume_counts(self, revision: str, *, since: float) -> bool:
        """Whether what the volume shows, since monotonic `since`, is to be served; asked again and again."""
        if self._taken is None:
            return True
        if revision == self._taken:
            self._caught_up = True
            return not self._reachable
        if self._reachable:
            return False
        return self._caught_up or since > self._heard + KUBELET_DELAY_SECONDS
