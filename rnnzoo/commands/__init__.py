"""The command line, one file a command. `rnnzoo.__main__` dispatches."""
