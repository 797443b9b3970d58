"""The customer's widget: one script for any site, and the demo shop page that shows it."""
