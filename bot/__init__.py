"""The Rasa assistant of Jieli: understanding, deciding, and the door that the desk knocks on."""
