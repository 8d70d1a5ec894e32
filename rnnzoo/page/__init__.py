"""Pages of HTML: one file each, without anything from a network, on light and dark screens of any width."""
