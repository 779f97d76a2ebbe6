"""The anchored label model: accuracies learned from agreement, held to the majority vote."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._plots as _plots
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.estimation import dependencies, factors, refinement, vote_columns
from coverset.label_model.estimation.anchored import Fitter, weighed
from coverset.label_model.estimation.dependency_graph import L1, LEAST, DependencyGraph, grown_graph
from coverset.label_model.estimation.encoding import Arrays
from coverset.label_model.estimation.evidence import Evidence
from coverset.label_model.estimation.statistics import PatternStatistics
from coverset.label_model.models import anchored_storage
from coverset.label_model.models.base import balance_argument
from coverset.label_model.models.streamed import StreamedModel

_AUTO_PATTERNS = 1 << 20  # more distinct rows than this are learned by minibatches
_BATCH_PATTERNS = 1 << 14
_FEWEST_ROWS = 1 << 12  # that a pass over rows is asked for


class LabelModel(StreamedModel):
    """Learn how far to trust each labeling function (LF), without gold labels.

    Votes are conditionally independent given the class. An LF that votes for one class only
    counts by its lift, P(class | vote) / P(class); one that votes for several counts by its
    confusion, P(vote | class). Both are learned on the distinct rows of votes by ascending

        J = (1 - anchor) sum_i log p(x_i) + anchor sum_i sum_y mv_i(y) log p(x_i, y)

    where mv_i is the majority vote of row i: plain likelihood (anchor 0) learns what makes LFs
    fire together, and may leave the label behind. How far lift may move from its prior follows
    the chance-corrected agreement of the LFs. An abstain is no evidence. The page "Label models"
    of the documentation has the equations.

    The same votes give the same bytes on any thread count and SIMD level. ``partial_fit`` and
    ``merge`` keep the distinct rows and learn from all of them again; another order of the rows
    changes no more than rounding.

    Parameters
    ----------
    dependencies : {"auto", "none", "factors"} or pairs of LFs
        ``"none"``: LFs err independently given the class. ``"auto"``: LFs whose votes repeat each
        other form clusters, whose votes count less. Pairs, by index or name: these LFs do.
        ``"factors"``: pairs found by :func:`learn_dependencies` have factors, learned with exact
        normalizers; abstains are evidence then. Components of more than 12 LFs count by cluster
        weights, with a UserWarning.
    groups : mapping of family to LFs, or one name for each LF, optional
        Families of LFs that depend on each other, for instance the prompts of one model; None
        for an LF of no family. Then only LFs of one family (or pair) are taken as dependent,
        or get a factor.
    class_balance : (k,) floats, optional
        Probability of each class; learned by default.
    anchor : float
        Weight of the majority vote, in 0..1.
    solver : {"auto", "em", "sgd"}
        ``"em"``: full passes over the distinct rows. ``"sgd"``: natural-gradient steps on
        minibatches of them (stepwise EM, Cappé & Moulines 2009); same fixed point. ``"rows"``: EM
        on a sample of 2^17 rows, then one pass over all rows as they come, every vote read;
        nothing is copied, and ``partial_fit`` cannot add to it. ``"auto"``: above a million rows,
        ``"rows"`` where more than half of a sample is distinct; else ``"sgd"`` above a million
        distinct rows.
    max_iter : int
        Passes over the distinct rows, at most.
    tol : float
        Stop when no row's posterior, as float32, moves by more in a pass.
    seed : int
        Order of the minibatches; draws of ``tie_break_policy="random"``.

    Attributes
    ----------
    cardinality_, n_lfs_ : int
    class_balance_ : (k,) float64
        Given, or learned from the covered rows.
    reliability_ : float
        Krippendorff's alpha of the votes; NaN where no row has two votes or all votes agree on
        one class.
    lf_accuracies_ : (m,) float64
        Expected share of right votes of each LF, under the model's probabilities; NaN for an LF
        without votes.
    lf_accuracy_intervals_ : (m, 2) float64
        Wilson's 95 % intervals of these shares (Wilson 1927).
    lf_weights_ : (m,) float64
        How much of each LF's votes counts: 1 unless it depends on others.
    lf_clusters_ : list of tuple of int
        LFs that were taken to depend on each other, ascending.
    factors_ : list of (int, int, float)
        With ``dependencies="factors"``: pairs of LFs, and how strongly they vote alike.
    factor_parameters_ : dict of tuple of int to (array, array)
        By component, the log-linear parameters: (s, k, k) by LF, class and label, and the factors.
    dependency_graph_ : DependencyGraph
        What they were chosen from.
    n_patterns_, n_iter_ : int
        Distinct rows of votes (with gold), and passes made.
    solver_ : str
        The solver that ran.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[1, 1, -1], [0, 0, 1], [1, 1, 1], [0, -1, 0], [0, 0, -1]])
    >>> cs.LabelModel().fit(L).predict(L)
    array([1, 0, 1, 0, 0], dtype=int16)
    """

    _statistics_type: ClassVar[Any] = PatternStatistics
    _magic: ClassVar[str] = "coverset.label_model"
    _facts: ClassVar[Mapping[str, type]] = {
        "reliability_": float, "n_patterns_": int, "n_iter_": int, "solver_": str
    }  # fmt: skip
    reliability_: float
    n_patterns_: int
    n_iter_: int
    solver_: str
    _fitted: vote_columns.Fitted
    _factors: factors.FactorModel | None = None
    _graph: DependencyGraph | None = None

    def __init__(
        self,
        *,
        dependencies: str | Sequence[tuple[int | str, int | str]] = "auto",
        groups: Mapping[str, Sequence[int | str]] | Sequence[Hashable] | None = None,
        class_balance: ArrayLike | None = None,
        anchor: float = 0.5,
        solver: str = "auto",
        max_iter: int = 25,
        tol: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.dependencies = dependencies
        self.groups = groups
        self.class_balance = class_balance
        self.anchor = anchor
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed

    def _check(self, k: int) -> tuple[_cpu.FitOptions, NDArray[np.float64] | None]:
        return self._options(), balance_argument(self.class_balance, k)

    def _check_names(self, L: LabelMatrix) -> None:
        dependencies.families(self.dependencies, self.groups, L)

    def _learn(self, statistics: Any, checked: Any, threads: int) -> dict[str, Any]:
        (options, balance), grouped = checked, statistics.grouped
        matrix = grouped.matrix
        family = dependencies.families(self.dependencies, self.groups, matrix)
        table = vote_columns.observe(grouped, threads)
        agreement = vote_columns.agreement(grouped, table, matrix.cardinality, threads)
        table = vote_columns.tell_annotators(table, matrix, agreement[1])
        solver = self.solver
        if solver in ("auto", "rows"):
            solver = "sgd" if grouped.n_patterns > _AUTO_PATTERNS else "em"
        options.batch = _BATCH_PATTERNS if solver == "sgd" else 0
        fitter = Fitter(grouped, options, balance, agreement, threads)
        if self.dependencies == "none" and family is None:
            fitted, alpha, passes = fitter.fit(table, None)
        else:
            fitted, alpha, passes = fitter.fit_dependent(table, family)
        factors = graph = None
        if self.dependencies == "factors":
            factors, graph, fitted, passes = self._learn_factors(grouped, fitted, family, threads)
        return {
            "_fitted": fitted,
            "_factors": factors,
            "_graph": graph,
            "reliability_": alpha,
            "n_patterns_": grouped.n_patterns,
            "n_iter_": passes,
            "solver_": solver,
        }

    def _absorb(
        self, before: Any, L: LabelMatrix, y: ArrayLike | None, n_threads: int | None
    ) -> Self:
        matrix = matrix_argument(L)
        if before is not None or self.solver == "em" or self.dependencies == "factors":
            return super()._absorb(before, L, y, n_threads)
        least = _FEWEST_ROWS if self.solver == "rows" else _AUTO_PATTERNS
        if self.solver not in ("auto", "rows") or len(matrix) < least:
            return super()._absorb(before, L, y, n_threads)
        threads = arguments.threads(n_threads)
        options, balance = self._check(matrix.cardinality)
        gold = None if y is None else arguments.gold_labels(y, len(matrix), matrix.cardinality)
        sample = refinement.sampled(matrix, gold)
        statistics = PatternStatistics.of(*sample, threads)
        if self.solver == "auto" and refinement.repeat(statistics.grouped, len(sample[0])):
            return super()._absorb(before, L, y, n_threads)
        self._check_names(matrix)
        learned = self._learn(statistics, (options, balance), threads)
        fitted = refinement.refine(learned["_fitted"], matrix, gold, len(sample[0]), threads)
        learned |= {"_fitted": fitted, "solver_": "rows"}
        return self._become(learned, None, matrix.n_lfs, matrix.cardinality)

    def _become(self, learned: dict[str, Any], statistics: Any, m: int, k: int) -> Self:
        super()._become(learned, statistics, m, k)
        self._show()
        return self

    def _show(self) -> None:
        """Set the attributes that follow from the fit; changing them changes no prediction."""
        table, state = self._fitted.table, self._fitted.state
        self.cardinality_, self.n_lfs_ = self._fitted.cardinality, self._fitted.n_lfs
        self.class_balance_ = state.class_balance.copy()
        self.lf_accuracies_ = vote_columns.accuracies(table, state)
        self.lf_accuracy_intervals_ = vote_columns.accuracy_intervals(table, self.lf_accuracies_)
        self.lf_weights_, self.lf_clusters_ = dependencies.summary(table)

    def _options(self) -> _cpu.FitOptions:
        """Check the parameters and return them for the kernel."""
        if isinstance(self.dependencies, str):
            arguments.one_of("dependencies", self.dependencies, ("auto", "none", "factors"))
        arguments.one_of("solver", self.solver, ("auto", "em", "sgd", "rows"))
        options = _cpu.FitOptions()
        options.anchor = arguments.real_number("anchor", self.anchor, 0.0, 1.0)
        options.tolerance = arguments.real_number("tol", self.tol, 0.0, np.inf)
        options.most_passes = arguments.count("max_iter", self.max_iter)
        options.seed = arguments.whole_number("seed", self.seed, 0, 2**63 - 1)
        return options

    def _learn_factors(
        self,
        grouped: vote_columns.Grouped,
        fitted: vote_columns.Fitted,
        family: NDArray[np.int64] | None,
        threads: int,
    ) -> tuple[factors.FactorModel, DependencyGraph, vote_columns.Fitted, int]:
        """Learn the graph from a fit with cluster weights, and factors along it."""
        L = grouped.matrix
        graph = grown_graph(grouped, fitted, L1, LEAST, threads, family)
        weights, _ = dependencies.summary(fitted.table)
        parts = factors.components_of(graph, fitted.table, weights)
        balance = balance_argument(self.class_balance, L.cardinality)
        start = weighed(fitted, L, threads).posterior(L, threads).astype(np.float64)
        model = factors.FactorModel(
            parts,
            L.n_lfs,
            L.cardinality,
            fitted.state.class_balance if balance is None else balance,
        )
        options = {
            "anchor": self.anchor, "max_iter": self.max_iter, "tol": self.tol, "balance": balance
        }  # fmt: skip
        post, passes = factors.learn(model, grouped, start, options, threads)
        state = vote_columns.believing(fitted.state, fitted.table, grouped, post, threads)
        state.class_balance[:] = model.balance
        return model, graph, fitted._replace(state=state), passes

    @property
    def factors_(self) -> list[tuple[int, int, float]]:
        """(LF, LF, factor) of each pair; AttributeError without ``dependencies="factors"``."""
        return self._with_factors()[0].strengths()

    @property
    def factor_parameters_(
        self,
    ) -> dict[tuple[int, ...], tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Parameters by component; AttributeError without ``dependencies="factors"``."""
        return self._with_factors()[0].tables()

    @property
    def dependency_graph_(self) -> DependencyGraph:
        """What factors were chosen from; AttributeError without ``dependencies="factors"``."""
        return self._with_factors()[1]

    def _with_factors(self) -> tuple[factors.FactorModel, DependencyGraph]:
        if self._factors is None or self._graph is None:
            msg = "this LabelModel was not fitted with dependencies='factors'"
            raise AttributeError(msg)
        return self._factors, self._graph

    def _proba(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        if self._factors is not None:
            return self._factors.posterior(self._factors.rows(L, threads), threads)
        return weighed(self._fitted, L, threads).posterior(L, threads)

    def _evidence(self, L: LabelMatrix, threads: int) -> Evidence:
        if self._factors is not None:
            msg = (
                "dependencies must not be 'factors': votes that have factors add no evidence alone"
            )
            raise ValueError(msg)
        return weighed(self._fitted, L, threads).evidence()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return anchored_storage.fit_arrays(self._fitted)

    def _parts(self) -> dict[str, Any]:
        factors = None
        if self._factors is not None:
            factors = anchored_storage.stored_factors(*self._with_factors())
        return {"settings": self._fitted.settings._asdict(), "factors": factors}

    def _restore(self, arrays: Arrays, parts: Mapping[str, Any]) -> None:
        m, k = self.n_lfs_, self.cardinality_
        self._fitted = anchored_storage.restored_fit(arrays, parts["settings"], m, k)
        if parts["factors"] is not None:
            found = anchored_storage.restored_factors(parts["factors"], self._fitted)
            self._factors, self._graph = found
        self._show()

    def plot(self, ax: Any = None, *, names: Sequence[str] | None = None) -> Any:
        """Draw each LF's learned accuracy with its interval; needs matplotlib. Return the axes.

        ``names`` are the LFs', by default their numbers.
        """
        self._require_fitted()
        ax = _plots.axes(ax)
        labels = [str(lf) for lf in range(self.n_lfs_)] if names is None else list(names)
        accuracies = np.nan_to_num(self.lf_accuracies_)
        _plots.bars(ax, labels, accuracies, np.nan_to_num(self.lf_accuracy_intervals_))
        ax.set_title("learned accuracy, 95 % interval")
        return ax
