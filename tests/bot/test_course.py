"""Where talks are heading: learnt from the designers' talks, one more sign for or against a person."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.evaluation.conversations import load
from bot.evaluation.loaded import settings_of
from bot.policies import course as courses
from bot.policies.assessment import Assessment, Assessor
from bot.policies.course import KEPT, REASONS, Course, Talk, talks
from bot.policies.told import TurnTold
from bot.policies.wording import letters

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = settings_of(ROOT / "config.yml")
WORTH_COPYING = 15


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Learnt from every eighth of the designers' talks, saved and loaded again."""
    folder = Path(tmp_path_factory.mktemp("course"))
    Course.learn(talks()[::8]).save(folder)
    loaded = Course.load(folder)
    assert loaded is not None
    return loaded


def assess(course: Course | None, *said: TurnTold) -> Assessment:
    return Assessor(SETTINGS, course).assess_turns(list(said))


def turn(text: str, seq: int = 1, pressed: bool = False, **cues: float) -> TurnTold:
    return TurnTold([seq], text, "device_problem", cues=cues, pressed=pressed)


class TestTalks:
    def test_the_designers_talks_hold_both_kinds_and_every_reason(self) -> None:
        found = talks()
        kept = sum(talk.reason == KEPT for talk in found)
        assert 0.4 < kept / len(found) < 0.6
        assert {talk.reason for talk in found} == {KEPT, *REASONS}
        assert all(1 <= talk.due <= len(talk.messages) for talk in found if talk.reason != KEPT)

    def test_a_person_is_due_from_the_line_on(self, tmp_path: Path) -> None:
        (tmp_path / "some.yml").write_text("a: |\n  你好\n  没用\n  >> bot_repeating\n  又来\nb: |\n  谢谢\n", "utf-8")
        due, kept = talks(tmp_path)
        assert due == Talk(("你好", "没用", "又来"), 2, "repeated_failure")
        assert [label for _, label in due.moments()] == [KEPT, "repeated_failure", "repeated_failure"]
        assert [said for said, _ in due.moments()][1] == ("你好", "没用")
        assert [label for _, label in kept.moments()] == [KEPT]

    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            ("你好\n  >> annoyed", "must name one of"),
            (">> safety\n  你好", "after the first message"),
            ("  ", "no message"),
        ],
    )
    def test_a_wrong_one_is_named_with_its_file(self, tmp_path: Path, lines: str, told: str) -> None:
        (tmp_path / "some.yml").write_text(f"odd: |2\n  {lines}\n", "utf-8")
        with pytest.raises(ValueError, match=rf"some\.yml: odd: .*{told}"):
            talks(tmp_path)

    @pytest.mark.parametrize("folder", ["frozen", "tuning"])
    def test_no_conversation_that_judges_is_learnt_from(self, folder: str) -> None:
        learnt = {letters(message) for talk in talks() for message in talk.messages}
        judging = {letters(message) for one in load(ROOT / "tests" / folder / "handoff") for message in one.customer}
        assert [text for text in learnt & judging if len(text) >= WORTH_COPYING] == []


class TestCourse:
    def test_reads_how_long_a_talk_is_and_what_came_just_before(self, course: Course) -> None:
        last = "还是一样"
        assert course.heading([last]) != course.heading(["你好", last]) != course.heading(["你好", "你好", last])
        assert course.heading(["重启过了", "谢谢", last]) != course.heading(["谢谢", "重启过了", last])

    def test_tells_where_a_talk_is_heading(self, course: Course) -> None:
        trouble = ["我的门锁指纹没反应", "重启过了还是没反应", "你说的我都做了两遍了,唉算了,说了也是白说"]
        settled = ["我的门锁指纹没反应", "擦干净以后能开了", "好的谢谢你,没问题了"]
        assert course.heading(trouble).leaning > course.heading(settled).leaning + 2

    def test_tells_what_for(self, course: Course) -> None:
        assert course.heading(["充电的时候手环烫到我孩子的手,起了水泡"]).reason == "safety"
        assert course.heading(["Please let me talk to a real person from your team"]).reason == "asked_for_person"

    def test_the_same_talk_reads_the_same_after_another(self, course: Course) -> None:
        first = course.heading(["手环连不上"])
        course.heading(["我要退货"])
        assert course.heading(["手环连不上"]) == first

    def test_is_left_out_with_another_encoder_than_it_was_learnt_with(
        self, course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        course.save(tmp_path)
        monkeypatch.setattr(courses, "encoder", lambda: None)
        assert Course.load(tmp_path) is None

    def test_learns_from_n_grams_alone_where_there_is_no_encoder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(courses, "encoder", lambda: None)
        Course.learn(talks()[::80]).save(tmp_path)
        loaded = Course.load(tmp_path)
        assert loaded is not None
        assert loaded.heading(["谢谢"]).leaning < 0

    def test_nothing_to_learn_from_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="bot/data/talks"):
            Course.learn([])


class TestAsASign:
    TROUBLE = ("我的门锁指纹没反应", "重启过了还是没反应", "你说的我都做了两遍了,唉算了,说了也是白说")

    def test_speaks_for_a_person_where_talks_alike_went_to_one(self, course: Course) -> None:
        said = [turn(text, seq) for seq, text in enumerate(self.TROUBLE, 1)]
        signs = {sign.name: sign for sign in assess(course, *said).signals}
        assert signs["like_handed_over"].weight > 0
        assert signs["like_handed_over"].evidence == (3,)
        assert "like_handed_over" not in {sign.name for sign in assess(None, *said).signals}

    def test_speaks_against_one_where_they_did_not_and_is_never_the_reason(self, course: Course) -> None:
        said = turn("请问这款手环的表带有几种颜色,买来送人", refuses=0.7, lost=0.7, misunderstood=0.7)
        with_it, without = assess(course, said), assess(None, said)
        settled = next(sign for sign in with_it.signals if sign.name == "like_settled")
        assert settled.weight < 0
        assert with_it.score == pytest.approx(without.score + settled.weight)
        assert with_it.handoff()["reason"] == without.handoff()["reason"]
        assert with_it.handoff()["evidence"] == without.handoff()["evidence"]

    @pytest.mark.parametrize("cue", ["danger", "person"])
    def test_never_outweighs_what_is_certain(self, course: Course, cue: str) -> None:
        said = turn("请问这款手环的表带有几种颜色,买来送人", **{cue: 0.95})
        assert assess(course, said).score == assess(None, said).score

    @pytest.mark.parametrize(("satisfaction", "furious"), [(-1.9, True), (-0.9, False)])
    def test_never_outweighs_fury(self, course: Course, satisfaction: float, furious: bool) -> None:
        emotion = {"label": "angry", "score": 0.98, "satisfaction": satisfaction}
        said = replace(turn("请问这款手环的表带有几种颜色,买来送人", angry=0.8), emotion=emotion)
        assert ("like_settled" not in {sign.name for sign in assess(course, said).signals}) == furious

    @pytest.mark.parametrize(
        ("text", "cue"),
        [
            ("请问这款手环的表带有几种颜色,我的律师想知道", "personal_matter"),
            ("请问这款手环,你们答应过给我退差价,到现在没退", "broken_word"),
            ("which colours are there, you promised me a strap and it never came", "broken_word"),
        ],
    )
    def test_never_outweighs_what_is_said_in_so_many_words(self, course: Course, text: str, cue: str) -> None:
        assert assess(course, turn(text, **{cue: 0.9})).score == assess(None, turn(text, **{cue: 0.9})).score

    def test_never_outweighs_steps_that_fail_again_and_again(self, course: Course) -> None:
        text = "请问这款手环的表带有几种颜色,买来送人"
        told = [turn(text, seq, unsolved=0.9) for seq in (1, 2, 3)]
        assert "like_settled" in {sign.name for sign in assess(course, *told[:2]).signals}
        assert "like_settled" not in {sign.name for sign in assess(course, *told).signals}

    def test_speaks_less_against_one_where_the_wording_speaks_for_one(self, course: Course) -> None:
        def against(text: str) -> float:
            signs = assess(course, turn(text)).signals
            return sum(sign.weight for sign in signs if sign.name == "like_settled")

        heading = course.heading(["请问手环怎么调亮度,我听你的,谢谢,问过三遍了"])
        assert heading.leaning < -1
        assert against("请问手环怎么调亮度,我听你的,谢谢,问过三遍了") == pytest.approx(
            SETTINGS["weights"]["like_settled"] * max(heading.leaning, -3)
        )

    @pytest.mark.parametrize("text", ["I want to kill myself", "手环冒烟了", "转人工"])
    def test_never_outweighs_danger_or_a_wish_for_a_person(self, course: Course, text: str) -> None:
        said = replace(turn(text, danger=0.6, person=0.6), intent="request_human" if text == "转人工" else "chitchat")
        assert assess(course, said).hands_over
        assert "like_settled" not in {sign.name for sign in assess(course, said).signals}

    def test_a_pressed_button_says_nothing(self, course: Course) -> None:
        said = [turn(text, seq) for seq, text in enumerate(self.TROUBLE, 1)]
        said[-1] = replace(said[-1], pressed=True)
        assert not {"like_handed_over", "like_settled"} & {sign.name for sign in assess(course, *said).signals}
