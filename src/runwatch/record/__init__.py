"""Supervisor, guardian and recorder: opening a run, holding the command, draining sources to the journal.

Hands over to the finalizer at the end; interprets nothing itself.
"""
