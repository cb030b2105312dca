"""The web process beside its calls: the threads that answer requests, and what it gives back."""
