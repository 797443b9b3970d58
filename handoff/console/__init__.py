"""The pages that agents, supervisors and designers use (NiceGUI).

NiceGUI reads where it may keep files when it is first imported, so the folder is named here, before any page is. The
console keeps nothing there: logins are in cookies and the database, drafts in the browser.
"""

from __future__ import annotations

import os

from handoff.settings import settings

os.environ.setdefault("NICEGUI_STORAGE_PATH", str(settings.jieli_var / "console"))
