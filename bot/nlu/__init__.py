"""Graph components that read a customer's message: tokens, facts, intent, emotion, guards."""
