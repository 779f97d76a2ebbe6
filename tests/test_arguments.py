"""Numbers as arguments: every type that Python and NumPy have, at and beyond each bound."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
from coverset import _arguments as arguments

FLOATS = (float, np.float16, np.float32, np.float64, np.longdouble)
WHOLE = (int, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)
BOUNDS = [(0.0, 1.0), (0.0, 1e300), (-5.0, 1e6), (1e-100, 1e100), (0.0, np.inf), (-np.inf, np.inf)]


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("kind", [*FLOATS, *WHOLE])
def test_real_numbers_of_every_type_keep_to_their_bounds(kind, bounds):
    low, high = bounds
    values = [kind(0), kind(1), kind(100)]
    if kind in FLOATS:
        with np.errstate(over="ignore", under="ignore"):
            values += [kind(x) for x in (-0.0, 0.5, 6e4, -1.0, 1e-7, "inf", "-inf", "nan")]
            values += [kind(x) for x in (low, high) if np.isfinite(x)]
    for value in values:
        if low <= float(value) <= high:  # as numbers, whatever the type rounds the bounds to
            got = arguments.real_number("x", value, low, high)
            assert type(got) is float
            assert got == float(value)
        else:
            with pytest.raises(ValueError, match=r"^x must "):
                arguments.real_number("x", value, low, high)


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_whole_numbers_beyond_all_floats(value, bounds):
    with pytest.raises(ValueError, match=r"^x must (be|fit|not)"):
        arguments.real_number("x", value, *bounds)


@pytest.mark.parametrize(
    "value", ["1", None, True, np.True_, 1j, np.complex64(1), [1.0], np.ones(1)]
)
def test_what_is_no_number(value):
    with pytest.raises(TypeError, match=r"^x must be a number"):
        arguments.real_number("x", value, 0.0, 1.0)


def test_an_infinite_numpy_scalar_is_no_learning_rate():
    L = cs.LabelMatrix.from_dense([[0, 1, 0], [1, 1, 0]] * 5)
    for name in ("lr", "l2"):
        with pytest.raises(ValueError, match=f"{name} must be in 0"):
            cs.MomentModel(**{name: np.float32("inf")}).fit(L)


BIG = 10**400
L = cs.LabelMatrix.from_dense([[0, 1, 0], [1, 1, 0]] * 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cs.LabelModel(class_balance=[BIG, 1]).fit(L), "class_balance must hold 2 numbers"),
        (lambda: cs.MomentModel(prec_init=[BIG] * 3).fit(L), "prec_init must be a number or one"),
        (lambda: cs.lf.linear("f", [1.0], BIG, label=1), "bias must fit a float"),
        (lambda: cs.lf.score("p", low=0.1, high=BIG), "high must fit a float"),
        (lambda: cs.lf.score("p", low=-BIG, high=0.5), "low must fit a float"),
        (lambda: cs.k_center(np.eye(4, dtype="f"), 2, stop_radius=BIG), "stop_radius must fit"),
    ],
)
def test_whole_numbers_that_fit_no_float_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
