"""One default LabelModel on real votes, held against the majority vote."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs

MATRICES = (
    "llm_sms",
    "llm_youtube",
    "llm_youtube_paraphrased",
    "sms",
    "tennis",
    "trec",
    "youtube",
)
CROWDS = ("SP", "ZenCrowd_all", "bluebird", "dog", "product", "relevance", "rte", "web")


def crowd(test_data, name):
    """Return the votes and gold of a crowd set."""
    with np.load(test_data / "crowd" / f"{name}.npz") as file:
        L = cs.LabelMatrix.from_triplets(
            file["rows"],
            file["lfs"],
            file["labels"],
            shape=(int(file["n_rows"]), int(file["n_lfs"])),
            cardinality=int(file["cardinality"]),
            duplicates="majority",
        )
        return L, file["gold"]


def task(test_data, name):
    """Return the votes to fit on, those to score on, their gold, and the metric."""
    if name in CROWDS:
        L, gold = crowd(test_data, name)
        return L, L, gold, "accuracy"
    with np.load(test_data / "label_matrices" / f"{name}.npz") as file:
        train, test = (
            cs.LabelMatrix.from_dense(file[part], int(file["cardinality"]))
            for part in ("train_L", "test_L")
        )
        return train, test, file["test_y"], str(file["metric"])


def score(model, test, gold, metric):
    """Return the mean score over ten draws of the ties."""
    scores = []
    for seed in range(10):
        model.set_params(seed=seed)
        scores.append(model.score(test, gold, metric, tie_break_policy="random"))
    return np.mean(scores)


def improvement(test_data, name):
    """Return how far the default model is above majority vote."""
    train, test, gold, metric = task(test_data, name)
    model = score(cs.LabelModel().fit(train), test, gold, metric)
    majority = score(cs.MajorityVote().fit(train), test, gold, metric)
    print(f"{name:24} {metric:8} majority {majority:.3f} model {model:.3f} {model - majority:+.3f}")
    return model - majority


@pytest.fixture(scope="module")
def improvements():
    return {}


@pytest.mark.parametrize("name", MATRICES + CROWDS)
def test_default_is_nowhere_far_below_majority_vote(test_data, improvements, name):
    improvements[name] = improvement(test_data, name)
    assert improvements[name] >= -0.03


def test_default_is_above_majority_vote_on_average(test_data, improvements):
    for name in MATRICES + CROWDS:
        if name not in improvements:  # this test alone
            improvements[name] = improvement(test_data, name)
    mean = np.mean([improvements[name] for name in MATRICES + CROWDS])
    print(f"mean {mean:+.4f}, worst {min(improvements.values()):+.4f}")
    assert mean >= 0.03


@pytest.mark.parametrize(
    ("name", "most"), [("youtube", 0.005), ("trec", 0.005), ("sms", 0.005), ("llm_youtube", 0.03)]
)
def test_ten_copies_of_a_function_change_little(test_data, name, most):
    """Of the functions with the most votes, each copy without a tenth of them."""
    L = task(test_data, name)[0]
    votes, rng = L.to_dense(), np.random.default_rng(0)
    before = cs.LabelModel().fit(L).predict_proba(L)
    changes = []
    for lf in np.argsort(-(votes >= 0).sum(axis=0))[:6]:
        copies = np.where(rng.random((len(votes), 10)) < 0.1, -1, votes[:, [lf]])
        for rest in (votes, np.delete(votes, lf, axis=1)):
            wide = cs.LabelMatrix.from_dense(np.hstack([rest, copies]), L.cardinality)
            changes.append(np.abs(cs.LabelModel().fit(wide).predict_proba(wide) - before).mean())
    added, instead = changes[::2], changes[1::2]
    assert max(added) <= most
    assert np.mean(instead) <= most


def test_dependencies_cost_nothing_on_average(test_data):
    """Weights against independence, over the label matrices."""
    gains = []
    for name in MATRICES:
        train, test, gold, metric = task(test_data, name)
        auto, none = (cs.LabelModel(dependencies=d).fit(train) for d in ("auto", "none"))
        gains.append(score(auto, test, gold, metric) - score(none, test, gold, metric))
    assert np.mean(gains) >= 0


@pytest.mark.parametrize(
    ("name", "repeated", "unlike_the_first", "pairs"),
    [("ZenCrowd_all", 1730, 278, 247), ("relevance", 1570, 283, 277)],
)
def test_repeated_answers_are_counted(test_data, name, repeated, unlike_the_first, pairs):
    with np.load(test_data / "crowd" / f"{name}.npz") as file:
        answers = {}
        for row, lf, label in zip(file["rows"], file["lfs"], file["labels"], strict=True):
            answers.setdefault((int(row), int(lf)), []).append(int(label))
    assert sum(len(given) - 1 for given in answers.values()) == repeated
    assert sum(label != given[0] for given in answers.values() for label in given) == (
        unlike_the_first
    )
    report = crowd(test_data, name)[0].duplicates
    assert report.repeated == repeated
    assert report.conflicting == pairs  # (row, LF) pairs whose answers differed


@pytest.mark.parametrize("name", sorted(set(CROWDS) - {"ZenCrowd_all", "relevance"}))
def test_other_crowds_answered_once(test_data, name):
    assert crowd(test_data, name)[0].duplicates == (0, 0, 0)
