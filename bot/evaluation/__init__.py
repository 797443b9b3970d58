"""How well the bot understands and hands over, measured on frozen sets that nothing is trained on."""
