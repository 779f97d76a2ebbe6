"""Plans: which pass runs which functions; their run over a table, and the report of it."""
