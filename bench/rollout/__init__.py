"""What the statistics of rollouts do, over many rollouts that are drawn by chance."""
