"""``runwatch serve``: metrics for Prometheus and health for whoever asks, over HTTP.

Must not write into a run, nor make a commit.
"""
