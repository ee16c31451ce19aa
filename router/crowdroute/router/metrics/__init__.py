"""What a running engine measures, for Prometheus: read when it is asked for, and served over HTTP."""
