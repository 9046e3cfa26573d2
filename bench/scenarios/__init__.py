"""One file a scenario: NAME, QUESTION, and run(bench), which leaves figures, tables and notes in bench.outcome. The order is
that of the result; `latency` takes its rate from `remembered`."""
from . import (access_log, bodies, builds, forged, latency, memory, never_seen, remembered, revocations, start, tls, unknown_kids, workers)

ALL = [remembered, never_seen, forged, access_log, workers, latency, memory, start, revocations, bodies, tls, unknown_kids, builds]
