"""The demo: a scratch repository with a small failing package, and the scripted agent that repairs it under record.

Must not use any name of runwatch but the public ones: it is a program like any other.
"""
