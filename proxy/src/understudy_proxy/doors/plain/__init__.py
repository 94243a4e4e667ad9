"""Conversations in a few plain fields, for apps that speak no vendor's dialect: what the gateway's own doors share."""
