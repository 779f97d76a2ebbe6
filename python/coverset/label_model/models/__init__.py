"""The label models, and what all of them share."""
