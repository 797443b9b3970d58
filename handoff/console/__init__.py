"""The pages that agents, supervisors and designers use (NiceGUI).

NiceGUI reads where it may keep files when it is first imported, so the folder is named here, before any page is.
"""

from __future__ import annotations

import os

from handoff.settings import settings

STORAGE = settings.jieli_var / "console"
os.environ.setdefault("NICEGUI_STORAGE_PATH", str(STORAGE))
if settings.redis_url:
    os.environ.setdefault("NICEGUI_REDIS_URL", settings.redis_url)
    os.environ.setdefault("NICEGUI_REDIS_KEY_PREFIX", "jieli:console:")
