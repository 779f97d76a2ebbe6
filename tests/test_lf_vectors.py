"""Functions over vectors, sparse and dense: linear ones and those of prototypes, against NumPy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import coverset as cs
from lf_examples import THREADS, column

lf = cs.lf


def case(what, *values):
    return pytest.param(*values, id=what)


def votes(lfs, values, **options):
    return cs.apply(lfs, {"x": values}, **options).to_dense()


def assert_linear(matrix, functions, **options):
    """Compare functions of (weights by feature, bias) with sums as documented, and with SciPy."""
    lfs = [lf.linear("x", w, bias, i) for i, (w, bias) in enumerate(functions)]
    got = votes(lfs, matrix, **options) >= 0
    rows, dense = matrix.tocsr(), np.zeros((matrix.shape[1], len(functions)))
    spans = [slice(*rows.indptr[i : i + 2]) for i in range(rows.shape[0])]
    for j, (weights, bias) in enumerate(functions):
        products = rows.data * np.array([weights.get(f, 0.0) for f in rows.indices.tolist()])
        sums = [np.cumsum([0.0, *products[span]])[-1] for span in spans]  # in order
        np.testing.assert_array_equal(got[:, j], np.array(sums) + bias >= 0)
        dense[list(weights), j] = list(weights.values())
    scores = rows.astype(float) @ dense + [bias for _, bias in functions]
    clear = np.abs(scores) > 1e-9
    np.testing.assert_array_equal(got[clear], scores[clear] >= 0)


def random_weights(rng, d, most=4000):
    chosen = rng.permutation(d)[: rng.integers(0, min(d, most) + 1)]
    return dict(zip(chosen.tolist(), rng.choice([-2.0, -0.1, 0.1, 0.2, 1.0], d), strict=False))


def unsorted(rng, n, d, dtype):
    """CSR as it may come: columns in any order, some twice, zeros kept, rows without entries."""
    lengths = rng.choice([0, 1, 2, 3, 6, 20, 63, 64, 65, 129], n, p=[0.2] * 4 + [0.2 / 6] * 6)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.choice([0.0, 0.1, 0.2, 0.3, -1.0, 1.0, 3.0], indptr[-1]).astype(dtype)
    return sp.csr_array((values, rng.integers(0, d, indptr[-1]), indptr), shape=(n, d))


@given(st.integers(0, 2**32 - 1), st.sampled_from(["f4", "f8"]), st.sampled_from(["i4", "i8"]))
@settings(max_examples=30)
def test_linear_functions_add_as_documented(seed, dtype, index):
    rng = np.random.default_rng(seed)
    matrix = unsorted(rng, int(rng.integers(0, 30)), int(rng.integers(1, 300)), dtype)
    matrix.indptr, matrix.indices = matrix.indptr.astype(index), matrix.indices.astype(index)
    biases = rng.choice([0.0, -0.0, -0.3, 0.3, -1e-17, 1.0], rng.integers(1, 40)).tolist()
    most = int(rng.choice([2, 4000]))
    assert_linear(matrix, [(random_weights(rng, matrix.shape[1], most), b) for b in biases])


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u8", "?"])
def test_every_sparse_format_and_type_is_read(kind, dtype):
    rng = np.random.default_rng(1)
    dense = (rng.integers(-3, 4, (40, 12)) * (rng.random((40, 12)) < 0.3)).astype(dtype)
    functions = [(random_weights(rng, 12), bias) for bias in (0.0, -0.2, 0.1)]
    for make in (getattr(sp, f"{kind}_array"), getattr(sp, f"{kind}_matrix")):
        assert_linear(make(dense), functions)


@pytest.mark.parametrize("n", [0, 1, 2047, 2048, 2049, 6000])
def test_levels_and_threads_agree_on_sums_at_the_ends_of_blocks(simd_level, n):
    rng = np.random.default_rng(n)
    for threads, d in zip(THREADS, (40, 40, 4000), strict=True):
        functions = [(random_weights(rng, d, 60), bias) for bias in (0.0, -0.5, 0.5)]
        assert_linear(unsorted(rng, n, d, "f4"), functions, n_threads=threads)


def test_a_sum_of_exactly_zero_fires_and_so_does_a_row_without_weighted_features():
    rows = {"x": sp.csr_array([[1.0, 1, 0], [0.1, 0.1, 5], [0, 0, 7], [0, 0, 0], [2, 1, 0]])}
    assert column(lf.linear("x", {0: -1, 1: 1}, 0, 1), rows) == [1, 1, 1, 1, -1]
    assert column(lf.linear("x", {0: -1, 1: 1}, -1e-300, 1), rows) == [-1] * 5
    assert column(lf.linear("x", {0: 3, 1: -1}, -3, 1), rows) == [-1, -1, -1, -1, 1]
    assert column(lf.linear("x", {}, 0, 1), rows) == [1] * 5


def test_weights_come_as_mapping_array_or_sparse_row():
    rows = sp.csr_array(np.random.default_rng(2).integers(-2, 3, (50, 4)).astype("f4"))
    flat = [0.5, 0, -1, 0]
    mappings = [{0: 0.5, 2: -1}, {np.int64(2): np.float32(-1), np.int8(0): 0.5, 3: 0}]
    for weights in (*mappings, flat, np.array([flat], "f4").T, sp.csr_array([flat])):
        got = votes([lf.linear("x", weights, -0.5, 1)], rows).ravel() == 1
        np.testing.assert_array_equal(got, rows @ np.array(flat) - 0.5 >= 0)


def canonical(a, b, gaps=False):
    """Return sums of 16 lanes as documented (canonical.hpp): every step rounds to float32."""
    terms = (a - b) ** 2 if gaps else a * b
    terms = np.pad(terms, [(0, 0)] * (terms.ndim - 1) + [(0, -terms.shape[-1] % 16)])
    sums = np.zeros((*terms.shape[:-1], 16), "f4")
    for first in range(0, terms.shape[-1], 16):
        sums = sums + terms[..., first : first + 16]
    for half in (8, 4, 2, 1):
        sums = sums[..., :half] + sums[..., half:]
    return sums[..., 0].astype(float)


def exactly_near(rows, prototypes, threshold, metric):
    """Return whether rows are near any prototype, by the canonical distance."""
    sums = canonical(rows[:, None], prototypes, metric == "euclidean")
    if metric == "euclidean":
        return (sums <= threshold * threshold).any(axis=1)
    lengths, own = (np.sqrt(canonical(a, a)) for a in (prototypes, rows))
    return (sums >= threshold * lengths * own[:, None]).any(axis=1) & (own > 0)


def clearly_near(rows, prototypes, threshold, metric):
    """Return the float64 answer, and where it is farther than rounding from the threshold."""
    rows, prototypes = rows.astype(float), prototypes.astype(float)
    if metric == "euclidean":
        value = -np.linalg.norm(rows[:, None] - prototypes[None], axis=2).min(axis=1)
        return value >= -threshold, np.abs(value + threshold) > 1e-5 * (1 + threshold)
    norms = np.linalg.norm(rows, axis=1)
    unit = prototypes / np.linalg.norm(prototypes, axis=1)[:, None]
    value = (rows @ unit.T).max(axis=1) / np.where(norms > 0, norms, 1)
    return (value >= threshold) & (norms > 0), (np.abs(value - threshold) > 1e-5) | (norms == 0)


def embedded(rng, n, d):
    """Random rows, every seventh of them zero, and prototypes near some."""
    rows = rng.standard_normal((n, d)).astype("f4") * (np.arange(n) % 7 != 6)[:, None]
    near = rows[rng.integers(0, n, 5)] + rng.standard_normal((5, d)) * 0.5
    return rows, (near + (near == 0)).astype("f4")


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("d", [1, 3, 16, 17, 100, 768])
def test_near_rows_are_those_of_float64_on_every_level_and_thread_count(simd_level, d, metric):
    rows, prototypes = embedded(np.random.default_rng(d), 259, d)
    scales = (-0.5, 0.3, 0.8) if metric == "cosine" else (0.0, 0.8 * d**0.5, 1.4 * d**0.5)
    cases = [(prototypes[i:], t) for i, t in enumerate(scales)]
    lfs = [lf.similar("x", p, t, 1, metric=metric) for p, t in cases]
    got = votes(lfs, rows, n_threads=1) == 1
    for threads in THREADS[1:]:
        np.testing.assert_array_equal(votes(lfs, rows, n_threads=threads) == 1, got)
    for j, (p, t) in enumerate(cases):
        want, clear = clearly_near(rows, p, t, metric)
        np.testing.assert_array_equal(got[clear, j], want[clear])
        np.testing.assert_array_equal(got[:, j], exactly_near(rows, p, t, metric))
    one_by_one = [votes(lfs, rows[i : i + 1])[0] == 1 for i in range(60)]
    np.testing.assert_array_equal(got[:60], one_by_one)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 15, 33]), st.booleans())
def test_thresholds_at_a_row_s_own_distance_are_decided_by_the_canonical_sum(seed, d, gaps):
    rows, prototypes = embedded(np.random.default_rng(seed), 20, d)
    sums = canonical(rows[:, None], prototypes, gaps).ravel()[:9]
    metric = "euclidean" if gaps else "cosine"
    thresholds = np.sqrt(sums) if gaps else np.clip(sums / d, -1, 1)
    lfs = [lf.similar("x", prototypes, t, 1, metric=metric) for t in thresholds]
    want = [exactly_near(rows, prototypes, t, metric) for t in thresholds]
    np.testing.assert_array_equal(votes(lfs, rows) == 1, np.stack(want, axis=1))


def test_small_whole_numbers_are_decided_exactly():
    rows = {"x": np.array([[3, 4], [4, 3], [-3, -4], [0, 0], [6, 8]], "f4")}
    for metric, threshold, want in [
        ("cosine", 0.96, [1, 1, -1, -1, 1]), ("euclidean", 0, [1, -1, -1, -1, -1]),
        ("cosine", 1.0, [1, -1, -1, -1, 1]), ("euclidean", 5, [1, 1, -1, 1, 1]),
        ("cosine", -1.0, [1, 1, 1, -1, 1]), ("euclidean", np.inf, [1, 1, 1, 1, 1]),
    ]:  # fmt: skip
        assert column(lf.similar("x", [3, 4], threshold, 1, metric=metric), rows) == want


def test_l2_is_an_old_name():
    with pytest.warns(FutureWarning, match="metric 'l2' is deprecated .* use 'euclidean'"):
        old = lf.similar("x", [3, 4], 5, 1, metric="l2")
    rows = {"x": np.array([[3, 4], [-3, -4], [0, 0]], "f4")}
    assert column(old, rows) == [1, -1, 1]
    new = lf.similar("x", [3, 4], 5, 1, metric="euclidean")
    assert (old.name, old.shares) == (new.name, new.shares)
    with pytest.raises(ValueError, match="metric must be one of 'cosine', 'euclidean', got 'L2'"):
        lf.similar("x", [3, 4], 5, 1, metric="L2")


def test_functions_of_many_prototypes_and_both_metrics_share_a_column():
    rng = np.random.default_rng(5)
    rows, many = embedded(rng, 300, 24)[0], rng.standard_normal((1000, 24), "f4")
    cases = [(many[:1], 4.5, "euclidean"), (many, 0.6, "cosine"), (many, 4.5, "euclidean")]
    lfs = [lf.similar("x", p, threshold, 1, metric=metric) for p, threshold, metric in cases]
    want = np.stack([exactly_near(rows, *case) for case in cases], axis=1)
    np.testing.assert_array_equal(votes(lfs, rows) == 1, want)


EIGHTHS = np.random.default_rng(3).integers(-20, 20, (70, 17)) / 8  # exact in every float type
ARROW = pa.array(EIGHTHS.ravel())


def listed(make, kind):
    """Return a sliced Arrow column of vectors, with a null before and after."""
    offsets = pa.array([0, 0, *range(17, 17 * 71, 17), 17 * 70], pa.int64())
    mask = pa.array([True, *[False] * 70, True])
    return pa.LargeListArray.from_arrays(offsets, ARROW, mask=mask).cast(make(kind)).slice(1, 70)


KINDS = (pa.float16(), pa.float32(), pa.float64())
FORMS = {f"{m.__name__} {k}": listed(m, k) for m in (pa.list_, pa.large_list) for k in KINDS}
FORMS |= {f"fixed {k}": pa.FixedSizeListArray.from_arrays(ARROW.cast(k), 17) for k in KINDS}
FORMS |= {f"numpy {code}": EIGHTHS.astype(code) for code in ("f2", "f4", "f8", ">f4", "g")}
FORMS["fortran"] = np.asfortranarray(EIGHTHS, "f4")
FORMS["strided"] = EIGHTHS.astype("f4").repeat(2, axis=1).repeat(2, axis=0)[::2, ::2]
FORMS["backwards"] = EIGHTHS[::-1, ::-1].astype("f4")[::-1, ::-1]
FORMS |= {"lists": EIGHTHS.tolist(), "list of arrays": list(EIGHTHS)}
FORMS["objects"] = pa.array(EIGHTHS.tolist()).to_numpy(zero_copy_only=False)
FORMS["chunks"] = pa.chunked_array([FORMS["fixed float"][:9], FORMS["fixed float"][9:]])
FORMS["slice"] = pa.concat_arrays([FORMS["fixed float"][:3], FORMS["fixed float"]]).slice(3)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_vectors_of_every_layout_give_the_same_answers(name, metric):
    made = lf.similar("x", EIGHTHS[5:8], 0.3 if metric == "cosine" else 8, 1, metric=metric)
    want = column(made, {"x": EIGHTHS.astype("f4").copy()})
    assert 3 < want.count(1) < 67
    assert column(made, {"x": FORMS[name]}) == want


NESTED = [[1.0, 0.0], None, [0.0, 1.0]]
MASK = pa.array([False, True, False])
FIXED = pa.FixedSizeListArray.from_arrays(pa.array([1, 0, np.nan, 9.0, 0, 1]), 2, mask=MASK)
TENSOR = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float64(), (2,)), FIXED)
ROOM = pa.ListArray.from_arrays([0, 2, 3, 5], pa.array([1.0, 0, 9, 0, 1]), mask=MASK)


@pytest.mark.parametrize("values", [
    pa.array(NESTED, pa.list_(pa.float32())), pa.array(NESTED, pa.large_list(pa.float64())), FIXED,
    case("fixed-size lists made of Python's", pa.array(NESTED, pa.list_(pa.float32(), 2))),
    case("nulls that take room in the list", ROOM),
    case("a null elsewhere", pa.array([*NESTED, [None, 1.0]], pa.list_(pa.float32())).slice(0, 3)),
    case("null tests of lists", NESTED), case("null tests of tensors", TENSOR),
    case("null tests of objects", np.array([np.array([1.0, 0]), None, np.array([0, 1.0])], object)),
])  # fmt: skip
def test_a_null_among_vectors_is_unknown(values):
    near = lf.similar("x", [1, 0], 0.5, 1)
    lfs = [near, lf.not_(near, 1), lf.is_null("x", 1), lf.not_null("x", 1)]
    assert votes(lfs, values).tolist() == [[1, -1, -1, 1], [-1, -1, 1, -1], [-1, 1, -1, 1]]


@pytest.mark.parametrize("values", [[None, None], case("a null column", pa.nulls(2))])
def test_a_column_of_nulls_has_no_vectors(values):
    assert column(lf.similar("x", [1, 0], 0.5, 1), {"x": values}) == [-1, -1]


@pytest.mark.parametrize("code", ["f2", "f4", "f8"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_named(code, bad):
    rows = np.ones((700, 3), code)
    rows[645, 2] = bad
    whole = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 3)
    chunks = pa.table({"x": pa.chunked_array([whole[:300], whole[300:]])})
    for table, metric in [({"x": rows}, "cosine"), (chunks, "euclidean")]:
        with pytest.raises(ValueError, match=f"row 645 holds {bad}"):
            cs.apply([lf.similar("x", [1, 1, 1], 0.5, 1, metric=metric)], table)


EYE = sp.eye_array(3, format="csr")
BROKEN, WIDE = EYE.copy(), sp.csr_array(np.eye(3, 4000))
BROKEN.indices[1], WIDE.indices[1] = 3, -1


@pytest.mark.parametrize(("make", "values", "message"), [
    (lambda: lf.similar("x", [1], 0.5, 1), np.array([[1], [1e20]], "f4"), "norm .* row 1 is not"),
    (lambda: lf.similar("x", [1], 0.5, 1), np.ones((3, 2), "f4"), "of column 'x', 2, got 1"),
    (lambda: lf.similar("x", [1], 0.5, 1), [[1.0], [1.0, 2.0]], "one length, got shapes"),
    (lambda: lf.similar("x", [1], 0.5, 1), pa.array([[1.0], [1.0, 2.0]]), "row 1 has 2, not 1"),
    (lambda: lf.similar("x", [1], 0.5, 1), pa.array([[1.0], [None]]), "must hold no nulls"),
    case("overflow warns", lambda: lf.similar("x", [1], 0.5, 1), np.array([[1e99]]), "row 0"),
    (lambda: lf.linear("x", {3: 1}, 0, 1), EYE, "'linear_x'.* features below 3, .* got 3"),
    case("columns unchecked", lambda: lf.linear("x", {0: 1}, 0, 1), BROKEN, "in 0..2, .* row 1"),
    (lambda: lf.linear("x", {0: 1}, 0, 1), WIDE, "must be in 0..3999, those of row 1 are not"),
    (lambda: lf.linear("x", [1.0, 2], 0, 1), EYE, "must be 3, one a feature"),
    (lambda: lf.linear("x", {0: 1}, 0, 1), [[1.0]], "in a dict of columns, got list"),
    case("numbers of a sparse column", lambda: lf.compare("x", "<", 1, 1), EYE, "'compare_x.*'x'"),
    (lambda: lf.similar("x", [0.0, 0], 0.5, 1), None, "must not have norm 0 under the cosine"),
    (lambda: lf.similar("x", [[1.0], [np.nan]], 0.5, 1), None, "must be finite, .* row 1 is not"),
    (lambda: lf.similar("x", [1e20], 0.5, 1), None, "and so their squared norms, row 0 is not"),
    (lambda: lf.similar("x", [1.0], 1.01, 1), None, r"in -1..1 for 'cosine', got 1.01"),
    (lambda: lf.linear("x", {0: np.inf}, 0, 1), None, "weights and bias must be finite"),
    (lambda: lf.linear("x", {-1: 1}, 0, 1), None, r"features in 0..2147483647, got \[-1\]"),
])  # fmt: skip
def test_what_cannot_be_read_is_refused(make, values, message):
    with pytest.raises((ValueError, TypeError), match=message):
        column(make(), {"x": values})


@pytest.mark.parametrize(("prototype", "threshold", "row", "want"), [
    case("a row is as near to itself as can be", [1, 1], 1.0, [1, 1], 1),
    case("a prototype too short for float32", [1e-25, 0], 0.9, [1, 9], -1),
])  # fmt: skip
def test_cosines_near_the_limits_of_float32(prototype, threshold, row, want):
    assert column(lf.similar("x", prototype, threshold, 1), {"x": np.array([row], "f4")}) == [want]


def test_python_functions_run_beside_a_sparse_column():
    whole, table = cs.labeling_function(lambda x: 1 // x.n), {"x": EYE, "n": [1, 0, 1]}
    assert column(whole, table, on_error="abstain") == [1, -1, 1]
