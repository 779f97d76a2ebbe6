"""Core-sets: against NumPy's greedy loop, with outliers, large, and drawn."""

import functools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import coverset as cs
from coreset_examples import SETS, around_middles, measured, radius_of, same
from coreset_reference import farthest_first, nearest_centers
from coverset import _cpu
from coverset._rows import stored_rows
from neighbors_examples import normal


@pytest.mark.parametrize("name", SETS)
def test_rows_are_those_of_the_plain_loop(simd_level, name):
    X = SETS[name]()
    want = farthest_first(X, 150, start=7)
    for n_threads in (1, 2, 7):
        same(cs.k_center(X, 150, start=7, n_threads=n_threads), want)


@pytest.mark.parametrize("options", [
    {"initial": np.arange(0, 700, 7)},
    {"weights": np.random.default_rng(1).random(3000).astype("f4") * 5},
    {"n_outliers": 200},
    {"n_outliers": 30, "initial": [5, 9], "stop_radius": 4.0},
    {"stop_radius": 5.5},
])  # fmt: skip
def test_options_are_those_of_the_plain_loop(options):
    X = around_middles(3000, 24, 30)
    known = dict(options)
    if "weights" in known:
        known["start"] = int(np.argmax(known["weights"]))
    same(cs.k_center(X, 120, **options), farthest_first(X, 120, **known))


@pytest.mark.parametrize("name", ["mnist", "cifar10_resnet18", "letter"])
def test_real_embeddings_are_those_of_the_plain_loop(test_data, name):
    X = np.load(test_data / "embeddings" / f"{name}.npz")["X"][:4000].astype(np.float32)
    same(cs.k_center(X, 100), farthest_first(X, 100))


def test_double_precision_swaps_only_rows_within_the_stated_gap():
    X, k = normal(4000, 32), 200
    found = cs.k_center(X, k)
    nearest = np.full(len(X), np.inf)
    for i, row in enumerate(found.indices):
        if i:
            assert nearest[row] >= nearest.max() * (1 - 2 * (32 / 16 + 8) * 2.0**-23)
        nearest = np.minimum(nearest, ((X.astype("f8") - X[row].astype("f8")) ** 2).sum(axis=1))
        assert found.radii[i] == pytest.approx(np.sqrt(nearest.max()), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "cifar10_resnet18", "letter"])
def test_real_embeddings_in_full_are_those_of_the_eager_pass(test_data, name):
    X = np.load(test_data / "embeddings" / f"{name}.npz")["X"].astype(np.float32)
    k = len(X) // 10
    want = eagerly(X, k)
    same(cs.k_center(X, k), (want.indices, want.radii))


def test_rows_past_two_to_the_32_numbers_are_read(tmp_path):
    n, d = 5_000, 1_000_000  # 5e9 int8 numbers in a file that is mostly a hole
    data = np.memmap(tmp_path / "rows", mode="w+", dtype=np.int8, shape=(n, d))[::1200]
    for i in range(len(data)):
        data[i, :4] = (i * i) % 7 + 1
    rows = cs.Rows(data, np.ones(len(data), np.float32))
    want = farthest_first(data[:, :4].astype(np.float32), 4)
    same(cs.k_center(rows, 4), want)


def test_the_bad_row_is_named_among_many():
    X = np.ones((200_000, 2), np.float32)
    X[123_456, 1] = np.nan
    with pytest.raises(ValueError, match="X must be finite, row 123456 has nan in column 1"):
        cs.k_center(X, 3)


# --- groups, weights, outliers --------------------------------------------------------------------


def test_groups_are_covered_by_rows_of_their_own():
    X, groups = around_middles(900, 6, 9), np.arange(900) % 3 * 5
    found = cs.k_center(X, 60, groups=groups)
    assert np.array_equal(np.bincount(groups[found.indices])[[0, 5, 10]], [20, 20, 20])
    radii = []
    for group in (0, 5, 10):
        own = np.flatnonzero(groups == group)
        alone = cs.k_center(X[own], 20)
        taken = found.indices[groups[found.indices] == group]
        assert np.array_equal(taken, own[alone.indices])
        radii.append(alone.radii[-1])
    assert found.radii[-1] == max(radii)
    assert np.isinf(found.radii[:2]).all()
    assert (np.diff(found.radii[2:]) <= 0).all()


def test_budgets_go_to_groups_that_have_rows():
    X, groups = normal(20, 3), np.repeat([1, 2, 3], [2, 5, 13])
    count = lambda found: np.bincount(groups[found.indices], minlength=4)[1:].tolist()  # noqa: E731
    assert count(cs.k_center(X, 11, groups=groups)) == [2, 5, 4]
    assert count(cs.k_center(X, 7, groups=groups)) == [2, 3, 2]
    assert count(cs.k_center(X, {3: 4, 2: 1}, groups=groups)) == [0, 1, 4]
    with pytest.raises(ValueError, match=r"k\[1\] must be in 0..2, got 3"):
        cs.k_center(X, {1: 3}, groups=groups)
    with pytest.raises(ValueError, match="k must have groups that occur, got group 9"):
        cs.k_center(X, {9: 1}, groups=groups)


def test_planted_outliers_do_not_widen_the_radius():
    clean, rng = around_middles(4000, 16, 40), np.random.default_rng(3)
    far = (rng.standard_normal((40, 16)) * 400).astype("f4")
    X = np.concatenate([clean, far])[rng.permutation(4040)]
    robust = cs.k_center(X, 80, n_outliers=40)
    assert robust.radii[-1] <= 1.1 * cs.k_center(clean, 80).radii[-1]
    assert robust.radii[-1] == pytest.approx(radius_of(X, robust.indices, 40), rel=1e-5)
    few = cs.k_center(X, 40, n_outliers=40)
    assert cs.k_center(X, 40).radii[-1] > 2 * few.radii[-1]


def test_weights_stay_within_three_times_the_best():
    rng = np.random.default_rng(5)
    for _ in range(20):
        X, weights = rng.random((9, 2)).astype("f4"), rng.random(9).astype("f4") + 0.1
        distances = cdist(X, X) * weights[:, None]
        best = min(
            distances[:, [a, b]].min(axis=1).max() for a in range(9) for b in range(a)
        )  # fmt: skip
        assert cs.k_center(X, 2, weights=weights).radii[-1] <= 3 * best * (1 + 1e-6)


def test_assignment_is_the_nearest_center():
    X = around_middles(2000, 8, 20)
    found = cs.k_center(X, 30, initial=[4, 900], assign=True)
    centers = np.concatenate([[4, 900], found.indices])
    distances = cdist(X.astype("f8"), X[centers].astype("f8"))
    assert np.array_equal(found.assignment, centers[distances.argmin(axis=1)])
    angles = cs.k_center(X, 30, metric="cosine", assign=True)
    unit = X / np.linalg.norm(X.astype("f8"), axis=1, keepdims=True)
    near = cdist(unit, unit[angles.indices])
    assert np.array_equal(angles.assignment, angles.indices[near.argmin(axis=1)])
    assert angles.radii[-1] == pytest.approx(near.min(axis=1).max(), rel=1e-5)


# --- projections ----------------------------------------------------------------------------------


def of_rank(rank, n=12_000, d=256):
    """Rows near a plane of so many dimensions."""
    rng = np.random.default_rng([rank, n, d])
    near = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d))
    return (near + 0.01 * rng.standard_normal((n, d))).astype("f4")


@functools.cache
def of_low_rank():
    """Rows near a plane, and what the plain loop takes of them."""
    X = of_rank(10)
    want = eagerly(X, 6000)
    return X, (want.indices, want.radii)


def eagerly(X, k):
    with measured("eager"):
        return cs.k_center(X, k)


def test_projections_are_taken_where_they_pay(simd_level):
    X, want = of_low_rank()
    found = cs.k_center(X, 6000)
    same(found, want)
    with measured("whole"):
        whole = cs.k_center(X, 6000)
    same(whole, want)
    assert (found.stats["projection"], whole.stats["projection"]) == (10, 0)
    assert found.stats["coordinates"] < whole.stats["coordinates"] / 4


def test_rows_are_assigned_by_projections_as_by_an_index():
    X, _ = of_low_rank()
    found = cs.k_center(X, 6000, assign=True)
    index = cs.FlatIndex().fit(X[found.indices])
    assert np.array_equal(found.assignment, found.indices[index.search(X, 1).indices[:, 0]])


def test_projections_are_not_taken_where_rows_have_no_plane():
    found = cs.k_center(normal(24_000, 256), 3000)
    assert found.stats["projection"] == 0


def test_projections_are_given_up_where_they_only_seemed_to_pay():
    X = normal(24_000, 256)  # of which the first centers show nothing
    plane = of_rank(10, 24_000) * np.float32(8)
    tried = np.unique(np.concatenate([np.arange(512) * 24_000 // 512, np.arange(0, 24_000, 187)]))
    X[tried] = plane[tried]
    found, want = cs.k_center(X, 3000), eagerly(X, 3000)
    same(found, (want.indices, want.radii))
    assert found.stats["projection"] == 0
    assert cs.k_center(X, 3000, stop_radius=100.0).stats["projection"] > 0  # as they were at first


def test_rows_that_cannot_be_normalized_are_measured():
    X = of_rank(3, 500, 40)
    X[::7] *= np.float32(1e17)
    X[3::7] *= np.float32(1e-22)
    want = farthest_first(X, 80)
    with measured("projection"):
        same(cs.k_center(X, 80), want)


# --- passes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    {},
    {"n_outliers": 2000},
    {"initial": np.arange(0, 6000, 60)},
    {"weights": np.arange(6000) % 7 / 6},
])  # fmt: skip
def test_rows_in_line_are_passed_over_as_in_the_plain_loop(simd_level, options):
    X = np.sort(normal(6000, 48), axis=0)  # every center is nearer to half of what is left
    known = dict(options)
    if "weights" in known:
        known["weights"] = known["weights"].astype("f4")
        known["start"] = int(np.argmax(known["weights"]))
    want = farthest_first(X, 90, **known)
    for n_threads in (1, 2, 7):
        found = cs.k_center(X, 90, n_threads=n_threads, **options)
        same(found, want)
    if not options:
        assert found.stats["bytes"] > 15 * X.nbytes  # passes were made


def test_rows_that_are_all_one_take_no_work():
    stats = cs.k_center(np.ones((20_000, 32), "f4"), 5000).stats
    assert stats["distances"] == 20_000
    assert stats["products"] == 0


# --- at the ends of ranges ------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["best", "whole", "projection"])
@pytest.mark.parametrize(("n", "some", "n_outliers"), [
    (531, 87, 0), (589, 90, 0), (1000, 60, 300), (2000, 100, 1000), (40, 7, 3),
])  # fmt: skip
def test_rows_are_taken_where_bounds_bunch_at_one_value(strategy, n, some, n_outliers):
    X = np.zeros((n, 64), np.float32)
    X[:some] = np.random.default_rng(23).standard_normal((some, 64))
    k = (n - n_outliers) // 2
    want = farthest_first(X, k, n_outliers=n_outliers)
    for n_threads in (1, 2):
        with measured(strategy):
            same(cs.k_center(X, k, n_outliers=n_outliers, n_threads=n_threads), want)


@pytest.mark.parametrize("n_outliers", [0, 3000])
def test_hundreds_of_thousands_of_rows_at_one_key_are_told_apart_by_number(n_outliers):
    X = np.zeros((300_000, 2), np.float32)
    X[:, 0] = np.arange(300_000) % 5  # rows 60,000 times each
    want = farthest_first(X, 12, n_outliers=n_outliers)
    same(cs.k_center(X, 12, n_outliers=n_outliers), want)


def far_out(n=2000, d=16):
    """Small rows, and seven so long that their products overflow, which no sample meets."""
    X = normal(n, d) * np.float32(1.4 * 2.0**-20)
    out = np.setdiff1d(np.arange(n), np.arange(1024) * n // 1024)[:7]
    X[out] = np.eye(7, d) * 2.0 ** (63.65 - 18) * (1 + np.arange(7)[:, None] * 0.01)
    return X, out


@pytest.mark.parametrize("strategy", ["best", "whole", "projection", "eager"])
def test_products_that_overflow_rule_nothing_out(simd_level, strategy):
    X, out = far_out()
    nearest = np.empty(len(X), np.int64)
    _cpu.assign_nearest(*stored_rows("X", X), False, out, nearest, 2)
    assert np.array_equal(nearest, nearest_centers(X, out))
    with measured(strategy):
        same(cs.k_center(X, 9, initial=out), farthest_first(X, 9, initial=out))
        assert len(cs.k_center(X, 1, initial=out, stop_radius=1e19)) == 0
        same(cs.k_center(X, 40), farthest_first(X, 40))


def test_the_nearest_center_may_be_one_whose_square_overflows(simd_level):
    rng = np.random.default_rng(5)
    X = (rng.standard_normal((2000, 8)) * 2.0**-20).astype("f4")
    out = np.setdiff1d(np.arange(2000), np.arange(1024) * 2000 // 1024)[:66]
    X[out] = rng.standard_normal((66, 8)) * 2.0**44
    centers, row = out[:65], out[65]
    X[centers[64]] = 2 * X[row]
    X[centers[:64]] = -3 * X[row]
    nearest = np.empty(len(X), np.int64)
    _cpu.assign_nearest(*stored_rows("X", X), False, centers, nearest, 1)
    assert np.array_equal(nearest, nearest_centers(X, centers))


def test_radii_that_underflow_meet_the_stop_radius():
    X = np.float32([[0], [1e-20], [2e-20], [4e-20]])
    found = cs.k_center(X, 4, weights=np.full(4, 1e-30, "f4"), stop_radius=0.0)
    assert (len(found), found.radii.tolist()) == (1, [0.0])


def test_long_rows_of_a_few_do_not_slow_the_rest():
    X = of_rank(10, 6000, 64)
    X[[5, 1700, 4000]] *= np.float32(1e12)
    found = cs.k_center(X, 600)
    same(found, farthest_first(X, 600))
    assert found.stats["distances"] < 100 * len(X)  # those that came first are met by all


# --- progress -------------------------------------------------------------------------------------


def told(X, k, **options):
    seen = []
    cs.k_center(X, k, progress=lambda done, total: seen.append((done, total)), **options)
    return seen


def test_progress_is_told_of_rows_taken():
    X = normal(150_000, 64)
    seen = told(X, 2500)
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert seen[-1] == (2500, 2500)
    assert told(X[:200], 20, groups=np.arange(200) % 4)[-1] == (20, 20)
    assert told(iter([X[:300], X[300:500]]), 20) == [(300, None), (500, None)]
    cs.k_center(X[:100], 5, progress=True)


def test_an_error_of_progress_ends_the_run():
    def stop(done, total):
        raise LookupError(done)

    X = normal(150_000, 64)
    with pytest.raises(LookupError):
        cs.k_center(X, 4000, progress=stop)
    assert len(cs.k_center(X, 5)) == 5


# --- the object -----------------------------------------------------------------------------------


def test_work_is_counted():
    X = normal(20_000, 16)
    stats = cs.k_center(X, 100).stats
    assert set(stats) == {
        "distances",
        "products",
        "coordinates",
        "bytes",
        "refreshes",
        "projection",
    }
    assert 20_000 <= stats["distances"] < 20_000 * 100 / 4
    assert stats["coordinates"] >= 16 * (stats["distances"] + stats["products"])
    assert stats["bytes"] >= X.nbytes
    assert stats == cs.k_center(X, 100).stats


def test_the_old_name_of_a_count_warns_and_reads_it():
    stats = cs.k_center(np.eye(4, dtype=np.float32), 2).stats
    with pytest.warns(FutureWarning, match=r'stats\["prefix"\] is now stats\["projection"\]'):
        assert stats["prefix"] == stats["projection"]
    with pytest.raises(KeyError, match="other"):
        stats["other"]
