"""The project: settings and the composition of processes; nothing about voice or todos."""

__version__ = "0.1.0"
