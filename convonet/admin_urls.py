"""Every page, the admin's too: loaded by the web process when somebody first asks for one of those.

With what the admin is made of that is 4 to 9 MB, which most web processes never need.
"""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from convonet import urls

admin.autodiscover()
urlpatterns = [path("admin/", admin.site.urls), *urls.urlpatterns]
