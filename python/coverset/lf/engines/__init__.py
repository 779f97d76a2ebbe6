"""What runs labeling functions: passes over a column, and what they search and compare with."""
