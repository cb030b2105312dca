"""What services call a language, as ISO 639-1. Pure."""

from __future__ import annotations

# OpenAI's Whisper tells the English name of what it heard; these are the ones it hears well.
_CODES = {
    "afrikaans": "af",
    "arabic": "ar",
    "azerbaijani": "az",
    "belarusian": "be",
    "bulgarian": "bg",
    "bosnian": "bs",
    "catalan": "ca",
    "czech": "cs",
    "welsh": "cy",
    "danish": "da",
    "german": "de",
    "greek": "el",
    "english": "en",
    "spanish": "es",
    "estonian": "et",
    "persian": "fa",
    "finnish": "fi",
    "french": "fr",
    "galician": "gl",
    "hebrew": "he",
    "hindi": "hi",
    "croatian": "hr",
    "hungarian": "hu",
    "armenian": "hy",
    "indonesian": "id",
    "icelandic": "is",
    "italian": "it",
    "japanese": "ja",
    "kazakh": "kk",
    "kannada": "kn",
    "korean": "ko",
    "lithuanian": "lt",
    "latvian": "lv",
    "maori": "mi",
    "macedonian": "mk",
    "marathi": "mr",
    "malay": "ms",
    "nepali": "ne",
    "dutch": "nl",
    "norwegian": "no",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "slovak": "sk",
    "slovenian": "sl",
    "serbian": "sr",
    "swedish": "sv",
    "swahili": "sw",
    "tamil": "ta",
    "thai": "th",
    "tagalog": "tl",
    "turkish": "tr",
    "ukrainian": "uk",
    "urdu": "ur",
    "vietnamese": "vi",
    "chinese": "zh",
}


def iso(language: object) -> str:
    """ "English", "en", "en-US" -> "en"; empty for what is no language."""
    if not isinstance(language, str):
        return ""
    name = language.strip().lower()
    if name in _CODES:
        return _CODES[name]
    code = name.replace("_", "-").partition("-")[0]
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""
