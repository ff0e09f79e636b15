"""The run directory and every byte in it: paths, append, follow, logs by step, lock.

Never interprets an event.
"""
