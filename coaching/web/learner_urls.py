"""Paths of the learner's pages, but for those of a cook and of the chat rooms."""

from django.urls import path
from django.views.generic import RedirectView

from coaching.web import account, accounts, installable, learning, onboarding, public

urlpatterns = [
    path("", public.show_landing, name="landing"),
    path("terms/", public.show_document, {"name": "terms"}, name="terms"),
    path("privacy/", public.show_document, {"name": "privacy"}, name="privacy"),
    path("commerce/", public.show_document, {"name": "commerce"}, name="commerce"),
    path("manifest.webmanifest", installable.describe_app, name="manifest"),
    path("service-worker.js", installable.serve_worker, name="service_worker"),
    path("offline/", installable.show_offline, name="offline"),
    path("register/", accounts.register, name="register"),
    path("login/", accounts.log_in, name="login"),
    path("logout/", accounts.log_out, name="logout"),
    path("verify/<str:token>/", accounts.verify_email, name="verify_email"),
    path("verify/", accounts.resend_verification, name="resend_verification"),
    path("password/", accounts.request_reset, name="request_reset"),
    path("password/<str:user_code>/<str:token>/", accounts.reset_password, name="reset_password"),
    path("onboarding/", onboarding.take_up, name="onboarding"),
    path("onboarding/<slug:step>/", onboarding.answer_step, name="onboarding_step"),
    path("dashboard/", learning.show_home, name="dashboard"),
    path("dishes/", RedirectView.as_view(pattern_name="dashboard")),
    path("dishes/<slug:slug>/", learning.show_dish, name="dish"),
    path("progress/", learning.show_progress, name="progress"),
    path("account/", account.show_account, name="account"),
    path("account/name/", account.change_name, name="change_name"),
    path("account/email/", account.change_email, name="change_email"),
    path("account/password/", account.change_password, name="change_password"),
    path("account/footage/", account.delete_footage, name="delete_footage"),
    path("account/export/", account.export_data, name="export_data"),
    path("account/delete/", account.delete_account, name="delete_account"),
    path("account/consents/", account.change_consents, name="change_consents"),
]
