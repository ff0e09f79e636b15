"""Widgets that screens are made of, each with its style sheet beside it.

None of them knows a screen; what they want goes up as messages.
"""
