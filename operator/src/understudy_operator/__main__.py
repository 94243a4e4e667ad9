"""`python -m understudy_operator`: the operator from `UNDERSTUDY_*` variables alone, as its image runs it."""

import sys

from understudy_operator.main import run
from understudy_operator.settings import Settings, SettingsError


def main() -> int:
    """Run the operator; the exit code."""
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
