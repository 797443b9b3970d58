"""A language model may polish, never decide: what it says is kept only as far as the evidence holds it.

It reads the summary without personal data, and may rephrase the headline and draft replies. Clauses with a number, a
name, a promise or words that the summary does not hold are dropped; a draft with one of them is dropped whole.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from handoff.locales import text
from handoff.privacy.masking import anonymous
from handoff.summary.language_model import ask

LONGEST_HEADLINE = 200
LONGEST_REPLY = 400
MOST_REPLIES = 2
HELD_HEADLINE = 0.5
HELD_REPLY = 0.3
_CLAUSE = re.compile(r"[^，,；;。.!！?？\n]+(?:[.](?=[0-9])[^，,；;。.!！?？\n]+)*[，,；;。.!！?？]*")
_TOKEN = re.compile(r"[a-z0-9]+(?:[.:\-/][a-z0-9]+)*")
_NEVER = re.compile(
    r"https?:|www\.|[<>{}\[\]〔〕`|]|(?<![a-z])(?:system prompt|instructions?|as an ai|password"
    r"|api key)(?![a-z])|密码|验证码|银行卡"
)
_COMMITS = re.compile(
    r"退款|退钱|赔|补偿|免费|保证|一定会|承诺|换新|小时内|分钟内|今天|明天|马上"
    r"|(?<![a-z])(?:refund\w*|compensat\w*|free|guarantee\w*|promise\w*|replace\w*|today|tomorrow|within"
    r"|voucher)(?![a-z])"
)
# Words of courtesy and of telling, which need no evidence.
_PLAIN = re.compile(
    r"^(?:a|about|after|again|all|already|also|an|and|angry|anxious|any|are|as|asked|at|be|been|before|"
    r"but|by|calm|can|check|could|customer|did|disappointed|do|does|don|feels|for|from|had|has|have|"
    r"hello|help|here|hi|hope|hopes|how|i|if|in|is|it|its|know|let|ll|m|me|more|much|my|next|no|not|"
    r"now|of|on|or|our|out|please|re|reported|reports|s|said|says|see|since|so|sorry|still|t|thank|"
    r"thanks|that|the|their|them|there|they|this|to|understand|up|us|ve|very|want|wants|was|we|were|"
    r"what|when|which|will|with|would|you|your)$"
)


async def polish(summary: dict[str, Any], customer_name: str | None) -> dict[str, Any]:
    """Return `{"headline": str | None, "replies": [str]}`: what the model offers and the summary holds."""
    language = summary["language"]
    evidence = _evidence(summary, customer_name)
    answer = await ask(text("summary.polish_instruction", language), evidence)
    if answer is None:
        return {"headline": None, "replies": []}
    replies = answer.get("replies")
    drafts = [draft for draft in replies if isinstance(draft, str)] if isinstance(replies, list) else []
    held = [draft for one in drafts if (draft := _reply(one, evidence))]
    return {"headline": _headline(answer.get("headline"), evidence), "replies": held[:MOST_REPLIES]}


def _evidence(summary: dict[str, Any], customer_name: str | None) -> str:
    """Return the summary as lines without anything by which the customer could be known.

    The story is left out: in reported speech a name no longer stands where masking looks for it.
    """
    language = summary["language"]
    lines = [
        summary["headline"],
        summary["problem"],
        *(f"{fact['label']}: {fact['text']}" for fact in summary["facts"] if fact["name"] != "phone_last4"),
        *(hope["text"] for hope in summary["hopes"]),
        *(step["text"] for step in summary["tried"]),
        *(promise["text"] for promise in summary["promises"]),
        *(step["text"] for step in summary["next_steps"]),
    ]
    told = "\n".join(lines)
    if customer_name:
        told = told.replace(customer_name, text("desk.customer", language))
    return "\n".join(anonymous(line, language) for line in told.splitlines() if line.strip())


def _headline(said: object, evidence: str) -> str | None:
    """Return the clauses of a rephrased headline that the evidence holds; None when too little is left."""
    if not isinstance(said, str) or not 0 < len(said.strip()) <= LONGEST_HEADLINE or "\n" in said.strip():
        return None
    kept = [clause for clause in _CLAUSE.findall(said.strip()) if _held(clause, evidence, HELD_HEADLINE)]
    line = "".join(kept).strip().rstrip("，,；;")
    return line if len(line) >= len(said.strip()) / 2 else None


def _reply(said: str, evidence: str) -> str | None:
    words = said.strip()
    if not 0 < len(words) <= LONGEST_REPLY:
        return None
    return words if _held(words, evidence, HELD_REPLY) else None


def _held(clause: str, evidence: str, share: float) -> bool:
    """Tell whether the evidence holds a clause: its numbers, names and commitments all, its other words mostly."""
    words, known = _folded(clause), _folded(evidence)
    if _NEVER.search(words) or any(commitment not in known for commitment in _COMMITS.findall(words)):
        return False
    tokens = set(_TOKEN.findall(words))
    facts = set(_TOKEN.findall(known))
    if any(token not in facts for token in tokens if any(letter.isdigit() for letter in token)):
        return False
    latin = [token for token in tokens if not _PLAIN.match(token) and not token.isdigit()]
    chinese = re.findall(r"[\u4e00-\u9fff]+", words)
    pairs = [run[at : at + 2] for run in chinese for at in range(len(run) - 1)]
    parts = [token in facts for token in latin] + [pair in known for pair in pairs]
    return not parts or sum(parts) >= share * len(parts)


def _folded(words: str) -> str:
    return unicodedata.normalize("NFKC", words).lower()
