"""Asking other programs of a Linux desktop for something. Their answer is not waited for."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def call(service: str, path: str, interface: str, member: str, arguments: Sequence[object]) -> bool:
    """True where ``service`` runs or can be started, and was asked.

    Lists of strings and maps of strings to values go as they are; unsigned numbers cannot be sent.
    """
    if not sys.platform.startswith("linux"):
        return False
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    names = bus.interface()
    if not names.isServiceRegistered(service).value() and service not in names.activatableServiceNames().value():
        return False
    message = QDBusMessage.createMethodCall(service, path, interface, member)
    message.setArguments(list(arguments))
    return bus.send(message)
