"""The commands: parse, call one function, map errors.

No loop, no rule of the business.
"""
