"""Form fields of the telephone's pages: hours and numbers as people write them, and why not."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from phone import hours
from phone.models import E164

_SIP = re.compile(r"sips?:[^\s@;?]+@[A-Za-z0-9.-]+(?::\d+)?(?:;[\w=;.-]+)?")


class HoursField(forms.CharField):
    widget = UnfoldAdminTextInputWidget

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        try:
            hours.parse(text)
        except hours.BadHours as error:
            raise ValidationError(str(error)) from None
        return text


class NumberField(forms.CharField):
    """E.164, however it is spaced; with `sip`, a SIP address as well."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, sip: bool = False, **options: Any) -> None:
        super().__init__(**{"max_length": 120, **options})
        self.sip = sip

    def clean(self, value: Any) -> str:
        text = str(super().clean(value)).strip()
        if self.sip and text.lower().startswith(("sip:", "sips:")):
            if not _SIP.fullmatch(text):
                raise ValidationError("A SIP address is written like sip:name@example.com.")
            return text
        number = re.sub(r"[\s().-]", "", text)
        if text:
            E164(number)
        return number
