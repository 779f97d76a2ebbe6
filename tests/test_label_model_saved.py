"""Saved models: files of older versions, and models that go on learning after they were loaded."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

import coverset as cs
from coverset import _store
from coverset.compat.snorkel.labeling.model import LabelModel as SnorkelModel
from coverset.label_model.models import storage
from label_model_examples import matrix
from label_model_reference import planted_votes

SAVED = Path(__file__).parent / "saved" / "label_model"
OLDER = json.loads((SAVED / "predictions.json").read_text())


def rows_of_older():
    names = [f"lf{j}" for j in range(5)]
    return cs.LabelMatrix.from_dense(np.array(OLDER["votes"]), 3, lf_names=names)


# --- files of version 0.1.0, which hold no statistics --------------------------------------------


@pytest.mark.parametrize("name", sorted(set(OLDER["models"]) - {"snorkel_label_model"}))
def test_older_files_predict_the_same_bytes(name, tmp_path):
    older = OLDER["models"][name]
    model = getattr(cs, older["kind"]).load(SAVED / f"{name}.json")
    want = np.array(older["probabilities"], dtype=np.float32)
    assert model.predict_proba(rows_of_older()).tobytes() == want.tobytes()
    model.save(tmp_path / "again.json")
    again = type(model).load(tmp_path / "again.json")
    assert again.predict_proba(rows_of_older()).tobytes() == want.tobytes()
    assert again.get_params() == model.get_params()


@pytest.mark.parametrize("name", sorted(set(OLDER["models"]) - {"snorkel_label_model"}))
def test_older_files_hold_no_statistics(name):
    model = getattr(cs, OLDER["models"][name]["kind"]).load(SAVED / f"{name}.json")
    if name == "majority_vote":
        assert model.partial_fit(rows_of_older()).cardinality_ == 3
        return
    with pytest.raises(ValueError, match="holds no statistics to add to"):
        model.partial_fit(rows_of_older())


def test_older_files_keep_what_was_learned():
    model = cs.LabelModel.load(SAVED / "label_model_factors.json")
    assert [pair[:2] for pair in model.factors_] == [(0, 2), (3, 4)]
    assert model.dependency_graph_.lf_names == ("lf0", "lf1", "lf2", "lf3", "lf4")
    pairs = cs.LabelModel.load(SAVED / "label_model_pairs.json")
    assert pairs.lf_clusters_ == [(3, 4)]
    assert pairs.class_balance_.tolist() == [0.3, 0.3, 0.4]
    assert cs.LabelModel.load(SAVED / "label_model_rows.json").solver_ == "rows"
    assert cs.MajorityVote.load(SAVED / "majority_vote.json").seed == 3


def test_an_older_file_of_the_snorkel_layer():
    model = SnorkelModel()
    model.load(str(SAVED / "snorkel_label_model.json"))
    want = OLDER["models"]["snorkel_label_model"]["probabilities"]
    np.testing.assert_allclose(model.predict_proba(np.array(OLDER["votes"])), want, rtol=1e-12)


# --- a loaded model goes on ----------------------------------------------------------------------

MODELS = {
    "majority_vote": cs.MajorityVote,
    "label_model": cs.LabelModel,
    "none": lambda: cs.LabelModel(dependencies="none"),
    "sgd": lambda: cs.LabelModel(solver="sgd", seed=4),
    "pairs by name": lambda: cs.LabelModel(dependencies={("lf3", "lf4"), ("lf0", "lf1")}),
    "groups": lambda: cs.LabelModel(groups={"one": (0, 1), 2: (2, 3)}),
    "named groups": lambda: cs.LabelModel(groups=[("a", 1), ("a", 1), None, "b", "b"]),
    "factors": lambda: cs.LabelModel(dependencies="factors"),
    "balance": lambda: cs.LabelModel(class_balance=np.array([0.3, 0.3, 0.4])),
    "dawid_skene": cs.DawidSkene,
    "outcome": lambda: cs.DawidSkene(abstain="outcome", confusion="class"),
    "moment_model": lambda: cs.MomentModel(prec_init=np.full(5, 0.8)),
    "triplet_model": cs.TripletModel,
}


@pytest.fixture(scope="module")
def parts():
    """Three parts of votes of five LFs, of which one copies another; and gold of some."""
    votes, y = planted_votes(900, [0.85, 0.75, 0.65, 0.7], 3, seed=5)
    rng = np.random.default_rng(6)
    copy = np.where(rng.random(900) < 0.9, votes[:, 3], rng.integers(0, 3, 900))
    votes = np.column_stack([votes, copy])
    votes[rng.random(votes.shape) < 0.3] = -1
    votes[:, 1][votes[:, 1] != 1] = -1
    L = cs.LabelMatrix.from_dense(
        votes, 3,
        lf_names=[f"lf{j}" for j in range(5)],
        class_names=["a", "b", "c"],
        polarity=[None, [1], None, [0, 1, 2], None],
    )  # fmt: skip
    gold = np.where(rng.random(900) < 0.1, y, -1)
    return [(L[rows], gold[rows]) for rows in np.split(np.arange(900), [300, 500])]


def saved_again(model, path):
    model.save(path)
    return type(model).load(path)


def assert_same(model, want, L):
    assert model.predict_proba(L).tobytes() == want.predict_proba(L).tobytes()
    learned = {name: value for name, value in vars(want).items() if name.endswith("_")}
    for name, value in learned.items():
        np.testing.assert_array_equal(getattr(model, name), value, err_msg=name)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_loaded_model_goes_on_as_if_it_was_never_saved(make, parts, tmp_path):
    (first, y), (second, z), (third, _) = parts
    kept = make().fit(first, y)
    loaded = saved_again(kept, tmp_path / "first.json")
    assert_same(loaded, kept, third)
    given, wanted = loaded.get_params(), kept.get_params()
    np.testing.assert_equal(given, wanted)
    assert {n: type(v) for n, v in given.items()} == {n: type(v) for n, v in wanted.items()}
    for model in (kept, loaded):
        model.partial_fit(second, z)
    assert_same(loaded, kept, third)
    assert_same(saved_again(loaded, tmp_path / "second.json"), kept, third)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_loaded_models_merge_as_if_they_were_never_saved(make, parts, tmp_path):
    kept = [make().fit(*part) for part in parts[:2]]
    loaded = [saved_again(model, tmp_path / "model.json") for model in kept]
    mixed = saved_again(kept[0], tmp_path / "model.json").merge(kept[1])
    want = kept[0].merge(kept[1])
    assert_same(loaded[0].merge(loaded[1]), want, parts[2][0])
    assert_same(mixed, want, parts[2][0])


def test_the_loss_of_a_loaded_model(parts, tmp_path):
    model = cs.MomentModel().fit(parts[0][0])
    mu = np.full((15, 3), 0.2)
    assert saved_again(model, tmp_path / "model.json").loss(mu) == model.loss(mu)
    model.save(tmp_path / "small.json", statistics=False)
    with pytest.raises(ValueError, match="holds no statistics"):
        cs.MomentModel.load(tmp_path / "small.json").loss(mu)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_parameters_come_back_as_they_were(make, parts, tmp_path):
    model = make().fit(parts[0][0])
    got, want = saved_again(model, tmp_path / "model.json").get_params(), model.get_params()
    for name, value in want.items():
        assert type(got[name]) is type(value), name
        np.testing.assert_equal(got[name], value)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_small_file_predicts_only(make, parts, tmp_path):
    model = make().fit(*parts[0])
    model.save(tmp_path / "whole.json")
    model.save(tmp_path / "small.json", statistics=False)
    whole, small = (json.loads((tmp_path / f"{s}.json").read_text()) for s in ("whole", "small"))
    assert small["body"] == whole["body"] | {"statistics": None}
    loaded = type(model).load(tmp_path / "small.json")
    assert_same(loaded, model, parts[2][0])
    if type(model) is not cs.MajorityVote:
        with pytest.raises(ValueError, match="fit it again, and save it with statistics=True"):
            loaded.partial_fit(*parts[1])


def test_statistics_too_large_for_a_file_are_left_out(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "_MOST_BYTES", 100)
    model = cs.DawidSkene().fit(*parts[0])
    with pytest.warns(UserWarning, match=r"saved without statistics: .* bytes") as warned:
        model.save(tmp_path / "model.json")
    assert warned[0].filename == __file__
    assert_same(cs.DawidSkene.load(tmp_path / "model.json"), model, parts[2][0])


def test_a_matrix_without_rows_or_names(tmp_path):
    none = cs.LabelMatrix.from_csr([0], [], [], n_lfs=3, cardinality=2)
    L = matrix([[0, 1, 1], [1, 1, -1], [0, 0, 0]])
    for kind in (cs.LabelModel, cs.DawidSkene, cs.MomentModel, cs.TripletModel):
        kept = kind().fit(none)
        assert_same(
            saved_again(kept, tmp_path / "model.json").partial_fit(L), kept.partial_fit(L), L
        )


# --- hostile statistics --------------------------------------------------------------------------


def packed(values, dtype):
    array = np.asarray(values, dtype=dtype)
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def set_entry(name, at, value):
    """Return what puts one bad value into an array of the statistics."""

    def change(statistics):
        entry = statistics[name]
        array = np.frombuffer(base64.b64decode(entry["data"]), dtype=entry["dtype"]).copy()
        array[at] = value
        statistics[name] = packed(array, array.dtype)

    return change


def set_fact(name, value):
    return lambda statistics: statistics.update({name: value})


def drop(name):
    return lambda statistics: statistics.pop(name)


ANY = {
    "nothing": lambda statistics: statistics.clear(),
}
PATTERNS = ANY | {
    "indptr not from zero": set_entry("indptr", 0, 1),
    "indptr falls": set_entry("indptr", 9, 0),
    "indptr past the votes": set_entry("indptr", -1, 2**60),
    "an LF too large": set_entry("lfs", 0, 5),
    "a negative LF": set_entry("lfs", 0, -1),
    "an LF twice in a row": lambda s: s.update(
        indptr=packed([0, 2], "<i8"), lfs=packed([1, 1], "<i4"), labels=packed([0, 0], "<i2"),
        weight=packed([1], "<f8"), gold=packed([-1], "<i2"),
    ),
    "a class too large": set_entry("labels", 0, 3),
    "nan weight": set_entry("weight", 0, np.nan),
    "infinite weight": set_entry("weight", 0, np.inf),
    "no row": set_entry("weight", 0, 0.0),
    "part of a row": set_entry("weight", 0, 1.5),
    "more rows than numbers": set_entry("weight", slice(0, 2), 2.0**53),
    "gold too large": set_entry("gold", 0, 3),
    "gold below unknown": set_entry("gold", 0, -2),
    "short gold": set_fact("gold", packed([0], "<i2")),
    "weights of another type": set_fact("weight", packed([1], "<i8")),
    "no names": drop("lf_names"),
    "names of other LFs": set_fact("lf_names", ["a"]),
    "names are numbers": set_fact("lf_names", [1, 2, 3, 4, 5]),
    "one class name twice": set_fact("class_names", ["a", "a", "b"]),
    "a polarity of no class": set_fact("polarity", [[7]] * 5),
    "polarity is a number": set_fact("polarity", 3),
    "huge shape": lambda s: s["weight"].update(shape=[2**62]),
    "two dimensions": lambda s: s["weight"].update(shape=[1, len(s)]),
    "shape is text": lambda s: s["indptr"].update(shape="many"),
    "objects": lambda s: s["indptr"].update(dtype="|O"),
    "data is a number": lambda s: s["labels"].update(data=5),
}  # fmt: skip
PAIRS = ANY | {
    "no rows at all": set_fact("n", 0),
    "text rows": set_fact("n", "many"),
    "huge n": set_fact("n", 2**60),
    "votes out of order": set_entry("vote", 0, 2),
    "a vote too large": set_entry("vote", -1, 15),
    "a negative vote": set_entry("vote", 0, -1),
    "a vote on nothing": set_entry("rows", 0, 0.0),
    "part of a vote": set_entry("rows", 0, 0.5),
    "nan votes": set_entry("rows", 0, np.nan),
    "pairs out of order": set_entry("pair", 0, 2**40),
    "a pair from the other end": set_entry("pair", 0, -(2**63)),
    "a pair of one LF": set_entry("pair", 0, 1),
    "a vote paired with itself": set_entry("pair", 0, 0),
    "a pair of a vote that nobody cast": set_entry("pair", 0, 3),  # LF 1 votes for class 1 only
    "more common rows than rows": set_entry("rows_both", 0, 1e6),
    "infinite common rows": set_entry("rows_both", 0, np.inf),
    "short counts": set_fact("rows_both", packed([1], "<f8")),
    "no pairs": drop("pair"),
}
HOSTILE = [
    pytest.param(kind, change, id=f"{kind.__name__}, {name}")
    for kind, changes in (
        (cs.LabelModel, PATTERNS), (cs.DawidSkene, PATTERNS),
        (cs.MomentModel, PAIRS), (cs.TripletModel, PAIRS),
    )
    for name, change in changes.items()
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change"), HOSTILE)
def test_refuses_hostile_statistics_behind_a_right_checksum(kind, change, parts, tmp_path):
    kind().fit(*parts[0]).save(tmp_path / "model.json")
    body = json.loads((tmp_path / "model.json").read_text())["body"]
    change(body["statistics"])
    _store.write_json(tmp_path / "hostile.json", kind._magic, 1, body)
    with pytest.raises(ValueError, match=r"hostile\.json does not hold a valid"):
        kind.load(tmp_path / "hostile.json")


@pytest.mark.parametrize("statistics", [5, "many", [1], {}, {"n": 1}])
@pytest.mark.parametrize("kind", [cs.MajorityVote, cs.LabelModel, cs.MomentModel])
def test_refuses_statistics_of_another_kind(kind, statistics, parts, tmp_path):
    kind().fit(*parts[0]).save(tmp_path / "model.json")
    body = json.loads((tmp_path / "model.json").read_text())["body"]
    _store.write_json(tmp_path / "hostile.json", kind._magic, 1, body | {"statistics": statistics})
    with pytest.raises(ValueError, match=r"hostile\.json does not hold a valid"):
        kind.load(tmp_path / "hostile.json")


@pytest.mark.parametrize(
    "groups",
    [
        {"array": {"dtype": "|O", "shape": [1], "data": "AAAAAAAAAAA="}},
        {"array": {"dtype": "<f8", "shape": [2**62], "data": ""}},
        {"pickle": "gASVBAAAAAAAAAB9lC4="},
        {"tuple": 5},
        {"mapping": [[[], 1]]},
        {"tuple": [], "set": []},
    ],
)
def test_refuses_hostile_parameters(groups, parts, tmp_path):
    cs.LabelModel().fit(parts[0][0]).save(tmp_path / "model.json")
    body = json.loads((tmp_path / "model.json").read_text())["body"]
    body["parameters"]["groups"] = groups
    _store.write_json(tmp_path / "hostile.json", "coverset.label_model", 1, body)
    with pytest.raises(ValueError, match=r"hostile\.json does not hold a valid LabelModel"):
        cs.LabelModel.load(tmp_path / "hostile.json")


@pytest.mark.parametrize(
    ("name", "value"), [("n_iter_", -1), ("n_iter_", "3"), ("solver_", 3), ("reliability_", "high")]
)
def test_refuses_hostile_facts(name, value, parts, tmp_path):
    cs.LabelModel().fit(parts[0][0]).save(tmp_path / "model.json")
    body = json.loads((tmp_path / "model.json").read_text())["body"]
    body["facts"][name] = value
    _store.write_json(tmp_path / "hostile.json", "coverset.label_model", 1, body)
    with pytest.raises(ValueError, match=r"hostile\.json does not hold a valid LabelModel"):
        cs.LabelModel.load(tmp_path / "hostile.json")
