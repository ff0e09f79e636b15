"""The public Python recorders.

They emit; they compute nothing; only the log handler writes anything but events.
"""
