"""The course of a conversation in reported sentences: what is told, what is left out, and on what it rests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.locales import LANGUAGES, section
from handoff.summary.gist import MOST_EXCHANGES, Line, Sentence, gist, lines
from handoff.summary.statements import Kind, statements
from handoff.summary.writing import summary
from tests.handoff.summary_stories import steps_story

CHINESE = [
    ("customer", "你好"),
    ("bot", "您好,我是小墨,一个机器人。有什么可以帮您?"),
    ("customer", "手环2的步数一直是0。"),
    ("customer", "能不能退款呀"),
    ("bot", "我明白,步数不动确实让人着急。"),
    ("bot", "签收后7天内可以退款哦~"),
    ("customer", "好的谢谢"),
    ("customer", "那钱多久到账"),
    ("agent", "您好，我是小林。"),
    ("agent", "收到货后3个工作日内原路退回给您呢"),
]
ENGLISH = [
    ("customer", "hi there"),
    ("bot", "Hello, how can I help?"),
    ("customer", "My band shows 0 steps since the update. Can I get a refund?"),
    ("bot", "I'm sorry about that. You can return it within 7 days of delivery."),
    ("customer", "ok thanks"),
    ("customer", "when will the money arrive?"),
    ("agent", "Hi, I'm Lin. Within 3 working days."),
]


def told(talk: list[tuple[str, str]], language: str) -> list[Sentence]:
    """The gist of a conversation written down as (who, words)."""
    return gist([Line(by, words, seq) for seq, (by, words) in enumerate(talk, 1)], language)


class TestGist:
    """gist"""

    def test_chinese_is_told_in_reported_speech(self) -> None:
        assert [(sentence.text, sentence.seqs) for sentence in told(CHINESE, "zh")] == [
            ("客户表示手环2的步数一直是0，询问能否退款。", (3, 4)),
            ("机器人回答签收后7天内可以退款。", (6,)),
            ("客户询问钱多久到账。", (8,)),
            ("客服回答收到货后3个工作日内原路退回给客户。", (10,)),
        ]

    def test_english_is_told_in_quotes(self) -> None:
        assert [sentence.text for sentence in told(ENGLISH, "en")] == [
            "The customer said “My band shows 0 steps since the update”, asked “Can I get a refund?”.",
            "The bot answered “You can return it within 7 days of delivery”.",
            "The customer asked “when will the money arrive?”.",
            "The agent answered “Within 3 working days”.",
        ]

    def test_the_customers_words_are_never_translated(self) -> None:
        assert "“能不能退款呀”" in told(CHINESE, "en")[0].text
        assert "“when will the money arrive?”" in told(ENGLISH, "zh")[2].text

    def test_repeated_words_are_told_once(self) -> None:
        talk = [("customer", "快递三天没动了"), ("bot", "已经帮您催了"), ("customer", "我的快递三天都没动了啊")]
        assert len(told(talk, "zh")) == 2

    def test_an_answer_to_the_agents_question_is_no_matter_of_its_own(self) -> None:
        talk = [
            ("customer", "少发了一个充电座"),
            ("agent", "外包装是完整的吗？"),
            ("customer", "完整的，没有破"),
            ("agent", "明天给您补发"),
        ]
        assert len([sentence for sentence in told(talk, "zh") if sentence.by == "customer"]) == 1

    def test_at_most_a_few_exchanges_and_in_order(self) -> None:
        questions = ["发票怎么开", "运费谁来出", "保修期多久", "能改地址吗", "什么时候发货", "手环防水吗"]
        talks = [(("customer", words), ("agent", f"回复{words[:2]}可以看页面")) for words in questions]
        talk = [entry for pair in talks for entry in pair]
        sentences = told(talk, "zh")
        assert len(sentences) == 2 * MOST_EXCHANGES
        assert [sentence.seqs for sentence in sentences] == sorted(sentence.seqs for sentence in sentences)

    @pytest.mark.parametrize(
        "words", ["你好", "在吗", "好的谢谢", "嗯嗯", "ok", "thanks!", "😊😊", "13", "https://a.b/c"]
    )
    def test_small_talk_is_not_told(self, words: str) -> None:
        assert told([("customer", words), ("bot", "您好,请问有什么可以帮您?")], "zh") == []

    @pytest.mark.parametrize(
        ("words", "reported"),
        [
            ("请问可以开发票吗？", "客户询问是否可以开发票。"),
            ("我想退货", "客户希望退货。"),
            ("我的手环充不进电", "客户反映手环充不进电。"),
            ("是不是要我自己寄回来", "客户询问是否要自己寄回来。"),
            ("超过一年就没办法了对吧", "客户询问是否超过一年就没办法了。"),
            ("你们什么时候发货啊", "客户询问客服什么时候发货。"),
        ],
    )
    def test_statements_by_what_they_do(self, words: str, reported: str) -> None:
        assert [sentence.text for sentence in told([("customer", words)], "zh")] == [reported]


class TestStatements:
    """statements"""

    def test_sentences_stand_letter_for_letter_in_the_message(self) -> None:
        words = "手环坏了！怎么办？\n我要退货。It broke. Can I return it?"
        found = statements(words, 7, service=False)
        assert [statement.kind for statement in found] == [
            Kind.TROUBLE,
            Kind.QUESTION,
            Kind.WISH,
            Kind.TROUBLE,
            Kind.QUESTION,
        ]
        assert all(statement.text in words and statement.seq == 7 for statement in found)

    @pytest.mark.parametrize("words", ["可以的呢", "可以", "没有", "Yes."])
    def test_a_bare_verdict_is_an_answer_when_the_desk_gives_it(self, words: str) -> None:
        assert statements(words, 1, service=True)[0].kind == Kind.TOLD
        assert statements(words, 1, service=False)[0].kind == Kind.EMPTY


TALKS = st.lists(
    st.tuples(
        st.sampled_from(["customer", "customer", "bot", "agent"]),
        st.one_of(st.text(max_size=120), st.sampled_from([words for _, words in CHINESE + ENGLISH])),
    ),
    max_size=12,
)


@given(TALKS)
def test_nothing_is_told_that_nobody_wrote(talk: list[tuple[str, str]]) -> None:
    """Every letter of a sentence is the template's or stands in one of the messages it names."""
    for language in LANGUAGES:
        frame = "".join(texts[language] for texts in section("summary").values()) + "是否能自己“”"
        for sentence in told(talk, language):
            assert sentence.seqs and all(1 <= seq <= len(talk) for seq in sentence.seqs)
            written = "".join(talk[seq - 1][1] for seq in sentence.seqs)
            assert all((talk[seq - 1][0] == "customer") == (sentence.by == "customer") for seq in sentence.seqs)
            assert set(sentence.text) <= set(written) | set(frame)


def test_the_summary_tells_the_story_of_the_present_matter() -> None:
    story = steps_story()
    story.customer("退款", payload="/refund")
    story.end()
    seq = story.customer("另外发票什么时候能开")
    story.bot("发货后 24 小时内开好。")
    written = summary(story.record(), "zh")["story"]
    assert [(sentence["by"], sentence["seqs"]) for sentence in written] == [("customer", [seq]), ("bot", [seq + 1])]
    assert all(line.text != "退款" for line in lines(story.messages))
