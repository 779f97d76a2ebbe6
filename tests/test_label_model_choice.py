"""choose_label_model: log losses against NumPy, the rule of one standard error, bad input."""

import numpy as np
import pytest

import coverset as cs
from label_model_examples import matrix
from label_model_reference import planted_votes


class Certain(cs.MajorityVote):
    """Says class 0 with a given probability, whatever the votes."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def get_params(self, deep=True):
        return {"p": self.p}

    def predict_proba(self, L, *, n_threads=None):
        return np.tile(np.float32([self.p, 1 - self.p]), (len(L), 1))


@pytest.fixture(scope="module")
def planted():
    L, y = planted_votes(3000, [0.95, 0.55, 0.55, 0.6, 0.6], 2, 0.9)
    return matrix(L, 2), y


def test_log_losses_and_errors_are_those_of_numpy(planted):
    L, y = planted
    dev = np.where(np.arange(len(L)) % 20, -1, y)
    known = dev >= 0
    models = [cs.MajorityVote(), cs.LabelModel(), cs.LabelModel(anchor=0.0), cs.DawidSkene()]
    choice = cs.choose_label_model(models, L, dev)
    lost = [
        -np.log(np.maximum(model.fit(L).predict_proba(L)[known, y[known]].astype(float), 1e-6))
        for model in models
    ]
    np.testing.assert_allclose(choice.log_losses, np.mean(lost, axis=1), rtol=1e-6)
    errors = [np.std(one - lost[0], ddof=1) / known.sum() ** 0.5 for one in lost]
    np.testing.assert_allclose(choice.standard_errors, errors, rtol=1e-6, atol=1e-12)
    assert choice.chosen == np.argmin(choice.log_losses) != 0
    want = type(models[choice.chosen])(**models[choice.chosen].get_params()).fit(L, dev)
    assert np.array_equal(choice.model.predict_proba(L), want.predict_proba(L))


@pytest.mark.parametrize(
    ("p", "index"),
    [
        ([0.5, 0.5], 0),  # no better
        ([0.5, 0.55], 0),  # better by .005 (5 of 9 right), a standard error is .033
        ([0.5, 0.9, 0.99], 0),  # worse
        ([0.01, 0.99, 0.55], 2),  # both are better, the third loses least
    ],
)
def test_the_first_stands_unless_another_is_better_by_an_error(p, index):
    L = matrix([[0, 1]] * 9, 2)
    choice = cs.choose_label_model([Certain(one) for one in p], L, [0, 1, 0, 1, 0, 1, 0, 1, 0])
    assert choice.chosen == index


def test_a_certain_mistake_costs_a_finite_loss():
    L = matrix([[0, 1]] * 2, 2)
    choice = cs.choose_label_model([Certain(1.0)], L, [1, 0])
    np.testing.assert_allclose(choice.log_losses, [-np.log(1e-6) / 2])


def test_candidates_are_not_changed(planted):
    L, y = planted
    model = cs.LabelModel()
    cs.choose_label_model([model], L, y)
    with pytest.raises(Exception, match="fit"):
        model.predict_proba(L)


@pytest.mark.parametrize(
    ("candidates", "y", "error", "message"),
    [
        ([], [0, 1], ValueError, "candidates must have at least one label model, got none"),
        ([3], [0, 1], TypeError, r"candidates\[0\] must be a label model, got 3"),
        ([cs.LabelModel], [0, 1], TypeError, r"candidates\[0\] must be a label model, got <class"),
        ([cs.LabelModel()], [0, -1], ValueError, "y must have at least two labels .* got 1"),
        ([cs.LabelModel()], [0, 2], ValueError, "y.*2"),
        ([cs.LabelModel()], [0], ValueError, "y"),
        ([cs.LabelModel(anchor=2.0)], [0, 1], ValueError, "anchor"),
    ],
)
def test_bad_input(candidates, y, error, message):
    with pytest.raises(error, match=message):
        cs.choose_label_model(candidates, matrix([[0, 1], [1, 1]], 2), y)
