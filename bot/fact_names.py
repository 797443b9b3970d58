"""The names of what a customer can tell us once and for all; the desk knows them by the same names."""

FACT_NAMES = (
    "order_number",
    "phone_last4",
    "product",
    "device_model",
    "phone_model",
    "os",
    "os_version",
    "app_version",
    "firmware_version",
    "symptom",
    "error_code",
    "purchased_at",
)
