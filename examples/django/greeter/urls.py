"""What is where."""

from django.urls import path, re_path

from greeter import views

urlpatterns = [
    path("", views.Greeting.as_view(), name="greeting"),
    re_path(r"^echo(?:/.*)?$", views.echo),
    path("bytes", views.every_byte),
    path("cookies", views.cookies),
    path("events", views.events),
    path("status/<int:code>", views.status),
]
