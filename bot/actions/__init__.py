"""Custom actions of the assistant: one file per skill."""

from bot.logs import keep_words_out

keep_words_out()  # the action server imports this package once its logging is set up, and offers no other moment
