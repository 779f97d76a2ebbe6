"""What every label model shares: parameters, tie policy, scoring."""

from __future__ import annotations

import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset._not_fitted import NotFittedError
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.estimation.encoding import Arrays
from coverset.label_model.estimation.evidence import Evidence
from coverset.label_model.models import storage
from coverset.label_model.models.calibration import Calibration, calibration
from coverset.label_model.models.explanation import Explanation, explanation

TIE_BREAK_POLICIES = ("abstain", "lowest", "random")
METRICS = ("accuracy", "f1")


class BaseLabelModel(ABC):
    """Parameters as in scikit-learn; predictions from ``predict_proba``."""

    cardinality_: int
    n_lfs_: int
    seed: int = 0
    _magic: ClassVar[str]  # names the kind of model in a file
    _facts: ClassVar[Mapping[str, type]] = {}  # attributes that are saved besides arrays
    _statistics_type: ClassVar[Any] = None
    _statistics: Any = None  # what was learned from; None where it is not known

    @abstractmethod
    def fit(
        self, L: LabelMatrix, y: ArrayLike | None = None, *, n_threads: int | None = None
    ) -> Self:
        """Learn from votes and return self."""

    @abstractmethod
    def _proba(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        """Return probabilities of checked votes."""

    @abstractmethod
    def _check(self, k: int) -> Any:
        """Check the parameters for ``k`` classes and return what ``_learn`` needs of them."""

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that predictions need."""
        return {}

    def _parts(self) -> dict[str, Any]:
        """Return what predictions need besides, as JSON has it."""
        return {}

    @abstractmethod
    def _restore(self, arrays: Arrays, parts: Mapping[str, Any]) -> None:
        """Set what ``_arrays`` and ``_parts`` returned, checked."""

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters given to the constructor, by name."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name and return self; ValueError for an unknown one."""
        for name, value in params.items():
            if name not in self._parameter_names():
                msg = f"parameter must be one of {self._parameter_names()}, got {name!r}"
                raise ValueError(msg)
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        given = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if repr(value) != repr(defaults[name].default)
        )
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` was called."""
        return hasattr(self, "cardinality_")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: gold is optional, input is no array."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False),
        )

    def _require_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            msg = f"this {type(self).__name__} is not fitted yet; call fit first"
            raise NotFittedError(msg)

    def _require_same_shape(self, other: BaseLabelModel) -> None:
        """Raise unless another fitted model saw votes of the same shape."""
        for fact, mine, theirs in (
            ("cardinality", self.cardinality_, other.cardinality_),
            ("number of LFs", self.n_lfs_, other.n_lfs_),
        ):
            if mine != theirs:
                msg = f"other must have the same {fact}, {mine}, got {theirs}"
                raise ValueError(msg)

    def _fitted_for(self, L: Any) -> LabelMatrix:
        """Return ``L`` if this model is fitted and fits it."""
        self._require_fitted()
        matrix = matrix_argument(L)
        for fact, want, got in (
            ("cardinality", self.cardinality_, matrix.cardinality),
            ("number of LFs", self.n_lfs_, matrix.n_lfs),
        ):
            if want != got:
                msg = f"L must have the {fact} that the model was fitted on, {want}, got {got}"
                raise ValueError(msg)
        return matrix

    @property
    def classes_(self) -> NDArray[np.int64]:
        """(k,) int64: the classes, in the order of ``predict_proba``'s columns."""
        return np.arange(self.cardinality_)

    def predict_proba(self, L: LabelMatrix, *, n_threads: int | None = None) -> NDArray[np.float32]:
        """Return class probabilities, (n, k) float32.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``L`` has another cardinality or number of LFs than the model was fitted on.
        """
        return self._proba(self._fitted_for(L), arguments.threads(n_threads))

    def predict(
        self,
        L: LabelMatrix,
        tie_break_policy: str = "abstain",
        *,
        n_threads: int | None = None,
    ) -> NDArray[np.int16]:
        """Return the most probable class of each row, (n,) int16.

        Parameters
        ----------
        L : LabelMatrix
        tie_break_policy : {"abstain", "lowest", "random"}
            What a tie becomes: -1, as rows without a vote do; the lowest tied class; one of the
            tied classes, drawn by ``seed`` and row number.

        Raises
        ------
        NotFittedError, ValueError
            As ``predict_proba``, and for an unknown policy.
        """
        arguments.one_of("tie_break_policy", tie_break_policy, TIE_BREAK_POLICIES)
        proba = self.predict_proba(L, n_threads=n_threads)
        labels = np.empty(len(proba), dtype=np.int16)
        seed = arguments.whole_number("seed", self.seed, 0, 2**63 - 1)
        threads = arguments.threads(n_threads)
        _cpu.choose_labels(proba, proba.shape[1], tie_break_policy, seed, labels, threads)
        if tie_break_policy == "abstain":
            labels[~L.covered] = -1
        return labels

    def _evidence(self, L: LabelMatrix, threads: int) -> Evidence:
        """Return what checked votes mean."""
        msg = f"{type(self).__name__} weighs all votes alike: there is nothing to explain"
        raise AttributeError(msg)

    def explain(self, L: LabelMatrix, *, n_threads: int | None = None) -> Explanation:
        """Return what each vote adds to the log probability of each class.

        The softmax of a row's prior and the sum of its votes' evidence is ``predict_proba``.

        Raises
        ------
        NotFittedError, ValueError
            As ``predict_proba``; ValueError for a ``TripletModel`` of more than two classes.
        """
        matrix = self._fitted_for(L)
        threads = arguments.threads(n_threads)
        return explanation(matrix, self._evidence(matrix, threads), threads)

    def calibration(self, L: LabelMatrix, y: ArrayLike, n_bins: int = 10) -> Calibration:
        """Return how often the model is right where it is so sure.

        Over rows with a vote and known gold, by equal bins of the probability of the most
        probable class, from 1 / k to 1; ``error`` is the expected calibration error (Naeini et al.
        2015).

        Raises
        ------
        ValueError
            If no gold is known on a row with a vote, or ``n_bins`` is not positive.
        """
        matrix = matrix_argument(L)
        bins = arguments.count("n_bins", n_bins)
        proba = self.predict_proba(matrix).astype(np.float64)
        gold = arguments.gold_labels(y, len(matrix), proba.shape[1])
        known = (gold >= 0) & matrix.covered
        if not known.any():
            msg = "y must know the class of at least one row with a vote, got none"
            raise ValueError(msg)
        return calibration(proba[known], gold[known], bins)

    def score(
        self,
        L: LabelMatrix,
        y: ArrayLike,
        metric: str = "accuracy",
        tie_break_policy: str = "lowest",
        *,
        n_threads: int | None = None,
    ) -> float:
        """Return accuracy, or the F1 of class 1, on the rows whose gold is known.

        Parameters
        ----------
        L : LabelMatrix
        y : (n,) integers
            Gold classes, -1 where unknown.
        metric : {"accuracy", "f1"}
            An abstain (policy ``"abstain"``) counts as wrong.

        Raises
        ------
        ValueError
            If no gold is known, ``metric`` is unknown, or as ``predict``.
        """
        arguments.one_of("metric", metric, METRICS)
        labels = self.predict(L, tie_break_policy, n_threads=n_threads)
        gold = arguments.gold_labels(y, len(L), self.cardinality_)
        known = gold >= 0
        if not known.any():
            msg = "y must know the class of at least one row, got none"
            raise ValueError(msg)
        labels, gold = labels[known], gold[known]
        if metric == "accuracy":
            return float(np.mean(labels == gold))
        right = int(np.sum((labels == 1) & (gold == 1)))
        wrong = int(np.sum((labels == 1) != (gold == 1)))
        return 2 * right / (2 * right + wrong) if right else 0.0

    def save(self, path: str | os.PathLike[str], *, statistics: bool = True) -> None:
        """Write the fitted model to one checked JSON file, in one step.

        Parameters
        ----------
        path : path
        statistics : bool
            Whether to write what the model learned from, so that ``partial_fit`` and ``merge`` go
            on after ``load``. Without, the file is small, and the loaded model predicts only.

        Raises
        ------
        NotFittedError
            Before ``fit``.

        Warns
        -----
        UserWarning
            If the statistics are too large for a model file, and are left out.
        """
        storage.save(self, path, statistics=statistics)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model written by :meth:`save`; it predicts the same bytes.

        Raises
        ------
        ValueError
            If the file is damaged, of another kind, or of another version.
        """
        return storage.load(cls, path)


def balance_argument(class_balance: ArrayLike | None, k: int) -> NDArray[np.float64] | None:
    """Return a given class balance, or None."""
    if class_balance is None:
        return None
    try:
        balance = np.array(class_balance, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        msg = f"class_balance must hold {k} numbers, got {class_balance!r}"
        raise ValueError(msg) from None
    if balance.shape != (k,):
        rule = f"class_balance must have one entry for each of {k} classes"
        msg = f"{rule}, got shape {balance.shape}"
        raise ValueError(msg)
    for label, p in enumerate(balance.tolist()):
        if not 0.0 < p < 1.0 and not (k == 1 and p == 1.0):
            msg = f"class_balance[{label}] must be between 0 and 1, got {p!r}"
            raise ValueError(msg)
    if abs(balance.sum() - 1.0) > 1e-6:
        msg = f"class_balance must sum to 1, got {float(balance.sum())!r}"
        raise ValueError(msg)
    return balance
