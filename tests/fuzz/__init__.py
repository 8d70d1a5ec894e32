"""Coverage-guided fuzzing of all that reads what may come from anywhere: `python -m tests.fuzz`."""
