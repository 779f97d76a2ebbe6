"""Label-model problems at random, and the comparison with the reference."""

from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
import label_model_reference as reference

ULP = 1.2e-7  # of a float32 below 1


def matrix(L, k=None, polarity=None):
    return cs.LabelMatrix.from_dense(np.asarray(L), k, polarity=polarity)


@st.composite
def problems(draw, kinds=("unipolar", "annotator", "silent")):
    """Votes of LFs of some kinds, rows repeated or without votes; gold, balance, polarity, anchor.

    Rows copy a hidden class half of the time, so that LFs agree more than by chance.
    """
    k, n, m = draw(st.integers(2, 6)), draw(st.integers(1, 24)), draw(st.integers(1, 6))
    truth = draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))
    votes = draw(hnp.arrays(np.int64, (n, m), elements=st.integers(-1, k - 1)))
    L = np.where(draw(hnp.arrays(bool, (n, m))), truth[:, None], votes)
    for j in range(m):
        kind = draw(st.sampled_from(kinds))
        if kind == "unipolar":
            own = draw(st.integers(0, k - 1))
            L[:, j] = np.where(L[:, j] == own, own, -1)
        if kind == "silent":
            L[:, j] = -1
    rows = draw(st.lists(st.integers(-1, n - 1), min_size=1, max_size=2 * n))
    L = np.vstack([L, np.full((1, m), -1)])[rows]  # -1 takes the row without votes
    y = None
    if draw(st.booleans()):
        y = draw(hnp.arrays(np.int64, len(L), elements=st.integers(-1, k - 1)))
    balance = None
    if draw(st.booleans()):
        shares = draw(hnp.arrays(np.int64, k, elements=st.integers(1, 9)))
        balance = shares / shares.sum()
    polarity = None
    if draw(st.booleans()):
        classes = st.sets(st.integers(0, k - 1))
        polarity = [
            draw(st.none() | st.just(sorted({*column[column >= 0].tolist()} | draw(classes))))
            for column in L.T
        ]
    anchor = draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    return SimpleNamespace(L=L, k=k, y=y, balance=balance, polarity=polarity, anchor=anchor)


def assert_same_as_reference(p, unseen=None):
    L = matrix(p.L, p.k, p.polarity)
    model = cs.LabelModel(dependencies="none", class_balance=p.balance, anchor=p.anchor).fit(L, p.y)
    want = reference.fit(
        p.L, p.k, p.y, given=p.balance, anchor=p.anchor, polarity=p.polarity, max_iter=25
    )
    assert model.n_patterns_ == want.n_patterns
    assert model.n_iter_ == want.n_iter
    np.testing.assert_allclose(model.reliability_, want.alpha, atol=1e-9)
    np.testing.assert_allclose(model.class_balance_, want.mass, atol=1e-9)
    np.testing.assert_allclose(model.lf_accuracies_, want.accuracies, atol=1e-9)
    for votes in (p.L, unseen if unseen is not None else p.L):
        proba = model.predict_proba(matrix(votes, p.k))
        assert proba.dtype == np.float32
        # float32 rounds to 6e-8; sums in another order, 25 passes long, stay far below
        np.testing.assert_allclose(proba, reference.predict_proba(want, votes), atol=1e-6)
        np.testing.assert_allclose(proba.sum(axis=1, dtype=float), 1, atol=ULP * p.k)
    return model
