"""Write the tables of docs/benchmarks.md and README.md from bench/results/*.json.

Each table stands between ``<!-- NAME -->`` and ``<!-- end -->``; run this after bench/run.py and
bench/accuracy.py, and read the difference before you commit it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGES = (HERE.parent / "README.md", HERE.parent / "docs" / "benchmarks.md")
# what is measured: ours, the peer, the peer's name, and how to read it ("time", or "rate" where
# the peer got fewer rows and bytes a second are compared)
PAIRS = (
    ("Sum up 50 LFs on 100,000 rows", "lf_summary[1]", "lf_summary_snorkel", "Snorkel", "time"),
    (
        "the same, from a dense matrix",
        "lf_summary_from_dense",
        "lf_summary_snorkel",
        "Snorkel",
        "time",
    ),
    (
        "Majority vote, 100,000 x 50, k = 2",
        "majority_vote[k=2-1]",
        "majority_vote_snorkel[k=2]",
        "Snorkel",
        "time",
    ),
    (
        "Label model fit, 100,000 x 50, k = 2",
        "fit[k=2-1]",
        "fit_snorkel[k=2]",
        "Snorkel, 100 epochs",
        "time",
    ),
    (
        "Label model fit, 100,000 x 50, k = 10",
        "fit[k=10-1]",
        "fit_snorkel[k=10]",
        "Snorkel, 100 epochs",
        "time",
    ),
    (
        "the same",
        "fit[k=10-1]",
        "fit_crowdkit_dawid_skene[k=10]",
        "crowd-kit Dawid-Skene, 10 it.",
        "time",
    ),
    (
        "Predict probabilities, 100,000 x 50, k = 2",
        "predict_proba[k=2-1]",
        "predict_proba_snorkel[k=2]",
        "Snorkel",
        "time",
    ),
    (
        "Predict probabilities, 100,000 x 50, k = 10",
        "predict_proba[k=10-1]",
        "predict_proba_snorkel[k=10]",
        "Snorkel",
        "time",
    ),
    (
        "Moments, 100 steps, 1,749 x 164, k = 9",
        "moments",
        "moments_snorkel",
        "Snorkel, 100 epochs",
        "time",
    ),
    (
        "Dawid-Skene, 20 passes, 100,000 answers",
        "dawid_skene[coverset]",
        "dawid_skene[crowd-kit]",
        "crowd-kit",
        "time",
    ),
    ("the same", "dawid_skene[coverset]", "dawid_skene[scipy]", "EM on SciPy's CSR", "time"),
    (
        "100 keyword LFs on 11 MB of text",
        "keywords[1]",
        "keywords_snorkel_pandas",
        "Snorkel PandasLFApplier",
        "rate",
    ),
    ("the same", "keywords[1]", "keywords_pyarrow", "pyarrow (RE2), a pattern at a time", "rate"),
    ("the same", "keywords[1]", "keywords_python_re", "Python re", "rate"),
    ("100 compare LFs, 10 columns x 10M rows", "compare[100-1]", "compare_numpy", "NumPy", "time"),
    (
        "1,000 linear LFs, 1,000 weights each, 1M rows",
        "linear[coverset-1000]",
        "linear[scipy-1000]",
        "SciPy product",
        "time",
    ),
    (
        "1,000 linear LFs, 50 weights each, 1M rows",
        "linear[coverset-50]",
        "linear[scipy-50]",
        "SciPy product",
        "time",
    ),
    (
        "20 similar LFs of 5 prototypes, 200,000 x 256",
        "similar[coverset]",
        "similar[numpy]",
        "NumPy (BLAS)",
        "time",
    ),
    (
        "scores of 10 classes, 2M rows",
        "scores[coverset]",
        "scores[numpy]",
        "NumPy",
        "time",
    ),
    (
        "Dense int8 to sparse, 1M x 50",
        "from_dense[int8]",
        "from_dense_scipy[int8]",
        "SciPy",
        "time",
    ),
    (
        "Dense int64 to sparse, 1M x 50",
        "from_dense[int64]",
        "from_dense_scipy[int64]",
        "SciPy",
        "time",
    ),
    ("Sort 2.5M loose answers into CSR", "from_triplets", "from_triplets_scipy", "SciPy", "time"),
    ("Check 2.5M CSR votes", "from_csr", "from_csr_scipy", "SciPy (checks less)", "time"),
    ("Take 500,000 rows of 1M", "take_rows", "take_rows_scipy", "SciPy", "time"),
    ("Select 25 of 50 LFs", "select_lfs", "select_lfs_scipy", "SciPy", "time"),
    ("Put 49 LFs and 1 side by side", "hstack", "hstack_scipy", "SciPy", "time"),
    ("Put 4 x 250,000 rows together", "concat", "concat_scipy", "SciPy", "time"),
    ("Sparse to dense, 1M x 50", "to_dense", "to_dense_scipy", "SciPy", "time"),
)
IN_README = (
    "lf_summary[1]",
    "majority_vote[k=2-1]",
    "fit[k=2-1]",
    "fit[k=10-1]",
    "keywords[1]",
    "compare[100-1]",
    "linear[coverset-1000]",
    "linear[coverset-50]",
    "from_dense[int8]",
    "from_triplets",
    "from_csr",
    "concat",
)


def milliseconds(seconds: float) -> str:
    """Return a time in ms with three significant digits."""
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds * 1e3:,.0f} ms"


def three_digits(number: float) -> str:
    """Return a number with about three digits."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def times(factor: float) -> str:
    """Return a factor with two or three significant digits."""
    return f"{factor:,.0f}x" if factor >= 100 else f"{factor:.3g}x"


def speed(rows: dict[str, dict[str, Any]], brief: bool) -> str:
    """Return the table of pairs, the factor first."""
    lines = ["| job | coverset | peer | | factor |", "| --- | --- | --- | --- | --- |"]
    for job, ours, theirs, peer, kind in PAIRS:
        if theirs not in rows or (brief and (ours not in IN_README or job == "the same")):
            continue
        mine, other = rows[ours], rows[theirs]
        if kind == "rate":
            factor = mine["gb_s"] / other["gb_s"]
            shown = [f"{three_digits(row['gb_s'] * 1e3)} MB/s" for row in (mine, other)]
        else:
            factor = other["median_s"] / mine["median_s"]
            shown = [milliseconds(row["median_s"]) for row in (mine, other)]
        lines.append(f"| {job} | {shown[0]} | {shown[1]} | {peer} | {times(factor)} |")
    return "\n".join(lines)


def limits(rows: dict[str, dict[str, Any]]) -> str:
    """Return what each scan reaches of the machine's memory bandwidth."""
    lines = ["| job | GB/s | share of read bandwidth |", "| --- | --- | --- |"]
    for name, row in rows.items():
        if (
            "gb_s" in row
            and "scipy" not in name
            and not name.startswith(("keywords_", "compare_"))
            and "python" not in name
        ):
            lines.append(f"| {name} | {row['gb_s']:.3g} | {row['share_of_bandwidth']:.1%} |")
    return "\n".join(lines)


ENGINES = (
    "coverset",
    "coverset, 2 threads",
    "Hyperscan C API",
    "hyperscan wheel",
    "hyperscan wheel, one block",
    "RE2, a pattern at a time",
    "Snorkel PandasLFApplier",
    "Snorkel DaskLFApplier, 2 processes",
)


def text(report: dict[str, Any], brief: bool) -> str:
    """Return the rates of all engines on text, in MB/s."""
    results = [r for r in report["results"] if not brief or r["text"] == "real"]
    heads = [f"{r['text']} text, {r['patterns']:,} {r['kind']}" for r in results]
    lines = [f"| MB/s | {' | '.join(heads)} |", f"| --- |{' --- |' * len(results)}"]
    for engine in ENGINES:
        rates = [r["mb_s"].get(engine) for r in results]
        if any(rates):
            shown = ["" if rate is None else three_digits(rate) for rate in rates]
            lines.append(f"| {engine} | {' | '.join(shown)} |")
    return "\n".join(lines)


def accuracy(report: dict[str, Any]) -> str:
    """Return the table of real sets, and each model's mean beyond majority vote."""
    names = [name for name in report["means"] if name not in ("majority vote", "by sgd")]
    lines = [
        "| set | metric | majority vote | " + " | ".join(names) + " | difference (SE) |",
        "| --- | --- | --- |" + " --- |" * (len(names) + 1),
    ]
    for row in report["sets"]:
        cells = ["" if row[name] is None else f"{row[name]:.3f}" for name in names]
        lines.append(
            f"| {row['set']} | {row['metric']} | {row['majority vote']:.3f} | "
            f"{' | '.join(cells)} | {row['difference']:+.3f} ({row['standard error']:.3f}) |"
        )
    means = (report["means"][name] for name in names)
    beyond = [f"{one['beyond majority vote']:+.3f} ({one['sets']})" for one in means]
    lines.append(f"| mean beyond majority vote (sets) | | | {' | '.join(beyond)} | |")
    return "\n".join(lines)


def neighbors(report: dict[str, Any], brief: bool = False) -> str:
    """Exact search: ours, how near the machine's limit, and the fastest peer."""
    lines = [
        "| d | queries | threads | coverset | of the limit | fastest peer | factor | others |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    limits = {one["threads"]: one for one in report["machine"]["limits"]}
    points: dict[tuple[int, int, int], dict[str, float]] = {}
    for row in report["table"]:
        for queries, took in row["seconds"].items():
            point = points.setdefault((row["d"], int(queries), row["threads"]), {})
            point[row["engine"]] = took["seconds"]
    for (d, queries, threads), point in sorted(points.items()):
        if brief and threads != max(limits):
            continue
        ours, limit = point.pop("coverset"), limits[threads]
        numbers = report["rows"] * d
        # up to 3 queries are measured in float32, up to 16 multiplied in it: docs/neighbors.md
        few = queries <= 16 or report["machine"]["simd"] not in ("vnni", "amx")
        rate = limit["multiply_add_gflop_s" if few else "multiply_add_int8_gop_s"]
        least = max(4 * numbers / limit["read_gb_s"], 2 * numbers * queries / rate)
        best = min(point, key=lambda engine: point[engine])
        others = ", ".join(
            f"{engine} {times(took / ours)}" for engine, took in point.items() if engine != best
        )
        lines.append(
            f"| {d} | {queries:,} | {threads} | {milliseconds(ours)} | {least / 1e9 / ours:.0%} | "
            f"{best} {milliseconds(point[best])} | {times(point[best] / ours)} | {others} |"
        )
    return "\n".join(lines)


def core_sets(report: dict[str, Any]) -> str:
    """k-center greedy: ours, our eager pass, and the peers' loops."""
    lines = [
        "| rows | d | k | coverset | held to AVX2 | our eager pass | anomalib | google/active-learning | DeepCore |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in report["table"]:
        took = {name: one["seconds"] for name, one in row["seconds"].items()}
        peers = [
            f"{took[name]:.3g} s, {times(took[name] / took['coverset'])}" if name in took else ""
            for name in ("eager", "anomalib", "google", "deepcore")
        ]
        lines.append(
            f"| {row['set']}, {row['rows']:,} | {row['d']} | {row['k']:,} | "
            f"{took['coverset']:.3g} s | {took['AVX2']:.3g} s | {' | '.join(peers)} |"
        )
    return "\n".join(lines)


def machine(facts: dict[str, Any]) -> str:
    """Return one sentence on where it ran."""
    versions = ", ".join(f"{name} {v}" for name, v in facts["versions"].items() if v)
    bandwidth = ", ".join(f"{x['read_gb_s']} GB/s with {x['threads']}" for x in facts["limits"])
    flops = ", ".join(f"{x['multiply_add_gflop_s']:.0f}" for x in facts["limits"])
    return (
        f"{facts['cpu']}, {facts['threads']} threads, SIMD level {facts['simd']}; reads {bandwidth} "
        f"thread(s), {flops} Gflop/s of multiply-add. Python {facts['python']}, {versions}. "
        f"Commit {facts['commit']}."
    )


def main() -> None:
    """Fill in every marked place."""
    report = json.loads((HERE / "results" / "cpu.json").read_text())
    rows = {row["name"]: row for row in report["benchmarks"]}
    on_text = json.loads((HERE / "results" / "text.json").read_text())
    tables = {
        "text": text(on_text, brief=False),
        "text, brief": text(on_text, brief=True),
        "speed": speed(rows, brief=False),
        "speed, brief": speed(rows, brief=True),
        "limits": limits(rows),
        "accuracy": accuracy(json.loads((HERE / "results" / "accuracy.json").read_text())),
        "machine": machine(report["machine"]),
    }
    for name, file in (("neighbors", "exact_search"), ("neighbors, avx2", "exact_search_avx2")):
        tables[name] = neighbors(json.loads((HERE / "results" / f"{file}.json").read_text()))
    tables["core sets"] = core_sets(json.loads((HERE / "results" / "core_sets.json").read_text()))
    exact = json.loads((HERE / "results" / "exact_search.json").read_text())
    tables["neighbors, brief"] = neighbors(exact, brief=True)
    for page in PAGES:
        page_text = page.read_text()
        for name, table in tables.items():
            page_text = re.sub(
                rf"(<!-- {name} -->\n)[^<]*(<!-- end -->)",
                lambda found, table=table: f"{found[1]}{table}\n{found[2]}",
                page_text,
            )
        page.write_text(page_text)


if __name__ == "__main__":
    main()
