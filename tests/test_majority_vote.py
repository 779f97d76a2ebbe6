from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
from coverset import _cpu


def matrix(L, k=None):
    return cs.LabelMatrix.from_dense(np.asarray(L), k)


@st.composite
def votes(draw):
    k = draw(st.integers(1, 6))
    shape = (draw(st.integers(0, 20)), draw(st.integers(0, 9)))
    return draw(hnp.arrays(np.int64, shape, elements=st.integers(-1, k - 1))), k


def shares(row, k):
    """The share of a row's votes for each class, as fractions."""
    given = [label for label in row if label >= 0]
    return [Fraction(given.count(y), len(given)) if given else Fraction(1, k) for y in range(k)]


@given(votes())
def test_probabilities_are_vote_shares_to_the_last_bit(problem):
    L, k = problem
    proba = cs.MajorityVote().fit(matrix(L, k)).predict_proba(matrix(L, k))
    want = [[float(share) for share in shares(row, k)] for row in L.tolist()]
    assert proba.dtype == np.float32
    np.testing.assert_array_equal(proba, np.reshape(want, (len(L), k)).astype(np.float32))


@given(votes(), st.integers(0, 2**63 - 1))
def test_policies(problem, seed):
    L, k = problem
    model = cs.MajorityVote(seed=seed).fit(matrix(L, k))
    by_policy = {
        policy: model.predict(matrix(L, k), policy) for policy in ("abstain", "lowest", "random")
    }
    np.testing.assert_array_equal(model.predict(matrix(L, k)), by_policy["abstain"])
    for i, row in enumerate(L.tolist()):
        share = shares(row, k)
        tied = [y for y in range(k) if share[y] == max(share)]
        no_votes = all(label < 0 for label in row)
        assert by_policy["abstain"][i] == (-1 if no_votes or len(tied) > 1 else tied[0])
        assert by_policy["lowest"][i] == tied[0]
        assert by_policy["random"][i] in tied


def test_worked_by_hand():
    L = matrix([[1, 1, 0, -1], [2, 0, -1, -1], [-1, -1, -1, -1], [2, -1, -1, -1]])
    model = cs.MajorityVote().fit(L)
    np.testing.assert_allclose(
        model.predict_proba(L),
        [[1 / 3, 2 / 3, 0], [1 / 2, 0, 1 / 2], [1 / 3, 1 / 3, 1 / 3], [0, 0, 1]],
        rtol=1e-7,
    )
    assert model.predict(L).tolist() == [1, -1, -1, 2]
    assert model.predict(L, "lowest").tolist() == [1, 0, 0, 2]
    assert model.predict(L).dtype == np.int16


def test_random_draws_are_uniform_over_tied_classes_and_follow_the_seed():
    n = 30_000
    L = matrix(np.tile([0, 2, 2, 3, 3, 0], (n, 1)), 4)  # 0, 2 and 3 tie, 1 has no vote
    drawn = cs.MajorityVote(seed=1).fit(L).predict(L, "random")
    counts = np.bincount(drawn, minlength=4)
    assert counts[1] == 0
    # 5 standard deviations of a binomial count
    np.testing.assert_allclose(counts[[0, 2, 3]], n / 3, atol=5 * np.sqrt(n * 2 / 9))
    again = cs.MajorityVote(seed=1).fit(L).predict(L, "random")
    other = cs.MajorityVote(seed=2).fit(L).predict(L, "random")
    np.testing.assert_array_equal(drawn, again)
    # an independent draw agrees on a third of the rows
    assert abs((drawn == other).mean() - 1 / 3) < 5 * np.sqrt(2 / 9 / n)
    # nor does a row follow the row before it
    assert abs((drawn[1:] == drawn[:-1]).mean() - 1 / 3) < 5 * np.sqrt(2 / 9 / n)


def test_rows_without_votes_are_drawn_from_all_classes_or_the_lowest():
    L = matrix(np.full((300, 2), -1), 3)
    model = cs.MajorityVote().fit(L)
    assert set(model.predict(L).tolist()) == {-1}
    assert set(model.predict(L, "lowest").tolist()) == {0}
    assert set(model.predict(L, "random").tolist()) == {0, 1, 2}


def test_one_class_is_no_tie():
    L = matrix([[0, -1], [-1, -1]], 1)
    model = cs.MajorityVote().fit(L)
    assert model.predict_proba(L).tolist() == [[1.0], [1.0]]
    assert model.predict(L).tolist() == [0, -1]


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0, 0)])
def test_nothing_to_count(shape):
    L = matrix(np.empty(shape, int), 2)
    proba = cs.MajorityVote().fit(L).predict_proba(L)
    np.testing.assert_array_equal(proba, np.full((shape[0], 2), 0.5, np.float32))


def test_same_bytes_on_any_thread_count_and_simd_level(simd_level):
    L = matrix(np.random.default_rng(0).integers(-1, 4, (60_000, 6)))
    model = cs.MajorityVote(seed=3).fit(L)

    def outcome(n_threads):
        proba = model.predict_proba(L, n_threads=n_threads)
        return proba.tobytes(), model.predict(L, "random", n_threads=n_threads).tobytes()

    one = outcome(1)
    assert outcome(2) == one
    assert outcome(7) == one
    _cpu.force_simd_level(_cpu.simd_levels()[0])
    assert outcome(1) == one


def test_gold_is_ignored_and_votes_seen_in_fit_do_not_matter():
    L, other = matrix([[0, 1, 1]]), matrix([[1, 1, 0], [0, 0, 0]])
    one = cs.MajorityVote().fit(L).predict_proba(other)
    two = cs.MajorityVote().fit(other, [0, 0]).predict_proba(other)
    np.testing.assert_array_equal(one, two)


def test_errors():
    L = matrix([[0, 1, 1]])
    with pytest.raises(ValueError, match=r"this MajorityVote is not fitted yet; call fit first"):
        cs.MajorityVote().predict(L)
    with pytest.raises(TypeError, match=r"L must be a LabelMatrix .*, got ndarray"):
        cs.MajorityVote().fit(np.array([[0, 1]]))
    model = cs.MajorityVote().fit(L)
    with pytest.raises(ValueError, match=r"cardinality .* fitted on, 2, got 3"):
        model.predict(matrix([[0, 1, 2]]))
    with pytest.raises(ValueError, match=r"number of LFs .* fitted on, 3, got 1"):
        model.predict(matrix([[0]]))
    with pytest.raises(ValueError, match=r"tie_break_policy must be one of .*, got 'first'"):
        model.predict(L, "first")
    with pytest.raises(ValueError, match=r"seed must be in .*, got -1"):
        cs.MajorityVote(seed=-1).fit(L).predict(L, "random")


def test_parameters_and_repr():
    assert repr(cs.MajorityVote()) == "MajorityVote()"
    assert repr(cs.MajorityVote(seed=3)) == "MajorityVote(seed=3)"
    assert cs.MajorityVote(seed=3).get_params() == {"seed": 3}
    assert cs.MajorityVote().set_params(seed=4).seed == 4


def test_a_saved_model_comes_back(tmp_path):
    L = cs.LabelMatrix.from_dense([[1, 1, 0], [0, 2, -1]])
    model = cs.MajorityVote(seed=3).fit(L)
    model.save(tmp_path / "vote.json")
    again = cs.MajorityVote.load(tmp_path / "vote.json")
    assert again.get_params() == {"seed": 3}
    assert again.predict_proba(L).tobytes() == model.predict_proba(L).tobytes()
    with pytest.raises(
        ValueError, match=r"coverset\.label_model file, got 'coverset\.majority_vote'"
    ):
        cs.LabelModel.load(tmp_path / "vote.json")
    with pytest.raises(ValueError, match="not fitted yet"):
        cs.MajorityVote().save(tmp_path / "other.json")
    assert [path.name for path in tmp_path.iterdir()] == ["vote.json"]
