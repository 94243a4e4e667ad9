"""An app of a user: it asks a gateway for one answer whole and one as it comes, and has nothing set up."""

import json

from understudy import Client


def main() -> None:
    """Ask, and print what was said and by whom."""
    with Client() as client:
        client.wait_until_ready(60)
        whole = client.chat("chat", "Who are you?")
        with client.chat("persona/code_assistant", "And who are you?", stream=True) as stream:
            streamed = "".join(chunk.text for chunk in stream)
    print(json.dumps({"whole": whole.text, "provider": whole.provider, "streamed": streamed}))  # noqa: T201 - a pod's log


main()
