from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "walkback.py"


def test_small_logs_are_answered_rightly():
    sizes = ("--questions", "500", "--nat", "5000", "--leases", "300000", "--sessions", "2000")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *sizes], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "wrong hosts                0   wrong devices 0" in done.stdout
