"""What the model on the line is told beside its instructions, and what callers are told of it."""

from __future__ import annotations

# To the model ------------------------------------------------------------------------------------
RULE = (
    "When you could not make out what the caller said, or it was only noise, say so and ask them "
    "to say it again. Never guess at words, and use no tool on words you are not sure of."
)
UNCLEAR = (
    "The caller's last words could not be made out. Do not guess what they were and do nothing "
    "about them: ask the caller, in one short sentence, to say it again."
)
LATER = (
    "The caller has said something else since, which is answered next. Answer only what they asked "
    "before that, and do nothing about the rest now."
)
GREET = "Greet the caller in one short sentence and ask what you can do."
NOT_UNDERSTOOD = "Not done: the caller's words could not be made out. Ask them to say it again."
NOT_RUN = "Not done: this could not be handed on. Nothing was changed."
NOT_BEGUN = "Not done: the caller interrupted before it was begun."
NOT_KNOWN = "It is not known whether this was done: the caller interrupted."

# To the caller -----------------------------------------------------------------------------------
BROKE_OFF = "Sorry, I lost my voice in the middle of that sentence. Please ask again for the rest."
