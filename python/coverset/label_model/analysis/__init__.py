"""What stands on models: rows to look at, choices, dependencies, pages."""
