"""What to do at the end of a run, and doing it: reports, archive, summary, commit, recovery.

No user interface. Every act can be repeated.
"""
