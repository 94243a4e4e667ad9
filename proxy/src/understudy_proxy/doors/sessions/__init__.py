"""The doors `/v1/sessions`, and the part that sessions have in every door behind which models answer."""
