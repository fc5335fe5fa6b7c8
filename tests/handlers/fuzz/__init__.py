"""Ten thousand generated payloads against each handler."""
