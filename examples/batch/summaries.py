"""Sum up many texts, some at a time, and count who did the work."""

import sys
from collections import Counter

from understudy import Client

TEXTS = [f"Report {number}: everything went as planned." for number in range(1, 41)]


def main() -> None:
    """Ask for all, tell what failed, and who answered the rest."""
    with Client() as client:
        client.wait_until_ready()
        requests = [f"Sum up in one sentence: {text}" for text in TEXTS]
        outcomes = client.batch(requests, model="chat", concurrency=8, progress=sys.stderr.isatty(), max_tokens=50)
    for text, outcome in zip(TEXTS, outcomes, strict=True):
        if outcome.error:
            print(f"{text[:9]}: {outcome.error}", file=sys.stderr)
    answered = Counter(outcome.result.provider for outcome in outcomes if outcome.result)
    for provider, number in sorted(answered.items()):
        print(f"{provider}: {number}")


main()
