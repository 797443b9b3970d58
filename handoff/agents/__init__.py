"""People at work: accounts, sessions, presence, capacity, skill groups, and what each role may do."""
