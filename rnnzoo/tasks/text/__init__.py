"""Language models of characters, bytes and words."""
