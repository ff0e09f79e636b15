"""What in this place would keep a run from being recorded or committed, found before it happens.

Must not leave anything behind or change anything: what is tried for real is tried in temporary files.
"""
