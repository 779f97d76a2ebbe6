"""Functions over whole values: each column type, operator and combination against slow answers."""

from __future__ import annotations

import datetime
import itertools
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coverset as cs
import lf_reference as reference
from coverset.lf.base import BlockVotes
from lf_examples import OPERATORS, THREADS, column

lf = cs.lf
CLOSED = {"both": (">=", "<="), "left": (">=", "<"), "right": (">", "<="), "neither": (">", "<")}
SIZED = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")
NUMERIC = (*SIZED, "f2", "?")


def case(what, *values):
    return pytest.param(*values, id=what)


def says(label, *conditions):
    def answer(item, dtype=None):
        with np.errstate(over="ignore"):
            held = [reference.compare_votes([item], *c, 1, dtype) == [1] for c in conditions]
        return label if all(held) else -1

    return answer


NULL_TESTS = [
    (lf.is_null("x", 1), lambda item, _: 1 if item is None or item != item else -1),
    (lf.not_null("x", 0), lambda item, _: -1 if item is None or item != item else 0),
]


def compared(op, value, label=1):
    return lf.compare("x", op, value, label), says(label, (op, value))


def within(low, high, closed, label=2):
    answer = says(label, *zip(CLOSED[closed], (low, high), strict=True))
    return lf.between("x", low, high, label, closed=closed), answer


def among(values, label=3):
    one = [says(label, ("==", value)) for value in values]
    return lf.isin("x", values, label), lambda item, dtype: max(a(item, dtype) for a in one)


def scored(low, high, labels):
    made = lf.score("x", low, high, labels)
    return made, lambda item, dtype: reference.score_votes([item], low, high, labels)[0]


def assert_answers(cases, values, items, dtype=None, **options):
    """A case is a function, and what it says of one item: None, a number, a string, an instant."""
    cases = [*cases, *NULL_TESTS]
    got = cs.apply([made for made, _ in cases], {"x": values}, **options).to_dense()
    want = [[answer(item, dtype) for _, answer in cases] for item in items]
    wrong = np.argwhere(got != np.reshape(want, got.shape))
    assert [(cases[j][0], items[i], int(got[i, j])) for i, j in wrong[:3]] == []


def edges(dtype):
    """Numbers that a type just holds, and those and others that it cannot hold."""
    own = [False, True] if dtype.kind == "b" else [-1.5, 0.1, 0, 1, 3, 60000]
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        own = [limits.min, limits.min + 1, limits.max - 1, limits.max, 0, 1, 3]
    beyond = [1e300, -1e300, 2**70, -(2**70), np.inf, -np.inf, 0.5, -0.5, 2.5, -1, 2**63, 2**64]
    return own, [*own, *beyond, own[0] - 1, own[1] + 1]


def forms(values, dtype):
    """The same column in every way of holding it, with what it holds."""
    array = np.array(values, dtype)
    items, arrow = array.tolist(), pa.array(array)
    yield from [(array, items), (array.repeat(2)[::2], items), (arrow, items)]
    yield from [(pa.chunked_array([arrow, arrow[:1]]), [*items, items[0]]), (pa.nulls(1), [None])]
    nulls = pa.concat_arrays([arrow[:3], pa.nulls(2, arrow.type), arrow])
    yield nulls.slice(1), [*items[1:3], None, None, *items]
    if dtype in (np.int64, np.float64, bool):
        yield [*items[:2], None, *items[2:]], [*items[:2], None, *items[2:]]


@pytest.mark.parametrize("code", NUMERIC)
def test_every_numeric_type_meets_values_that_it_holds_and_cannot_hold(code):
    dtype = np.dtype(code)
    own, values = edges(dtype)
    cases = [compared(op, value) for op in OPERATORS for value in values]
    pairs = [(low, high) for low in values[::2] for high in values[::3] if low <= high]
    cases += [within(*pair, closed) for pair in pairs for closed in CLOSED]
    cases += [among(values[first:]) for first in range(len(values))]
    cases += [scored(low, high, (4, 5)) for low, high in [(-1, 0.5), (-np.inf, 2.5), (0, np.inf)]]
    most = [np.finfo(dtype).max, -np.finfo(dtype).max, np.nan] if dtype.kind == "f" else []
    for array, items in forms([*own, *most], dtype):
        assert_answers(cases, array, items, dtype)


@given(st.integers(0, 2**32 - 1), st.sampled_from(NUMERIC))
@settings(max_examples=7)
def test_a_hundred_overlapping_functions_answer_as_each_alone(seed, code):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(code)
    pool = [0.5, 2.5, *(rng.integers(-9, 40, 30) / (4 if dtype.kind == "f" else 1)).tolist()]

    def case():
        low, high = sorted(rng.choice(pool, 2, replace=False).tolist())
        first, second = rng.integers(0, 9, 2).tolist()
        ends, op = tuple(CLOSED)[rng.integers(4)], OPERATORS[rng.integers(6)]
        made = [compared(op, low, first), within(low, high, ends, first)]
        made += [among(rng.choice(pool, 5).tolist(), first)]
        return [*made, scored(low, high + 1, (first - 1, second - 1))][rng.integers(4)]

    array = np.where(rng.random(40) < 0.5, rng.choice(pool, 40), rng.integers(0, 99, 40))
    array, mask = np.abs(array).astype(dtype), rng.random(40) < 0.2
    items = [None if null else item for null, item in zip(mask, array.tolist(), strict=True)]
    cases = [case() for _ in range(100 + rng.integers(40))]
    assert_answers(cases, pa.array(array, mask=mask), items, dtype)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 63, 64, 65, 16383, 16384, 16385])
def test_levels_and_threads_agree_on_numbers_at_the_ends_of_groups_and_blocks(simd_level, n):
    places = [p for p in (0, 1, 14, 15, 16, 63, 64, 16319, 16320, 16383, n - 1) if 0 <= p < n]
    cases = [lf.compare("x", ">", 100, 1), lf.between("x", 2, 3, 2), lf.isin("x", [2, 120], 3)]
    cases += [lf.not_null("x", 4), lf.compare("x", "!=", 50, 5)]
    for code in SIZED:
        array = np.full(n, 50, code)
        array[places] = np.resize([120, 2, 3, 101], len(places))
        valid = np.arange(n) % 5 != 4
        if code[0] == "f":
            array[7::1000] = np.nan
        known = valid & (array == array)
        fires = [array > 100, np.isin(array, [2, 3]), np.isin(array, [2, 120]), known, array != 50]
        want = np.where(np.stack(fires, axis=1) & known[:, None], [1, 2, 3, 4, 5], -1)
        for threads in THREADS:
            L = cs.apply(cases, {"x": pa.array(array, mask=~valid)}, n_threads=threads)
            np.testing.assert_array_equal(L.to_dense(), want)


UNITS = {"D": Fraction(86400), "h": Fraction(3600), "m": Fraction(60), "s": Fraction(1)}
UNITS |= {unit: Fraction(1, 1000**power) for power, unit in enumerate(["ms", "us", "ns"], 1)}
DAY, NOON = datetime.date(2020, 2, 29), datetime.datetime(2020, 2, 29, 12, 30, 1, 999_999)
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
NEAR = [DAY, NOON, NOON.replace(hour=3, tzinfo=INDIA), NOON.replace(1969, 12)]
NEAR += [np.datetime64(stamp) for stamp in ("2020", "2020-02", "2020-02-29T12")]
MOMENTS = [*NEAR, datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]
FINE = np.datetime64("2020-02-29T12:30:01.999999001", "ns")


def instant(value):
    """Return the seconds since 1970, exactly; without a zone it is UTC."""
    if getattr(value, "tzinfo", None):
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    stamp = np.datetime64(value)
    stamp = stamp if np.datetime_data(stamp)[0] in UNITS else stamp.astype("M8[D]")
    return UNITS[np.datetime_data(stamp)[0]] * int(stamp.astype(np.int64))


def date_columns():
    """Yield columns of instants at, before and after the values they are compared with."""
    for unit, length in UNITS.items():
        counts = sorted({int(instant(m) // length) + step for m in NEAR for step in (0, 1)})
        items = [None, *(count * length for count in counts)]
        yield f"numpy {unit}", np.array([-(2**63), *counts]).view(f"M8[{unit}]"), items
        for zone in (None, "UTC", "Europe/Berlin", "+05:30"):
            if unit in ("s", "ms", "us", "ns"):
                array = pa.array([None, None, *counts]).cast(pa.timestamp(unit, zone))
                yield f"{unit} {zone}", array.slice(1), items
        if unit == "D":
            days = pa.array([0, None, *counts], pa.int32()).cast(pa.date32()).slice(1)
            yield from [("date32", days, items), ("dates", days.to_pylist(), items)]
            yield "date64", days.cast(pa.date64()), items
    yield "datetimes", [NOON, None], [instant(NOON), None]


DATES = {name: (values, items) for name, values, items in date_columns()}


@pytest.mark.parametrize("name", DATES)
def test_dates_of_every_type_compare_exactly(name):
    asked = itertools.product(OPERATORS, [*MOMENTS, FINE])
    cases = [(lf.compare("x", op, m, 1), says(1, (op, instant(m)))) for op, m in asked]
    low, high = np.datetime64(DAY), np.datetime64(NOON)
    for ends, (above, below) in CLOSED.items():
        made = lf.between("x", low, high, 2, closed=ends)
        cases.append((made, says(2, (above, instant(low)), (below, instant(high)))))
    known = {instant(moment) for moment in MOMENTS}
    cases.append((lf.isin("x", MOMENTS, 1), lambda i, _: 1 if i in known else -1))
    assert_answers(cases, *DATES[name])


ANSWERS = ["spam", None, "ham", "", "Spam", "not sure", "é", "e\u0301", "spam\0", "häm" * 9, None]
WORDS = list(dict.fromkeys(ANSWERS))  # a null among them
CODES = pa.array([WORDS.index(answer) for answer in ANSWERS], pa.int16())
KINDS = (pa.string(), pa.large_string(), pa.string_view(), pa.binary())
STRINGS = {str(kind): pa.array(["spam", *ANSWERS]).cast(kind).slice(1) for kind in KINDS}
STRINGS |= {"list": ANSWERS, "numpy": np.array(ANSWERS, dtype=object)}
STRINGS["chunks"] = pa.chunked_array([ANSWERS[:4], [], ANSWERS[4:]], pa.string())
STRINGS["null codes"] = pa.array(["spam", *ANSWERS]).dictionary_encode().slice(1)
STRINGS["null words"] = pa.DictionaryArray.from_arrays(CODES, pa.array(WORDS))
STRINGS["many words"] = pa.DictionaryArray.from_arrays(CODES, [*WORDS, *map(str, range(50))])


@pytest.mark.parametrize("name", STRINGS)
def test_strings_of_every_layout_are_compared_whole(name):
    words = {"spam": 1, "not sure": -1, "häm" * 9: 0, "": 2}
    cases = [compared(op, word) for op in ("==", "!=") for word in [*words, "ham", "no such word"]]
    cases += [among(list(words)), among(["é"]), among(["none"])]
    cases += [(lf.precomputed("x", words), lambda item, _: words.get(item, -1))]
    for threads in THREADS:
        assert_answers(cases, STRINGS[name], ANSWERS, n_threads=threads)
    report = cs.apply([cases[-1][0]], {"x": STRINGS[name]}, return_report=True)[1]
    assert report.unmapped == [sum(a is not None and a not in words for a in ANSWERS)]


@pytest.mark.parametrize(("mapping", "values", "want", "unmapped"), [
    ({1: 2, 0: -1}, [0, 1, None, 7], [-1, 2, -1, -1], 1),
    ({True: 1, False: 0}, [True, None, False], [1, -1, 0], 0),
    ({0.5: 1, np.inf: 0}, [0.5, np.nan, np.inf, None, 1.5], [1, -1, 0, -1, -1], 1),
    ({0.5: 1, 2: 0}, np.array([0, 2], "u1"), [-1, 0], 1), ({"a": 1}, pa.nulls(1), [-1], 0),
    ({np.str_("a"): np.int8(1)}, ["a", "b", None], [1, -1, -1], 1), ({1: 1}, [None], [-1], 0),
    ({np.float32(0.1): 1}, np.array([0.1, 0.2], "f4"), [1, -1], 1),
    ({DAY: 1}, np.array(["2020-02-29", "nat"], "M8[s]"), [1, -1], 0),
])  # fmt: skip
def test_precomputed_answers_are_taken_and_others_counted(mapping, values, want, unmapped):
    L, report = cs.apply([lf.precomputed("x", mapping)], {"x": values}, return_report=True)
    assert (L.to_dense().ravel().tolist(), report.unmapped) == (want, [unmapped])
    assert ("unmapped" in str(report)) == bool(unmapped)


# Every combination of values; functions by the column whose nulls make them unknown.
ROWS = list(itertools.product([None, 0, 1, 5], [None, np.nan, 0.1, 0.9], [None, "a", "b", "ab"]))
TABLE = dict(zip("nft", map(pa.array, zip(*ROWS, strict=True)), strict=True))
above_one = cs.labeling_function(lambda x: 1 if (x.n or 0) > 1 else -1)
LEAVES = [
    (lf.compare("n", "<", 3, 1), 0, lambda n: n < 3), (above_one, None, lambda row: row[0] == 5),
    (lf.keywords("t", ["a"], 1), 2, "a".__eq__), (lf.isin("n", [0], 1), 0, lambda n: n == 0),
    (lf.between("f", 0, 0.5, 1), 1, lambda f: f < 0.5), (lf.regex("t", "b$", 1), 2, "a".__ne__),
    (lf.is_null("n", 1), None, lambda row: row[0] is None),
    (lf.not_null("f", 1), None, lambda row: row[1] in (0.1, 0.9)),
    (lf.compare("t", "!=", "b", 1), 2, "b".__ne__),
    (lf.score("f", 0.5, 0.8, (-1, 1)), 1, lambda f: f > 0.8),
    (lf.precomputed("t", {"a": -1, "b": 1}), 2, "b".__eq__),
]  # fmt: skip


def grown(kids):
    several = st.tuples(st.sampled_from(["all_of", "any_of"]), st.lists(kids, min_size=1))
    return several | st.tuples(st.just("not_"), kids.map(lambda kid: [kid]))


def built(tree):
    if isinstance(tree, int):
        return LEAVES[tree][0]
    parts = [built(kid) for kid in tree[1]]
    return getattr(lf, tree[0])(parts[0] if tree[0] == "not_" else parts, 1)


def truth(tree, row):
    """Return True, False, or None where that is unknown (Kleene)."""
    if isinstance(tree, int):
        _, place, fact = LEAVES[tree]
        value = row if place is None else row[place]
        return fact(value) if value is not None and value == value else None
    truths = [truth(kid, row) for kid in tree[1]]
    if tree[0] == "not_":
        return None if truths[0] is None else not truths[0]
    settled = tree[0] == "any_of"
    return settled if settled in truths else None if None in truths else not settled


@pytest.mark.parametrize("n_leaves", [8, case("an answer of -1 is no vote", 11)])
@given(st.data())
def test_combinations_nest_and_know_what_is_unknown(n_leaves, data):
    leaf = st.integers(0, n_leaves - 1)
    trees = st.lists(st.recursive(leaf, grown, max_leaves=8), min_size=1, max_size=3)
    drawn = data.draw(st.lists(leaf, max_size=3, unique=True)) + data.draw(trees)
    L, report = cs.apply([built(tree) for tree in drawn], TABLE, return_report=True)
    want = np.array([[truth(tree, row) is True for tree in drawn] for row in ROWS])
    assert (L.to_dense() == np.where(want, 1, -1)).all()
    assert report.votes == want.sum(axis=0).tolist()


def test_a_combination_reports_what_its_parts_did():
    odd = cs.labeling_function(lambda x: x.n % 2, name="odd")
    inner = lf.all_of([odd, lf.precomputed("t", {"a": 1})], 1)
    plan = cs.LFPlan([lf.any_of([inner, odd], 1, name="whole"), lf.not_(inner, 1), inner, inner])
    report = cs.apply(plan, TABLE, on_error="abstain", return_report=True)[1]
    name = "all_of_odd_precomputed_t"
    assert plan.names == ("whole", f"not_{name}", name, f"{name}_2")
    assert (report.errors, report.unmapped) == ([32, 16, 16, 16], [32] * 4)
    assert report.votes == [48, 16 + 3 * 8, 12, 12]  # a row that raised is no vote
    assert all(e.startswith("row 0, Row(n=None, f=None, t=None)") for e in report.first_errors)


@pytest.mark.parametrize("cardinality", [None, case("parts do not vote", 2)])
def test_parts_may_vote_for_any_class(cardinality):
    parts = [cs.labeling_function(lambda x: 5), lf.compare("n", ">=", 0, 7)]
    L = cs.apply([lf.all_of(parts, 1)], {"n": [1, None]}, cardinality=cardinality)
    assert (L.to_dense().tolist(), L.cardinality) == ([[1], [-1]], 2)


def test_a_plan_runs_over_tables_of_several_types():
    lfs = [lf.compare("x", "<", 3, 1), lf.compare("x", "<", 3, 0), lf.isin("x", [2], 0, name="two")]
    plan = cs.LFPlan([*lfs, lf.not_(lfs[0], 1), lf.is_null("x", 1, name="compare_x_lt_3_2")])
    names = ("compare_x_lt_3", "compare_x_lt_3_3", "two", "not_compare_x_lt_3", "compare_x_lt_3_2")
    before = str(plan)
    assert (plan.names, len(plan), plan.report) == (names, 5, None)
    assert before.splitlines()[3].split() == ["two", "native", "x", "0"]
    for values in ([1, 2, None], np.array([1.5, np.nan]), pa.array([2, None], pa.uint8()), []):
        L, report = cs.apply(plan, {"x": values}, return_report=True)
        assert cs.apply(plan.lfs, {"x": values}) == L
        assert (plan.report, report.n_rows) == (report, len(values))
        assert str(plan) == f"{before}\n\n{report}"
        with pytest.raises(TypeError, match="must hold numbers, got text"):
            cs.apply(plan, {"x": ["a"]})


class Own(lf.LabelingFunction):
    def __init__(self, vote):
        super().__init__("own", "", None)
        self.vote = lambda block, **_: vote(block)


def test_a_class_of_the_users_votes_block_by_block():
    def firsts(block):  # of each block
        return BlockVotes(np.arange(2), np.array([3, block.start % 3], np.int16), 2, "why")

    parts = [Own(firsts), lf.not_(Own(firsts), 1)]
    L, report = cs.apply(parts, {"x": np.arange(70_000)}, return_report=True)
    votes = L.to_dense()
    assert np.flatnonzero(votes[:, 0] >= 0).tolist() == [0, 1, 32768, 32769, 65536, 65537]
    assert votes[32768:32771].tolist() == [[3, -1], [2, -1], [-1, 1]]
    assert (report.votes, report.errors, report.first_errors) == ([6, 69_994], [6] * 2, ["why"] * 2)


@pytest.mark.parametrize(("rows", "labels", "message"), [
    ([0, 2], [1, 1], r"'own': vote must return rows in 0..1 and labels of at least 0"),
    ([-1, 0], [1, 1], r"rows in 0..1"), ([0, 1], [-1, 0], r"labels of at least 0"),
    ([1, 0], [1, 1], r"ascending rows, got 0 late"), ([1, 1], [1, 1], r"rows, got 1 late"),
    ([0, 1], [0, 3], r"'own': row 1: the label must be in 0..2, got 3"),
    case("a label beyond every class", [0], [32767], r"the label must be"),
])  # fmt: skip
def test_votes_of_the_users_are_checked(rows, labels, message):
    own = Own(lambda _: BlockVotes(np.array(rows), np.array(labels, np.int16)))
    with pytest.raises(ValueError, match=message):
        cs.apply([own], {"x": [1, 2]}, cardinality=None if len(rows) == 1 else 3)


@pytest.mark.parametrize(("message", "make"), [
    ("low=2, high=1", lambda: lf.between("x", 2, 1, 1)), ("got 'a'", lambda: lf.not_("a", 1)),
    ("low must be a number, a bool, a date", lambda: lf.between("x", "a", "b", 1)),
    ("closed must be one of 'both', ", lambda: lf.between("x", 0, 1, 1, closed="l")),
    ("not be NaN", lambda: lf.isin("x", [1, np.nan], 1)),
    ("string 'abc'", lambda: lf.isin("x", "abc", 1)), ("got none", lambda: lf.isin("x", [], 1)),
    ("strings or all be numbers, got 'a' and 1", lambda: lf.isin("x", ["a", 1], 1)),
    ("one answer", lambda: lf.precomputed("x", {})), ("map", lambda: lf.precomputed("x", ["a"])),
    (r"mapping\['a'\] must be in 0..32766, got -2", lambda: lf.precomputed("x", {"a": -2})),
    ("answers of mapping must all", lambda: lf.precomputed("x", {"a": 1, 2: 1})),
    ("at least one labeling", lambda: lf.all_of([], 1)), ("at least one", lambda: cs.LFPlan([])),
    ("a list", lambda: lf.any_of(above_one, 1)), (r"s\[0\] must be", lambda: lf.any_of([1], 1)),
    (r"lfs\[1\] must be a labeling function", lambda: cs.LFPlan([above_one, len])),
    ("unique, got 'a' twice", lambda: cs.LFPlan([lf.is_null("x", 1, name="a")] * 2)),
    ("must hold strings", lambda: column(lf.is_null("x", 1), {"x": pa.array([{"a": 1}])})),
    ("must hold numbers", lambda: column(lf.compare("x", "<", 1, 1), {"x": ["a"]})),
    ("must hold text", lambda: column(lf.isin("x", ["a"], 1), {"x": [1]})),
    ("compared with dates, got 1", lambda: column(lf.isin("x", [1], 1), {"x": [DAY]})),
    ("must hold dates", lambda: column(lf.between("x", DAY, DAY, 1), {"x": [1]})),
    ("one dimension", lambda: column(lf.isin("x", [1], 1), {"x": np.ones((2, 2))})),
])  # fmt: skip
def test_errors_say_what_was_wrong(message, make):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize(("made", "values", "want"), [
    case("beyond int64 ns", lf.compare("x", ">", DAY, 1), np.array(["3000"], "M8[Y]"), [1]),
    case("big-endian dates", lf.isin("x", [DAY], 1), np.array([DAY], ">M8[D]"), [1]),
    case("big-endian floats", lf.compare("x", "<", 1, 1), np.array([0, 1], ">f4"), [1, -1]),
    case("long double", lf.compare("x", "<", 1, 1), np.array([0, 1], np.longdouble), [1, -1]),
    case("only nulls against dates", lf.compare("x", "<", DAY, 1), [None, None], [-1, -1]),
    case("a value beyond float64", lf.compare("x", "<", 10**400, 1), [0.5], [1]),
    case("float64's largest", lf.compare("x", ">", np.finfo("f8").max, 1), [0.5, np.inf], [-1, 1]),
    case("nanoseconds", lf.isin("x", [FINE], 1), np.array([FINE, FINE + 1]), [1, -1]),
    case("bounds alike in float16", lf.score("x", 0.9, 0.9001), np.array([1, 0.9], "f2"), None),
    case("integers beyond int64", lf.isin("x", [2**63 + 1], 1), [2**63 + 1, 2**63, 0], [1, -1, -1]),
])  # fmt: skip
def test_odd_columns_and_values_are_read_right(made, values, want):
    assert column(made, {"x": values}) == want or want is None
