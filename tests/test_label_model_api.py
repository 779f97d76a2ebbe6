"""LabelModel: errors, scikit-learn conventions, scores and files."""

import base64
import copy
import json
import pickle

import numpy as np
import pytest

import coverset as cs
import label_model_reference as reference
from coverset import _store
from label_model_examples import matrix

# --- errors -------------------------------------------------------------------------------------

SMALL = [[0, 1, -1], [0, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"dependencies": "some"},
            r"dependencies must be one of 'auto', 'none', 'factors', got 'some'",
        ),
        ({"solver": "adam"}, r"solver must be one of 'auto', 'em', 'sgd', 'rows', got 'adam'"),
        ({"anchor": -0.1}, r"anchor must be in 0..1, got -0.1"),
        ({"anchor": 1.5}, r"anchor must be in 0..1, got 1.5"),
        ({"anchor": float("nan")}, r"anchor must be in 0..1, got nan"),
        ({"tol": -1.0}, r"tol must be at least 0, got -1.0"),
        ({"tol": float("nan")}, r"tol must be at least 0, got nan"),
        ({"max_iter": 0}, r"max_iter must be at least 1, got 0"),
        ({"max_iter": 2**70}, r"max_iter must be .*, got 1180591620717411303424"),
        ({"seed": -1}, r"seed must be in 0..9223372036854775807, got -1"),
        ({"seed": 2**63}, r"seed must be in .*, got 9223372036854775808"),
        ({"class_balance": [0.5, 0.3, 0.2]}, r"one entry for each of 2 classes, got shape \(3,\)"),
        ({"class_balance": [[0.5, 0.5]]}, r"one entry for each of 2 classes, got shape \(1, 2\)"),
        ({"class_balance": 0.5}, r"one entry for each of 2 classes, got shape \(\)"),
        ({"class_balance": [0.0, 1.0]}, r"class_balance\[0\] must be between 0 and 1, got 0.0"),
        ({"class_balance": [0.5, np.nan]}, r"class_balance\[1\] must be between 0 and 1, got nan"),
        ({"class_balance": [0.5, 0.6]}, r"class_balance must sum to 1, got 1.1"),
        ({"class_balance": ["a", "b"]}, r"class_balance"),
    ],
)
def test_rejects_values(options, message):
    with pytest.raises(ValueError, match=message):
        cs.LabelModel(**options).fit(matrix(SMALL))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anchor": "half"}, r"anchor must be .*, got 'half'"),
        ({"anchor": None}, r"anchor must be .*, got None"),
        ({"tol": "small"}, r"tol must be .*, got 'small'"),
        ({"max_iter": 2.5}, r"max_iter must be a whole number, got 2.5"),
        ({"seed": 1.5}, r"seed must be a whole number, got 1.5"),
        ({"seed": None}, r"seed must be a whole number, got None"),
    ],
)
def test_rejects_types(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        cs.LabelModel(**options).fit(matrix(SMALL))


@pytest.mark.parametrize("n_threads", [0, -1, 2**40])
def test_rejects_thread_counts(n_threads):
    with pytest.raises(ValueError, match=f"n_threads must be .*, got {n_threads}"):
        cs.LabelModel().fit(matrix(SMALL), n_threads=n_threads)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0, 1], ValueError, r"y must have one entry a row: 3 rows, got 2 entries"),
        ([0, 2, -1], ValueError, r"y\[1\] must be in -1..1, got 2"),
        ([0, -2, -1], ValueError, r"y\[1\] must be in -1..1, got -2"),
        ([0.0, 1.0, 1.0], TypeError, r"y must hold integers, got dtype float64"),
        ([True, False, True], TypeError, r"y must hold integers, got dtype bool"),
        ([[0], [1], [1]], ValueError, r"y must have 1 dimension, got shape \(3, 1\)"),
    ],
)
def test_rejects_gold(y, error, message):
    with pytest.raises(error, match=message):
        cs.LabelModel().fit(matrix(SMALL), y)
    with pytest.raises(error, match=message):
        cs.LabelModel().fit(matrix(SMALL)).score(matrix(SMALL), y)


@pytest.mark.parametrize("wrong", [np.array(SMALL), SMALL, None])
def test_rejects_what_is_no_label_matrix(wrong):
    message = r"L must be a LabelMatrix \(see LabelMatrix.from_dense\), got"
    with pytest.raises(TypeError, match=message):
        cs.LabelModel().fit(wrong)
    with pytest.raises(TypeError, match=message):
        cs.LabelModel().fit(matrix(SMALL)).predict_proba(wrong)


def test_rejects_other_shapes_than_it_was_fitted_on():
    model = cs.LabelModel().fit(matrix(SMALL))
    with pytest.raises(ValueError, match=r"cardinality that the model was fitted on, 2, got 3"):
        model.predict_proba(matrix(SMALL, 3))
    with pytest.raises(ValueError, match=r"number of LFs that .* fitted on, 3, got 2"):
        model.predict(matrix([[0, 1]]))


@pytest.mark.parametrize("use", ["predict_proba", "predict", "score", "save"])
def test_asks_for_fit_first(use, tmp_path):
    arguments = {
        "score": (matrix(SMALL), [0, 1, 1]),
        "save": (tmp_path / "model.json",),
    }.get(use, (matrix(SMALL),))
    for error in (ValueError, AttributeError):  # scikit-learn's NotFittedError is both
        with pytest.raises(error, match=r"this LabelModel is not fitted yet; call fit first"):
            getattr(cs.LabelModel(), use)(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_classes_come_with_fit():
    assert not hasattr(cs.LabelModel(), "classes_")
    assert cs.LabelModel().fit(matrix(SMALL)).classes_.tolist() == [0, 1]


def test_rejects_unknown_policy_and_metric():
    model = cs.LabelModel().fit(matrix(SMALL))
    with pytest.raises(ValueError, match=r"tie_break_policy must be one of .*, got 'highest'"):
        model.predict(matrix(SMALL), "highest")
    with pytest.raises(ValueError, match=r"metric must be one of 'accuracy', 'f1', got 'auc'"):
        model.score(matrix(SMALL), [0, 1, 1], metric="auc")


@pytest.mark.parametrize(
    ("options", "y"),
    [({"class_balance": [0.2, 0.2]}, None), ({"max_iter": 0}, None), ({}, [0, 1, 9])],
)
def test_failed_fit_leaves_a_fitted_model_as_it_was(options, y):
    L = matrix(SMALL)
    model = cs.LabelModel().fit(L)
    before, facts = model.predict_proba(L).tobytes(), str(vars(model).keys())
    model.set_params(**options)
    with pytest.raises(ValueError, match="must"):
        model.fit(L, y)
    assert model.predict_proba(L).tobytes() == before
    assert str(vars(model).keys()) == facts


# --- scikit-learn's conventions -----------------------------------------------------------------


def test_parameters_round_trip():
    model = cs.LabelModel(anchor=0.25, seed=3)
    assert model.get_params() == {
        "dependencies": "auto",
        "groups": None,
        "class_balance": None,
        "anchor": 0.25,
        "solver": "auto",
        "max_iter": 25,
        "tol": 1e-4,
        "seed": 3,
    }
    assert model.set_params(anchor=0.5, max_iter=9) is model
    assert (model.anchor, model.max_iter) == (0.5, 9)
    assert cs.LabelModel(**model.get_params()).get_params() == model.get_params()


def test_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match=r"parameter must be one of .*, got 'epochs'"):
        cs.LabelModel().set_params(epochs=3)


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(cs.LabelModel()) == "LabelModel()"
    assert repr(cs.LabelModel(anchor=0.25, solver="em")) == "LabelModel(anchor=0.25, solver='em')"
    balance = np.array([0.5, 0.5])
    assert "class_balance=array([0.5, 0.5])" in repr(cs.LabelModel(class_balance=balance))


def test_sklearn_clones_it():
    base = pytest.importorskip("sklearn.base")
    model = cs.LabelModel(class_balance=[0.4, 0.6], anchor=0.3).fit(matrix(SMALL))
    twin = base.clone(model)
    assert twin.get_params() == model.get_params()
    with pytest.raises(ValueError, match="not fitted"):
        twin.predict(matrix(SMALL))


@pytest.mark.parametrize("kind", [cs.LabelModel, cs.MajorityVote])
def test_sklearn_sees_whether_it_is_fitted(kind):
    validation = pytest.importorskip("sklearn.utils.validation")
    exceptions = pytest.importorskip("sklearn.exceptions")
    validation.check_is_fitted(kind().fit(matrix(SMALL)))
    with pytest.raises(exceptions.NotFittedError):
        validation.check_is_fitted(kind())


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_fitted_model_can_be_copied_and_sent_to_workers(twin):
    L = matrix(SMALL)
    model = cs.LabelModel().fit(L)
    assert twin(model).predict_proba(L).tobytes() == model.predict_proba(L).tobytes()


# --- score --------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("policy", ["lowest", "abstain", "random"])
def test_score_is_sklearns_on_the_rows_with_gold(k, policy):
    metrics = pytest.importorskip("sklearn.metrics")
    L, y = reference.planted_votes(200, [0.5, 0.6, 0.7], k, 0.5)
    y[::3] = -1
    for model in (cs.LabelModel(seed=4), cs.MajorityVote(seed=4)):
        labels = model.fit(matrix(L, k)).predict(matrix(L, k), policy)
        known = y >= 0
        accuracy = metrics.accuracy_score(y[known], labels[known])
        f1 = metrics.f1_score(y[known] == 1, labels[known] == 1)
        got = [model.score(matrix(L, k), y, metric, policy) for metric in ("accuracy", "f1")]
        np.testing.assert_allclose(got, [accuracy, f1], rtol=1e-12)


def test_f1_without_a_right_positive_is_zero():
    L = matrix([[0], [0]])
    model = cs.MajorityVote().fit(L)
    assert model.score(L, [0, 0], "f1") == 0.0
    assert model.score(L, [1, 0], "f1") == 0.0


def test_score_needs_some_gold():
    model = cs.LabelModel().fit(matrix(SMALL))
    with pytest.raises(ValueError, match=r"y must know the class of at least one row"):
        model.score(matrix(SMALL), [-1, -1, -1])


# --- files --------------------------------------------------------------------------------------


def fitted(seed=0, **options):
    L, y = reference.planted_votes(80, [0.5, 0.6, 0.7, 0.8], 3, seed=seed)
    L[:, 0] = np.where(L[:, 0] == 1, 1, -1)
    L[:, 3] = -1
    return cs.LabelModel(**options).fit(matrix(L, 3), np.where(y == 0, 0, -1))


UNSEEN = [[0, 2, 1, 1], [2, -1, 0, 0], [-1, -1, -1, 2], [-1] * 4, [1, 1, 2, -1]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_balance": [0.5, 0.3, 0.2]},
        {"class_balance": np.array([0.5, 0.3, 0.2])},
        {"solver": "sgd", "anchor": 0.25, "seed": 7},
        {"seed": np.int64(3), "max_iter": np.int32(5), "anchor": np.float32(0.5)},
    ],
)
def test_a_loaded_model_predicts_the_same_bytes(options, tmp_path):
    model = fitted(**options)
    model.save(tmp_path / "model.json")
    loaded = cs.LabelModel.load(tmp_path / "model.json")
    unseen = matrix(UNSEEN, 3)
    assert loaded.predict_proba(unseen).tobytes() == model.predict_proba(unseen).tobytes()
    for policy in ("abstain", "lowest", "random"):
        assert loaded.predict(unseen, policy).tolist() == model.predict(unseen, policy).tolist()
    for name in ("cardinality_", "n_lfs_", "reliability_", "n_patterns_", "n_iter_", "solver_"):
        assert getattr(loaded, name) == getattr(model, name)
    np.testing.assert_array_equal(loaded.class_balance_, model.class_balance_)
    np.testing.assert_array_equal(loaded.lf_accuracies_, model.lf_accuracies_)
    for name, value in model.get_params().items():
        np.testing.assert_array_equal(getattr(loaded, name), value)
    loaded.save(str(tmp_path / "again.json"))
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


@pytest.mark.parametrize(
    "L",
    [np.full((2, 2), -1), np.empty((3, 0), int), [[0, 0], [0, 0]]],
    ids=["all abstain", "no LFs", "one class"],
)
def test_models_with_little_in_them_come_back(L, tmp_path):
    L = matrix(L, 2)
    model = cs.LabelModel().fit(L)
    model.save(tmp_path / "model.json")
    loaded = cs.LabelModel.load(tmp_path / "model.json")
    assert loaded.predict_proba(L).tobytes() == model.predict_proba(L).tobytes()
    np.testing.assert_equal(loaded.reliability_, model.reliability_)


def test_saving_replaces_the_file_in_one_step(tmp_path):
    path = tmp_path / "model.json"
    fitted(0).save(path)
    fitted(1).save(path)
    unseen = matrix(UNSEEN, 3)
    want = fitted(1).predict_proba(unseen)
    assert cs.LabelModel.load(path).predict_proba(unseen).tobytes() == want.tobytes()
    assert [file.name for file in tmp_path.iterdir()] == ["model.json"]


def test_refuses_truncated_files(tmp_path):
    fitted().save(tmp_path / "model.json")
    whole = (tmp_path / "model.json").read_bytes()
    for size in np.linspace(0, len(whole) - 3, 40, dtype=int):
        (tmp_path / "cut.json").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"damaged|must be"):
            cs.LabelModel.load(tmp_path / "cut.json")


def test_a_flipped_bit_never_changes_a_prediction(tmp_path):
    model = fitted()
    model.save(tmp_path / "model.json")
    whole = (tmp_path / "model.json").read_bytes()
    want = model.predict_proba(matrix(UNSEEN, 3)).tobytes()
    refused = 0
    for at in np.random.default_rng(0).choice(len(whole) * 8, 300, replace=False).tolist():
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        (tmp_path / "flipped.json").write_bytes(flipped)
        try:
            loaded = cs.LabelModel.load(tmp_path / "flipped.json")
        except ValueError:
            refused += 1
        else:  # the last digit of a number can be past its precision
            assert loaded.predict_proba(matrix(UNSEEN, 3)).tobytes() == want
    assert refused > 290


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"damaged"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", r"damaged"),
        (b"[1, 2]", r"must be a coverset.label_model file"),
        (b"{}", r"must be a coverset.label_model file"),
        (b'{"magic": "coverset.label_matrix", "version": 1}', r"got 'coverset.label_matrix'"),
        (b'{"magic": "coverset.label_model", "version": 2}', r"has version 2; .* reads version 1"),
        (b'{"magic": "coverset.label_model", "version": 1}', r"checksum"),
        (b"[" * 100_000, r"damaged"),
    ],
)
def test_refuses_other_files(content, message, tmp_path):
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        cs.LabelModel.load(tmp_path / "other.json")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        cs.LabelModel.load(tmp_path / "none.json")


def packed(values, dtype):
    array = np.asarray(values, dtype=dtype)
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def array_of(body, name):
    entry = body["arrays"][name]
    flat = np.frombuffer(base64.b64decode(entry["data"]), dtype=entry["dtype"])
    return flat.reshape(entry["shape"]).copy()


def set_entry(name, at, value):
    """Return what puts one bad value into an array of the body."""

    def change(body):
        array = array_of(body, name)
        array.reshape(-1)[at] = value
        body["arrays"][name] = packed(array, array.dtype)

    return change


def set_fact(where, name, value):
    def change(body):
        body[where][name] = value

    return change


def huge_tables(body):
    """A hundred thousand columns by a hundred thousand classes: 80 GB of weights from 2 MB."""
    many = 100_000
    body["facts"].update(cardinality_=many, n_lfs_=many)
    body["arrays"].update(
        indptr=packed(np.arange(many + 1), "<i8"),
        label=packed(np.zeros(many), "<i2"),
        annotator=packed(np.zeros(many), "|u1"),
        votes=packed(np.ones(many), "<i8"),
        class_balance=packed(np.full(many, 1 / many), "<f8"),
    )


def no_lfs_less_one(body):
    body["facts"]["n_lfs_"] = -1
    for name, dtype in (("indptr", "<i8"), ("label", "<i2"), ("votes", "<i8")):
        body["arrays"][name] = packed([], dtype)
    body["arrays"]["annotator"] = packed([], "|u1") | {"shape": [-1]}


def drop(where, name):
    def change(body):
        del body[where][name]

    return change


HOSTILE = {
    "columns out of order": set_entry("label", 1, 2),
    "a class too large": set_entry("label", 0, 3),
    "a negative class": set_entry("label", 0, -1),
    "indptr not from zero": set_entry("indptr", 0, 1),
    "indptr falls": set_entry("indptr", 1, -1),
    "indptr past the columns": set_entry("indptr", -1, 1000),
    "indptr past all memory": set_entry("indptr", -1, 2**40),
    "indptr past all addresses": set_entry("indptr", -1, 2**60),
    "tables past all memory": huge_tables,
    "fewer than no LFs": no_lfs_less_one,
    "nan weight": set_entry("log_weight", 0, np.nan),
    "infinite weight": set_entry("log_weight", 0, np.inf),
    "nan expected votes": set_entry("expected", 0, np.nan),
    "negative expected votes": set_entry("expected", 0, -1e9),
    "nan balance": set_entry("class_balance", 0, np.nan),
    "zero balance": set_entry("class_balance", 0, 0.0),
    "nan row without votes": set_entry("silent", 0, np.nan),
    "zero row without votes": set_entry("silent", 0, 0.0),
    "negative row without votes": set_entry("silent", 0, -0.5),
    "huge shape": lambda body: body["arrays"]["expected"].update(shape=[2**62, 3]),
    "negative shape": lambda body: body["arrays"]["votes"].update(shape=[-1]),
    "shape is a number": lambda body: body["arrays"]["votes"].update(shape=5),
    "pickled objects": lambda body: body["arrays"]["votes"].update(dtype="|O"),
    "data is a number": lambda body: body["arrays"]["label"].update(data=5),
    "data is not base64": lambda body: body["arrays"]["label"].update(data="*" * 8),
    "data is short": lambda body: body["arrays"]["expected"].update(data=""),
    "no cardinality": drop("facts", "cardinality_"),
    "text cardinality": set_fact("facts", "cardinality_", "3"),
    "huge cardinality": set_fact("facts", "cardinality_", 10**30),
    "text LFs": set_fact("facts", "n_lfs_", "4"),
    "huge LFs": set_fact("facts", "n_lfs_", 2**62),
    "no weights": drop("arrays", "log_weight"),
    "unknown parameter": set_fact("parameters", "epochs", 3),
    "text option": set_fact("settings", "kappa", "many"),
    "negative kappa": set_fact("settings", "kappa", -1e6),
    "row correlation that divides by zero": set_fact("settings", "row_correlation", -1.0),
    "share of annotators above one": set_fact("settings", "annotator_share", 2.0),
    "parameters are a list": lambda body: body.update(parameters=[1]),
    "arrays are text": lambda body: body.update(arrays="label"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_refuses_hostile_content_behind_a_right_checksum(change, tmp_path):
    fitted().save(tmp_path / "model.json")
    body = json.loads((tmp_path / "model.json").read_text())["body"]
    assert array_of(body, "label")[:4].tolist() == [1, 0, 1, 2]  # LF 0, then LF 1
    change(body)
    _store.write_json(tmp_path / "hostile.json", "coverset.label_model", 1, body)
    with pytest.raises(ValueError, match=r"hostile\.json"):
        cs.LabelModel.load(tmp_path / "hostile.json")
