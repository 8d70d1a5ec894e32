"""The class of a sequence or of an image."""
