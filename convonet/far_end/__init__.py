"""Twilio's side of a phone call, as its documentation says: for `manage.py call`, tests and bench.

From the bottom: `wire` (messages), `ear` (what the caller hears, pure), `line` (what the caller
does), `socket` and `media_stream` (one stream), `twiml` and `phone_call` (the call around it).
"""
