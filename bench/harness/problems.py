"""What can go wrong with a measurement. Neither ends the run: the result names it, and what it was."""


class Failed(Exception):
    """A scenario cannot go on."""


class Missing(Failed):
    """A peer that cannot be had, or does not do what it is compared for."""
