"""All runs together: find, list, compare, report, retention.

Must not write into a run.
"""
