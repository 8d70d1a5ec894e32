"""Networks with the block layouts of papers, at any size."""
