"""Peers of the keyword and regex passes, and the texts and patterns they are measured on.

A pattern of Hyperscan is (flags, expression); hyperscan_peer.cpp names the flags. Every peer's
votes are held against the others' by ``votes_checksum``.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import subprocess
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import workloads

Pattern = tuple[str, str]
Votes = list[tuple[int, int]]
SOURCE = Path(__file__).parent / "hyperscan_peer.cpp"
MIXER = 0x9E3779B97F4A7C15


# Texts.


@functools.cache
def real_text(bytes_wanted: int) -> list[str]:
    """Reviews, text messages and comments; the whole set again, in another order, until enough.

    Raises FileNotFoundError where COVERSET_TEST_DATA is not set.
    """
    folder = os.environ.get("COVERSET_TEST_DATA")
    if folder is None:
        raise FileNotFoundError("COVERSET_TEST_DATA is not set: no real text")
    texts = [
        json.loads(line)["text"]
        for name in ("imdb", "sms", "youtube")
        for path in sorted(Path(folder, "text", name).glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    sizes = np.array([len(text.encode()) for text in texts])
    rng = np.random.default_rng(0)
    rounds = -(-bytes_wanted // int(sizes.sum()))
    order = np.concatenate([rng.permutation(len(texts)) for _ in range(rounds)])
    enough = int(np.searchsorted(np.cumsum(sizes[order]), bytes_wanted)) + 1
    return [texts[i] for i in order[:enough]]


@functools.cache
def zipf_text(bytes_wanted: int) -> list[str]:
    """``workloads.comments``, about 700 bytes each, until enough."""
    texts = workloads.comments(bytes_wanted // 600)
    enough = int(np.searchsorted(np.cumsum([len(text) for text in texts]), bytes_wanted)) + 1
    return list(texts[:enough])


def pack(texts: Sequence[str], path: Path) -> None:
    """Write texts as the C program reads them: int64 n, n + 1 int64 offsets, bytes."""
    rows = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    with path.open("wb") as file:
        file.write(np.int64(len(rows)).tobytes() + offsets.tobytes())
        file.writelines(rows)


# Patterns.


def sample(texts: Sequence[str]) -> str:
    """Return the first 10 MB: enough to choose words from."""
    sizes = np.cumsum([len(text) for text in texts])
    return "\n".join(texts[: int(np.searchsorted(sizes, 10_000_000)) + 1])


def vocabulary(text: str) -> list[str]:
    """Lower-case words of three letters or more, from common to rare."""
    counts = Counter(re.findall(r"\b[a-z]{3,}\b", text.lower(), re.ASCII))
    return sorted(counts, key=lambda word: (-counts[word], word))


def keyword_set(texts: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Distinct words of middling frequency: 1,000 of them vote about once in a row."""
    words = vocabulary(sample(texts))[300:10_000]
    chosen = np.random.default_rng(seed).choice(len(words), count, replace=False)
    return [words[i] for i in chosen]


def keyword_patterns(words: Sequence[str]) -> list[Pattern]:
    """Whole words in any case: what ``cs.lf.keywords`` looks for, as Hyperscan has it."""
    return [("is", rf"\b{word}\b") for word in words]


def regex_set(texts: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Regexes of the kinds people write as labeling functions, of words of the text; case matters.

    They mean the same to Python's ``re`` (ASCII), RE2 and Hyperscan without its UTF8 flag.
    """
    rng = np.random.default_rng([seed, count])
    text = sample(texts)
    ranked = vocabulary(text)
    words, common = ranked[300:10_000], set(ranked[:100])
    tokens = re.findall(r"\w+", text, re.ASCII)

    def word() -> str:
        return words[rng.integers(len(words))]

    def place(expression: str) -> Callable[[], str]:
        """Words that stand in such a place in the text; any word where there is none."""
        found = sorted(set(re.findall(expression, text, re.ASCII)))
        return lambda: found[rng.integers(len(found))] if found else word()

    def near() -> tuple[str, str]:
        """Two words, not of the commonest, that stand close to one another."""
        while True:
            at = int(rng.integers(len(tokens) - 4))
            pair = tokens[at], tokens[at + int(rng.integers(1, 5))]
            if all(len(w) > 3 and w.isalpha() and w.lower() not in common for w in pair):
                return pair

    def gap() -> str:
        one, other = near()
        return rf"\b{one}\W+(?:\w+\W+){{0,3}}{other}\b"

    def without_literal(i: int) -> str:
        kind, more = i % 5, i // 5
        return (
            rf"\b\d{{{3 + more}}}[- ]\d{{4}}\b",
            rf"[!?]{{{3 + more},}}",
            r"\b" + r"[A-Z]\w+\s+" * (2 + more) + r"[A-Z]\w+\b",
            rf"\b\d{{1,2}}:\d\d{'[ap]' * more}\b",
            rf"[A-Z]{{{4 + more},}}\W+[A-Z]{{4,}}",
        )[kind]

    before_digits = place(r"\b([A-Za-z]{3,})\s*\d")
    in_address = place(r"https?://\S*?\b([a-z]{4,})")
    after_capital = place(r"\b[A-Z]\w+ ([a-z]{4,})\b")
    kinds: list[Callable[[], str]] = [
        *[lambda: rf"\b{word()}(?:s|ed|ing)?\b"] * 4,
        *[gap] * 3,
        *[lambda: rf"(?:{word()}|{word()}|{word()})\s+\w+"] * 4,
        lambda: rf"(?i)\b{word()}\b",
        lambda: rf"(?i)\b(?:{word()}|{word()})\w*",
        lambda: r"(?i)\b{}\b.*\b{}\b".format(*near()),
        *[lambda: rf"\b{before_digits()}\s*\d+"] * 2,
        lambda: rf"https?://\S*{in_address()}",
        *[lambda: rf"[A-Z]\w+ {after_capital()}"] * 2,
    ]
    made: dict[str, None] = {}
    while len(made) < count:
        kind = len(made) % 20
        made[kinds[kind]() if kind < len(kinds) else without_literal(len(made) // 20)] = None
    return list(made)


def regex_patterns(patterns: Sequence[str]) -> list[Pattern]:
    """The same expressions for Hyperscan: the first match of each in a row is a vote."""
    return [("s", pattern) for pattern in patterns]


# Peers.


@functools.cache
def build_folder() -> tempfile.TemporaryDirectory[str]:
    """Where the C program lies until this process ends."""
    return tempfile.TemporaryDirectory()


@functools.cache
def build() -> Path | str:
    """Compile the C program: its path, or why there is none."""
    program = Path(build_folder().name) / "hyperscan_peer"
    command = ["g++", "-O3", "-march=native", "-std=c++20", SOURCE, "-o", program, "-lhs"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        return "no g++"
    except subprocess.CalledProcessError as error:
        return f"Hyperscan's C library: {error.stderr.partition(chr(10))[0]}"
    return program


def missing_hyperscan_c() -> str | None:
    """Why ``hyperscan_c`` returns None, or None where it runs."""
    program = build()
    return program if isinstance(program, str) else None


def hyperscan_c(
    patterns: Sequence[Pattern], packed_path: Path, repeats: int = 3
) -> dict[str, Any] | None:
    """Run Hyperscan's C library: seconds of each repeat, bytes, votes, checksum, version."""
    program = build()
    if isinstance(program, str):
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{flags}\t{expression}\n" for flags, expression in patterns)
        file.flush()
        command = [program, file.name, packed_path, str(repeats)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def missing_hyperscan_wheel() -> str | None:
    """Why ``hyperscan_wheel`` cannot run, or None."""
    return None if importlib.util.find_spec("hyperscan") else "hyperscan is not installed"


def hyperscan_wheel(
    patterns: Sequence[Pattern], texts: Sequence[str], *, joined: bool = False
) -> Callable[[], Votes]:
    """Return a call that scans all texts with the Python package, for (row, pattern) votes.

    ``joined`` scans them as one block with a newline between rows and divides the matches among
    rows afterwards: right where no match can hold a newline, as for whole words.
    """
    import hyperscan

    letters = {
        "i": hyperscan.HS_FLAG_CASELESS,
        "s": 0 if joined else hyperscan.HS_FLAG_SINGLEMATCH,
        "u": hyperscan.HS_FLAG_UTF8,
        "d": hyperscan.HS_FLAG_DOTALL,
    }
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[expression.encode() for _, expression in patterns],
        ids=range(len(patterns)),
        elements=len(patterns),
        flags=[sum(letters[letter] for letter in flags) for flags, _ in patterns],
    )
    database.scratch = hyperscan.Scratch(database)
    scan = database.scan
    rows = [text.encode() for text in texts]

    def scan_rows() -> Votes:
        votes: Votes = []
        append = votes.append

        def on_match(pattern: int, _start: int, _end: int, _flags: int, row: int) -> None:
            append((row, pattern))

        deque(map(scan, rows, repeat(on_match), repeat(0), range(len(rows))), maxlen=0)
        return votes

    block = b"\n".join(rows) if joined else b""
    starts = np.cumsum([0, *(len(row) + 1 for row in rows)])

    def scan_block() -> Votes:
        ends: list[int] = []
        found: list[int] = []
        add_end, add_pattern = ends.append, found.append

        def on_match(pattern: int, _start: int, end: int, _flags: int, _context: None) -> None:
            add_end(end)
            add_pattern(pattern)

        scan(block, on_match)
        row_of = np.searchsorted(starts, np.array(ends, dtype=np.int64), side="right") - 1
        return list(dict.fromkeys(zip(row_of.tolist(), found, strict=True)))

    return scan_block if joined else scan_rows


def re2_one_at_a_time(column: Any, patterns: Sequence[str]) -> list[Any]:
    """Return pyarrow's boolean column of each pattern, RE2 behind it, one pattern after another."""
    from pyarrow import compute

    return [compute.match_substring_regex(column, pattern) for pattern in patterns]


# Votes.


def mask_votes(masks: Sequence[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and patterns of one boolean column a pattern."""
    found = [np.flatnonzero(np.asarray(mask)) for mask in masks]
    lfs = np.repeat(np.arange(len(found)), [len(rows) for rows in found])
    return np.concatenate(found), lfs


def votes_checksum(rows: ArrayLike, lfs: ArrayLike) -> int:
    """Sum of (row * 1000003 + pattern) * 0x9E3779B97F4A7C15 over votes in any order, mod 2^64."""
    places = np.asarray(rows, dtype=np.uint64) * np.uint64(1_000_003)
    places += np.asarray(lfs, dtype=np.uint64)
    return int((places * np.uint64(MIXER)).sum(dtype=np.uint64))
