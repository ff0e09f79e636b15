"""The outside (process, files, git, markers) turned into events.

No metrics, no journal.
"""
