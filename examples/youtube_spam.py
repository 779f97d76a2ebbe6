"""Labeling functions for comments under music videos: 1 is spam, 0 is not.

Columns: `text`, and `n_words`, its number of words.

    coverset label comments.parquet --lfs examples/youtube_spam.py --out labels.parquet
"""

import re

import coverset as cs

HAM, SPAM = 0, 1
class_names = ["ham", "spam"]

lfs = [
    cs.lf.keywords("text", ["subscribe", "subscribers", "sub"], SPAM, name="asks to subscribe"),
    cs.lf.keywords("text", ["check out", "check my", "check this"], SPAM, name="asks to check out"),
    cs.lf.keywords("text", ["my channel", "my video", "my music"], SPAM, name="own channel"),
    cs.lf.keywords("text", ["please", "plz", "pls"], SPAM, name="pleads"),
    cs.lf.keywords("text", ["free", "money", "$", "win", "earn"], SPAM, name="money"),
    cs.lf.keywords("text", ["facebook", "twitter", "instagram"], SPAM, name="other site"),
    cs.lf.regex("text", r"https?://|www\.|\.com\b", SPAM, flags=re.IGNORECASE, name="link"),
    cs.lf.regex("text", r"\bwatch\?v=", SPAM, name="other video"),
    cs.lf.keywords("text", ["song", "songs", "lyrics", "tune"], HAM, name="about the song"),
    cs.lf.keywords("text", ["love", "best", "awesome", "beautiful"], HAM, name="likes it"),
    cs.lf.keywords(
        "text",
        ["katy", "perry", "shakira", "eminem", "rihanna", "psy", "lmfao"],
        HAM,
        name="names the singer",
    ),
    cs.lf.regex("text", r"\b(?:19|20)\d\d\b|\bbillion\b|\bviews\b", HAM, name="years and views"),
    cs.lf.compare("n_words", "<", 5, HAM, name="short"),
    cs.lf.compare("n_words", ">", 40, SPAM, name="long"),
]
