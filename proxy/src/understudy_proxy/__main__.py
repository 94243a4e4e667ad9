"""`python -m understudy_proxy`: the data plane as the image runs it, set up by its environment."""

import os
import sys

from understudy_proxy.config.in_cluster import published
from understudy_proxy.process import run
from understudy_proxy.settings import BadSetting, Settings


def main() -> int:
    """Run until told to end; the exit code."""
    try:
        settings = Settings.from_environment(os.environ)
        source = published(settings, os.environ)
    except BadSetting as error:
        sys.stderr.write(f"understudy: {error}\n")
        return 2
    return run(settings, source)


if __name__ == "__main__":
    sys.exit(main())
