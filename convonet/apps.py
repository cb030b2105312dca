from django.apps import AppConfig


class ConvonetConfig(AppConfig):
    name = "convonet"

    def ready(self) -> None:
        from convonet import page_events

        page_events.connect()
