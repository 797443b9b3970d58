"""Finds the answer to a customer's question: which of the topics and known issues it asks for, and how surely."""
