"""What a machine lacks for a test, said in one line.

Left out: what follows from it. The fixtures skip (or fail in CI), the command line exits.
"""


class Missing(Exception):
    """Something that the tests need is neither here nor can be made here.

    The message is one line: what is missing, and how to get it.
    """
