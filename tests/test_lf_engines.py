"""Every engine gives the same votes: the scan alone, RE2, the multi-pattern sieve, Python's re."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
from coverset.lf.engines import hyperscan_package, multi_pattern
from coverset.lf.kinds.patterns import Regex

pa = pytest.importorskip("pyarrow")
PATTERNS = [
    r"\bfree\b",
    r"free|win",
    r"\bwin\W+(?:\w+\W+){0,3}free\b",
    r"[A-Z]{2,}",
    r"[!?]{3,}",
    r"\b\d{3}[- ]\d{4}\b",
    r"^\w+$",
    r"^[^a]$",
    r"\d\s*$",
    r"(?i)win\w*\s+f",
    r"[^\n]{3}é",
    r"(?<!not )free",
    r"(\w)\1",
    r"\bwi\s*\d",
]
PIECES = ["free", "win", " ", "not ", "WIN", "12", "555-0199", "!?!", "é", "a", "\n", "\u212a"]
TEXTS = st.lists(st.none() | st.lists(st.sampled_from(PIECES), max_size=6).map("".join), max_size=6)


MULTI = {"system": multi_pattern.SystemEngine, "package": hyperscan_package.PackageEngine}


def multi_engine(name):
    """Return a multi-pattern engine, or skip where it is not installed."""
    if not MULTI[name].installed():
        pytest.skip(f"Hyperscan is not there as {name}")
    return MULTI[name]


def votes(texts, engine):
    """Return the votes of all patterns; ``engine`` is the only one beside the scan."""
    lfs = [cs.lf.regex("t", pattern, 1) for pattern in PATTERNS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi_pattern, "installed", lambda: MULTI.get(engine))
        if engine == "re":
            for lf in lfs:
                lf.engine = "python"
        return cs.apply(lfs, {"t": pa.array(texts, pa.string())}).to_dense().tolist()


@given(TEXTS)
@pytest.mark.parametrize("engine", ["re2", "system", "package", "re"])
def test_votes_do_not_depend_on_the_engine(engine, texts):
    if engine in MULTI:
        multi_engine(engine)
    compiled = [re.compile(pattern, re.ASCII) for pattern in PATTERNS]
    want = [[1 if t is not None and c.search(t) else -1 for c in compiled] for t in texts]
    assert votes(texts, engine) == want


@pytest.mark.parametrize("most", [0.0, 1.0])
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("name", MULTI)
def test_rows_are_scanned_singly_where_matches_are_many(monkeypatch, most, n_threads, name):
    engine = multi_engine(name)
    monkeypatch.setattr(multi_pattern, "installed", lambda: engine)
    monkeypatch.setattr(engine, "most_matches", most)
    monkeypatch.setattr(multi_pattern, "_PROBE_BYTES", 64)
    monkeypatch.setattr(hyperscan_package, "_SLICE_BYTES", 64)
    texts = ["AB x", "\n", "", None, "xyAB\nCD", "A", "B", "12", "9\n", "é" * 9] * 5
    patterns = [r"[A-Z]{2,}", r"\d\s*$", r"[^\n]{3}", r"\w*\W", r"(?:\b)+", r"\b", r"[^\w]*\b"]
    lfs = [cs.lf.regex("t", pattern, 1) for pattern in patterns]
    L = cs.apply(lfs, {"t": pa.array(texts)}, n_threads=n_threads)
    want = [[1 if t and re.search(p, t, re.ASCII) else -1 for p in patterns] for t in texts]
    assert L.to_dense().tolist() == want


@pytest.mark.parametrize("name", MULTI)
def test_patterns_that_the_multi_pattern_engine_refuses_are_left_to_others(name):
    engine = multi_engine(name)
    multi = multi_pattern.MultiPattern([r"[A-Z]{2,}", r"(?<=a)b", "[0-9]{3}"], engine)
    assert multi.taken == [0, 2]


@pytest.mark.parametrize("name", MULTI)
def test_rows_of_the_multi_pattern_engine_are_only_candidates(name, monkeypatch):
    engine = multi_engine(name)
    monkeypatch.setattr(multi_pattern, "installed", lambda: engine)
    lf = cs.lf.regex("t", r"[A-Z]{2,}\W", 1)
    assert isinstance(lf, Regex)
    plan = cs.LFPlan([lf])
    assert plan._passes[0]._multi is not None
    table = {"t": ["AB", "AB!", None, "ab!", "xCD "]}
    assert cs.apply(plan, table).to_dense().ravel().tolist() == [-1, 1, -1, -1, 1]
    assert "re2" in str(plan)


class Caller:
    """Stands for Snorkel's class: a name, and a call on one row."""

    def __init__(self, name, function):
        self.name = name
        self._function = function

    def __call__(self, x):
        return self._function(x)


def test_labeling_functions_of_snorkel_are_taken_as_they_are():
    kind = type("LabelingFunction", (Caller,), {"__module__": "snorkel.labeling.lf.core"})

    def mapped(x):
        x.words = x.text.split()  # as Snorkel's preprocessors set fields
        return 1 if len(x.words) > 1 and x["text"] else -1

    L = cs.apply([kind("many", mapped), cs.lf.keywords("text", ["b"], 0)], {"text": ["a b", "a"]})
    assert L.lf_names == ("many", "keywords_text_b")
    assert L.to_dense().tolist() == [[1, 0], [-1, -1]]


def test_snorkel_itself_agrees():
    labeling = pytest.importorskip("snorkel.labeling")
    pd = pytest.importorskip("pandas")
    preprocess = pytest.importorskip("snorkel.preprocess")

    @preprocess.preprocessor()
    def lower(x):
        x.text = x.text.lower()
        return x

    @labeling.labeling_function(pre=[lower], resources={"words": {"free"}})
    def offers(x, words):
        return 1 if words & set(x.text.split()) else -1

    frame = pd.DataFrame({"text": ["FREE money", "hello", "so Free"]})
    theirs = labeling.PandasLFApplier([offers]).apply(frame, progress_bar=False)
    np.testing.assert_array_equal(cs.apply([offers], frame).to_dense(), theirs)


def test_other_callables_are_no_labeling_functions():
    with pytest.raises(TypeError, match=r"lfs\[0\] must be a labeling function, got <"):
        cs.apply([Caller("x", len)], {"t": ["a"]})
