"""The Celery tasks: thin, ids only.

`transcribe(utterance_id, call_id)`, `run_turn(turn_id)`, `speak(turn_id, seq)`,
`fire_due_reminders()`.
"""
