"""The commands of `tests/commands/set` spoken to a language model, and what became of them."""
