"""The kinds of labeling functions that users write."""
