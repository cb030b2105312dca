"""The forty spoken commands: what must be true after each, and the run that checks it."""
