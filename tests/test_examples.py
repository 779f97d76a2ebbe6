"""The example LF files, run from the command line on real comments."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from coverset import cli

LF_FILE = Path(__file__).parents[1] / "examples" / "youtube_spam.py"


@pytest.fixture
def comments(test_data, tmp_path):
    """Write train and test comments as Parquet; return gold for both."""
    gold = {}
    for part in ("train", "test"):
        lines = (test_data / "text" / "youtube" / f"{part}.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        texts = [row["text"] for row in rows]
        table = pa.table({"text": texts, "n_words": [len(text.split()) for text in texts]})
        pa.parquet.write_table(table, tmp_path / f"{part}.parquet")
        gold[part] = np.array([row["label"] for row in rows])
    return gold


@pytest.mark.parametrize("part", ["train", "test"])
def test_label_model_beats_majority_vote_on_spam_comments(comments, part, tmp_path, capsys):
    accuracy = {}
    for model in ("majority-vote", "label-model"):
        out = tmp_path / f"{model}.parquet"
        table = str(tmp_path / f"{part}.parquet")
        arguments = ["label", table, "--lfs", str(LF_FILE), "--out", str(out), "--model", model]
        assert cli.main(arguments) == 0
        labels = pa.parquet.read_table(out)
        assert labels.column_names == ["row", "p_ham", "p_spam", "label", "n_votes"]
        proba = np.column_stack([labels["p_ham"], labels["p_spam"]])
        tied = proba[:, 0] == proba[:, 1]
        right = proba.argmax(axis=1) == comments[part]
        accuracy[model] = float(np.where(tied, 0.5, right).mean())  # a tie is right half the time
    capsys.readouterr()
    print(part, accuracy)
    assert accuracy["label-model"] > accuracy["majority-vote"]
