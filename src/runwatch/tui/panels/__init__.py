"""The panels of the main screen, one module each: metrics in, fitted lines out.

Nothing is measured or computed here, and nothing is drawn: a widget shows the lines.
"""
