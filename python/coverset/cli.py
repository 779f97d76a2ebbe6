"""The command line: ``coverset label``, ``coverset demo``, ``coverset versions``."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import coverset._store as _store
from coverset._versions import __version__, show_versions
from coverset.label_matrix import LabelMatrix, lf_summary
from coverset.label_model import LabelModel, MajorityVote, report_page
from coverset.lf import LabelingFunction, apply

_MODELS = {"label-model": LabelModel, "majority-vote": MajorityVote}
_NEEDS_ARROW = "coverset label needs pyarrow: pip install 'coverset[arrow]'"


class _UsageError(Exception):
    """What the user wrote cannot be carried out; the message says why."""


class _LFFile(NamedTuple):
    lfs: list[LabelingFunction]
    cardinality: int | None
    class_names: list[str] | None


def _read_lf_file(path: Path) -> _LFFile:
    """Run a Python file that defines ``lfs`` and, if it likes, ``cardinality``, ``class_names``."""
    if not path.is_file():
        msg = f"--lfs {path}: there is no such file"
        raise _UsageError(msg)
    spec = importlib.util.spec_from_file_location("coverset_lfs", path)
    if spec is None or spec.loader is None:
        msg = f"--lfs {path}: it must be a Python file"
        raise _UsageError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        msg = f"--lfs {path}: {type(error).__name__}: {error}"
        raise _UsageError(msg) from error
    lfs = getattr(module, "lfs", None)
    if not isinstance(lfs, list | tuple) or not lfs:
        msg = f"--lfs {path}: it must define `lfs`, a list of labeling functions"
        raise _UsageError(msg)
    names = getattr(module, "class_names", None)
    cardinality = getattr(module, "cardinality", None)
    return _LFFile(list(lfs), cardinality, None if names is None else list(names))


def _read_table(path: Path) -> Any:
    """Open a Parquet, CSV or JSON-lines file, or a folder of Parquet files."""
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.dataset
        import pyarrow.json
    except ImportError:
        raise ImportError(_NEEDS_ARROW) from None
    if not path.exists():
        msg = f"{path}: there is no such file or folder"
        raise _UsageError(msg)
    try:
        if path.is_dir() or path.suffix in (".parquet", ".pq"):
            return pa.dataset.dataset(path, format="parquet")
        if path.suffix == ".csv":
            return pa.csv.read_csv(path)
        if path.suffix in (".jsonl", ".json"):
            return pa.json.read_json(path)
    except (pa.ArrowInvalid, OSError) as error:
        msg = f"{path}: {error}"
        raise _UsageError(msg) from None
    msg = f"{path}: it must end in .parquet, .csv or .jsonl, or be a folder of Parquet files"
    raise _UsageError(msg)


def write_labels(path: Path, L: LabelMatrix, proba: Any, labels: Any) -> None:
    """Write row, probability of each class, label (-1: undecided) and number of votes."""
    import pyarrow as pa
    import pyarrow.parquet

    names = L.class_names or tuple(str(y) for y in range(L.cardinality))
    columns = {"row": np.arange(len(L))}
    columns |= {f"p_{name}": np.ascontiguousarray(proba[:, y]) for y, name in enumerate(names)}
    columns |= {"label": labels, "n_votes": np.diff(L.indptr).astype(np.int32)}
    with _store.replacing(path) as file:
        pa.parquet.write_table(pa.table(columns), file)


def _label(options: argparse.Namespace) -> None:
    out = Path(options.out)
    if not out.parent.is_dir():
        msg = f"--out {out}: there is no folder {out.parent}"
        raise _UsageError(msg)
    if out.is_dir():
        msg = f"--out {out}: it must be a file to write, got a folder"
        raise _UsageError(msg)
    page = None if options.report is None else Path(options.report)
    if page is not None and (page.is_dir() or not page.parent.is_dir()):
        msg = f"--report {page}: it must be a file in a folder that exists"
        raise _UsageError(msg)
    if options.gold is not None and page is None:
        msg = "--gold needs --report"
        raise _UsageError(msg)
    given = _read_lf_file(Path(options.lfs))
    data = _read_table(Path(options.table))
    started = time.perf_counter()
    L, report = apply(
        given.lfs,
        data,
        cardinality=given.cardinality,
        class_names=given.class_names,
        n_threads=options.threads,
        on_error=options.on_error,
        progress=_shows_progress(options),
        return_report=True,
    )
    model = _MODELS[options.model]().fit(L)
    proba = model.predict_proba(L, n_threads=options.threads)
    labels = model.predict(L, n_threads=options.threads)
    write_labels(out, L, proba, labels)
    if page is not None:
        _write_page(page, L, model, data, options.gold)
    if not options.quiet:
        print(lf_summary(L))
        print()
        print(report)
        print()
        print(L)
        decided = int(np.count_nonzero(labels >= 0))
        seconds = time.perf_counter() - started
        print(f"{decided:,} of {len(L):,} rows labeled by {model!r} in {seconds:.2f} s")
        print(f"wrote {out}" + ("" if page is None else f" and {page}"))


def _write_page(path: Path, L: LabelMatrix, model: Any, data: Any, gold: str | None) -> None:
    """Write the report page of a run."""
    import pyarrow as pa

    y = None
    if gold is not None:
        if gold not in data.schema.names:
            msg = f"--gold {gold}: the table has no such column"
            raise _UsageError(msg)
        column = data.column(gold) if isinstance(data, pa.Table) else (
            data.to_table(columns=[gold]).column(gold)
        )  # fmt: skip
        y = column.fill_null(-1).to_numpy()
    texts = [field.name for field in data.schema if pa.types.is_string(field.type)]

    def read_rows(rows: Any) -> list[str]:
        some = data.take(pa.array(rows)).select(texts).to_pylist()
        return [" | ".join(str(value) for value in row.values()) for row in some]

    page = report_page(L, model, y, read_rows if texts else None)
    with _store.replacing(path) as file:
        file.write(page.encode())


def _shows_progress(options: argparse.Namespace) -> bool:
    """Return whether to show a bar: on a terminal, where tqdm is installed, unless quiet."""
    installed = importlib.util.find_spec("tqdm") is not None
    return not options.quiet and sys.stderr.isatty() and installed


def _demo(options: argparse.Namespace) -> None:
    import coverset.demo as demo

    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    demo.run(out, progress=_shows_progress(options), stream=sys.stdout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coverset", description=__doc__)
    parser.add_argument("--version", action="version", version=f"coverset {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    label = commands.add_parser(
        "label", help="label a table: Parquet, CSV or JSON lines in, Parquet out"
    )
    label.add_argument(
        "table", help="a .parquet, .csv or .jsonl file, or a folder of Parquet files"
    )
    label.add_argument(
        "--lfs", required=True, help="a Python file that defines `lfs` and perhaps `cardinality`"
    )
    label.add_argument("--out", required=True, help="the Parquet file to write")
    label.add_argument("--model", choices=sorted(_MODELS), default="label-model")
    label.add_argument("--on-error", choices=("raise", "abstain"), default="raise")
    label.add_argument("--gold", help="a column of known classes, -1 where unknown, for --report")
    label.add_argument("--report", help="an HTML page to write: functions, model, dependencies")
    label.add_argument("--threads", type=int, help="default: the CPUs this process may use")
    label.add_argument("--quiet", action="store_true", help="print nothing but errors")
    label.set_defaults(action=_label)
    demo = commands.add_parser("demo", help="run the whole path on data that every machine has")
    demo.add_argument("--out", default="coverset-demo", help="folder for its files")
    demo.add_argument("--quiet", action="store_true", help="show no progress")
    demo.set_defaults(action=_demo)
    versions = commands.add_parser("versions", help="print versions, SIMD level, threads, CUDA")
    versions.set_defaults(action=lambda _: show_versions())
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 for bad data, 2 for bad usage, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.action(options)
    except _UsageError as error:
        print(f"coverset: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("coverset: interrupted", file=sys.stderr)
        return 130
    except (ImportError, MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        print(f"coverset: error: {error}", file=sys.stderr)
        return 1
    return 0
