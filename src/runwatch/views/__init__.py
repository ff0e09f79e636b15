"""Metrics as text, bytes or rows: one module a format, each a pure function.

No disk, no clock, no metric computed, nothing redacted: what comes in is ready to be shown.
"""
