"""What models learn from votes: their tables and sums, dependencies, factors."""
