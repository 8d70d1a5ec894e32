"""Tasks whose sequences are drawn at random: nothing is stored, and training data never end."""
