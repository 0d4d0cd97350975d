"""Deciding what becomes of the desired state: functions of the log before a request, and the request."""
