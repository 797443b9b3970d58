"""What the doctor found: one part, well or with the cure."""

from __future__ import annotations

from dataclasses import dataclass, field

from handoff.locales import text


@dataclass(frozen=True)
class Finding:
    """One part's state; `cure` names the sentence that says what is wrong and what to do, and is empty when well."""

    part: str
    cure: str = ""
    values: dict[str, object] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether there is nothing to do."""
        return not self.cure


def sentence(finding: Finding, language: str) -> str:
    """Return one line for people."""
    name = text(f"doctor.{finding.part}", language)
    if finding.well:
        return text("doctor.well", language, part=name)
    return text("doctor.ill", language, part=name, cure=text(f"doctor.cure_{finding.cure}", language, **finding.values))
