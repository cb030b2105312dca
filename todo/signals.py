"""What the rest of the product may listen to; sent after commit."""

from django.dispatch import Signal

# owner_id: int, summary: str, change_id: int | None, todo_ids: list[int], reminder_ids: list[int]
changed = Signal()
# The tool server begins to serve.
serving = Signal()
