"""Kills parts of the running product while people talk to it, and checks what they were told."""
