from django.apps import AppConfig


class MonitorConfig(AppConfig):
    name = "monitor"
    verbose_name = "Monitor"

    def ready(self) -> None:
        from todo.signals import serving

        serving.connect(_tool_server_serves, dispatch_uid="monitor")


def _tool_server_serves(**_: object) -> None:
    from monitor import lookout, recorder

    recorder.start(lookout.TOOLS)
