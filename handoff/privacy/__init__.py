"""Personal data: found (`finder`), hidden (`masking`, `logs`), kept no longer than needed (`retention`), given out
(`export`) and removed on request (`erasure`).

`finder`, `masking` and `logs` need only the standard library and run on Python 3.10, because the bot uses them too.
"""
