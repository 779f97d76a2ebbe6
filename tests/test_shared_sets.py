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
    assert improvements[name] >= -0.05


def test_default_is_above_majority_vote_on_average(test_data, improvements):
    for name in MATRICES + CROWDS:
        if name not in improvements:  # this test alone
            improvements[name] = improvement(test_data, name)
    mean = np.mean([improvements[name] for name in MATRICES + CROWDS])
    print(f"mean {mean:+.4f}, worst {min(improvements.values()):+.4f}")
    assert mean >= 0.02


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
