"""What may be shown of a person: enough to recognise one's own data, too little to learn another's."""

import re

_STREET_ZH = re.compile(r"^.*?(?:大道|路|街|道|巷|弄|胡同)")
_STREET_EN = re.compile(r"(?:[A-Z][A-Za-z']+ )+(?:Road|Street|Avenue|Lane|Boulevard|Rd|St|Ave)\b")
_SHOWN_WITHOUT_STREET = 3


def mask_name(name: str) -> str:
    """王小明 → 王**, Emily Carter → E***."""
    if name.isascii():
        return name[:1] + "***"
    return name[:1] + "*" * max(1, min(len(name) - 1, 3))


def mask_phone(phone: str) -> str:
    """13857120042 → 138****0042."""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_address(address: str) -> str:
    """Keep the street, hide house and flat: 西湖区文三路 478 号 → 西湖区文三路****."""
    street = _STREET_ZH.search(address) or _STREET_EN.search(address)
    shown = street.group() if street else address[: min(_SHOWN_WITHOUT_STREET, len(address) // 3)]
    return re.sub(r"\d", "*", shown) + "****"


def mask_email(email: str) -> str:
    """lin@example.com → l***@example.com."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"
