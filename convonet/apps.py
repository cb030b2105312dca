from django.apps import AppConfig


class ConvonetConfig(AppConfig):
    name = "convonet"

    def ready(self) -> None:
        from convonet import census, checks, page_events  # noqa: F401  # registers the checks

        page_events.connect()
        census.answer_when_asked()
