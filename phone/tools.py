"""The telephone's tools, as the tool server lists them."""

from __future__ import annotations

from phone import connecting
from todo.tools.catalogue import Tool

TOOLS: tuple[Tool, ...] = (
    Tool(
        "transfer_to_person",
        connecting.connect,
        "Connect with a person",
        "Connect the caller with a person: their telephone rings once you have said so. Only when"
        " the caller asks to speak with somebody.",
        {
            "department": {
                "type": "string",
                "description": "The department or the person, in the caller's own words (“sales”,"
                " “Anna”); left out if they named none",
                "maxLength": 100,
            },
            "reason": {
                "type": "string",
                "description": "What it is about, in one short sentence: told to the person",
                "maxLength": 200,
            },
        },
        ("reason",),
    ),
)
