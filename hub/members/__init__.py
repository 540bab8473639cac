"""Members: organisations, their sharing groups and credentials."""
