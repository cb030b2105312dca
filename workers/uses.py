"""What workers report of the providers they asked; the call does so by `voice.uses` itself."""

from voice.uses import Stage, Use, Why, record

__all__ = ["Stage", "Use", "Why", "record"]
