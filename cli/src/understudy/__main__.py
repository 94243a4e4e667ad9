"""`python -m understudy` is `understudy`."""

from understudy.main import main

main(prog_name="understudy")
