"""judge.py - queries a trace with Perfetto's trace_processor (judge.mjs) and knows what is clean."""
import json
import os
import subprocess

import fetch_engine

HERE = os.path.dirname(os.path.abspath(__file__))

# Interning mistakes lose packets and count as `info` only: it must be 0 all the same.
BAD_STATS = """select name, idx, severity, value from stats
    where value != 0 and (severity in ('error', 'data_loss')
    or name = 'packet_skipped_seq_needs_incremental_state_invalid')"""


class JudgeError(Exception):
    """The trace or a query was refused; the text is trace_processor's."""


def query(trace, *queries):
    """Rows (dicts) of each query; of the only one when there is one."""
    r = subprocess.run(["node", os.path.join(HERE, "judge.mjs"), fetch_engine.fetch(), str(trace),
                        *queries], capture_output=True, text=True, timeout=180, check=False)
    if r.returncode != 0:
        raise JudgeError(r.stderr.strip() or r.stdout.strip())
    rows = [json.loads(line) for line in r.stdout.splitlines()]
    return rows[0] if len(queries) == 1 else rows


def bad_stats(trace, loss_expected=False):
    """Stats that a clean trace does not have."""
    rows = query(trace, BAD_STATS)
    return [r for r in rows if not (loss_expected and r["severity"] == "data_loss")]
