"""The app: screens, widgets, messages, keys, theme.

Only reads runs; asks, never does.
"""
