"""Training: configurations, the jitted update, the job on the host, run folders."""
