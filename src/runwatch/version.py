"""The version of this package. Must import nothing."""

VERSION = "0.1.0"
