"""Whether anything is left of calls and turns that are over."""
