"""Run every benchmark: prints the machine and its limits, writes results/<name>.json.

    python bench/run.py [-k EXPRESSION] [--name NAME]

Peers that are installed run in the same process and run; others are skipped. bench/README.md says
how to install them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import coverset as cs
from coverset import _cpu

HERE = Path(__file__).parent
PEERS = (
    *("numpy", "scipy", "pandas", "pyarrow", "snorkel", "torch", "crowd-kit"),
    *("faiss-cpu", "scikit-learn", "usearch", "pynndescent"),
)


def limits() -> list[dict[str, Any]]:
    """Measure memory bandwidth and multiply-add rate with 1 thread and with all."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "probe"
        source = HERE / "probe.cpp"
        subprocess.run(
            ["c++", "-O3", "-march=native", "-pthread", "-std=c++17", source, "-o", program],
            check=True,
        )
        counts = sorted({1, _cpu.available_threads()})
        return [
            json.loads(subprocess.run([program, str(n)], check=True, capture_output=True).stdout)
            for n in counts
        ]


def cpu_model() -> str:
    """Return the processor's name as the kernel has it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def version(package: str) -> str | None:
    """Return an installed version, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """Describe the machine and the software; no host name."""
    commit = subprocess.run(
        ["git", "-C", HERE, "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "cpu": cpu_model(),
        "threads": _cpu.available_threads(),
        "simd": _cpu.simd_level(),
        "limits": limits(),
        "python": sys.version.split()[0],
        "coverset": cs.__version__,
        "commit": commit.stdout.strip() or None,
        "versions": {peer: version(peer) for peer in PEERS},
    }


def rows(report: dict[str, Any], facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a benchmark: median, spread, rate, share of the limit."""
    table = []
    bandwidth = {limit["threads"]: limit["read_gb_s"] for limit in facts["limits"]}
    for entry in report["benchmarks"]:
        stats, extra = entry["stats"], entry["extra_info"]
        row: dict[str, Any] = {
            "group": entry["group"],
            "name": entry["name"].removeprefix("time_"),
            "median_s": stats["median"],
            "iqr_s": stats["iqr"],
            "rounds": stats["rounds"],
            **extra,
        }
        if "bytes" in extra:
            row["gb_s"] = round(extra["bytes"] / stats["median"] / 1e9, 4)
            row["share_of_bandwidth"] = round(row["gb_s"] / bandwidth[max(bandwidth)], 4)
        table.append(row)
    return table


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-k", default="", help="run benchmarks whose name matches")
    parser.add_argument("--name", default="cpu", help="results go to results/NAME.json")
    options = parser.parse_args()
    facts = machine()
    print(json.dumps(facts, indent=1))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "pytest", HERE, "-q", "-p", "no:cacheprovider"),
            *("-o", "addopts="),
            *("-o", "python_files=bench_*.py", "-o", "python_functions=time_*", "-o", "testpaths="),
            *("-o", "filterwarnings=default", "-W", "ignore", "-k", options.k),
            *(
                "--benchmark-json",
                report,
                "--benchmark-disable-gc",
                "--benchmark-columns=median,iqr",
            ),
        ]
        status = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(HERE)})
        if not report.exists():
            return status.returncode
        table = rows(json.loads(report.read_text()), facts)
    target = HERE / "results" / f"{options.name}.json"
    target.write_text(json.dumps({"machine": facts, "benchmarks": table}, indent=1) + "\n")
    print(f"wrote {target.relative_to(HERE.parent)}")
    return status.returncode


if __name__ == "__main__":
    sys.exit(main())
