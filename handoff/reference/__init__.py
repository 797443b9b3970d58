"""The API's own description: the OpenAPI document, completed, and a page that shows it without any other server."""
