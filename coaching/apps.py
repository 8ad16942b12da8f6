from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps  # by name of the module: Django looks for configs among ours


class CoachingConfig(AppConfig):
    name = "coaching"
    default = True
    default_auto_field = "django.db.models.BigAutoField"


class OperatorsAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with the site and the pages of `coaching.admin`."""

    default = False
    default_site = "coaching.admin.site.OperatorsSite"

    def ready(self) -> None:
        """The pages come after those of the other apps, some of which they replace, and after the site is there."""
        super().ready()
        import_module("coaching.admin.pages")
