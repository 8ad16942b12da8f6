"""The API's paths, under /api/."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import IsAdminUser

from coaching.api.views import accounts, base, chat, dishes, sessions

urlpatterns = [
    path("auth/register/", accounts.RegisterView.as_view()),
    path("auth/login/", accounts.LoginView.as_view()),
    path("auth/logout/", accounts.LogoutView.as_view()),
    path("auth/me/", accounts.MeView.as_view()),
    path("onboarding/", accounts.OnboardingView.as_view()),
    path("dishes/", dishes.DishListView.as_view()),
    path("dishes/<slug:slug>/", dishes.DishView.as_view()),
    path("learner-state/", dishes.LearnerStateView.as_view()),
    path("sessions/", sessions.SessionListView.as_view()),
    path("sessions/<int:session_id>/", sessions.SessionDetailView.as_view()),
    path("sessions/<int:session_id>/uploads/", sessions.UploadListView.as_view()),
    path("sessions/<int:session_id>/upload/", sessions.VideoUploadView.as_view()),
    path("sessions/<int:session_id>/voice-memo/", sessions.VoiceMemoView.as_view()),
    path("sessions/<int:session_id>/ratings/", sessions.RatingsView.as_view()),
    path("sessions/<int:session_id>/submit/", sessions.SubmitView.as_view()),
    path("chat/rooms/", chat.RoomListView.as_view()),
    path("chat/rooms/<str:room_type>/messages/", chat.MessageListView.as_view()),
    path("chat/replies/<int:reply_id>/", chat.ReplyView.as_view()),
    path("chat/replies/<int:reply_id>/again/", chat.AskAgainView.as_view()),
    path("schema/", SpectacularJSONAPIView.as_view(permission_classes=[IsAdminUser])),
    re_path(r"^.*$", base.UnknownPathView.as_view()),
]
