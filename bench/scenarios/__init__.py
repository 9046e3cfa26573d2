"""One file a scenario: NAME, QUESTION, and run(bench), which leaves figures, tables and notes in bench.outcome. The order is
that of the result."""
from . import remembered

ALL = [remembered]
