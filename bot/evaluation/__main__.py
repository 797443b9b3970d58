"""`python -m bot.evaluation`: judges the handoffs, without TensorFlow."""

from bot.evaluation.command import main

main()
