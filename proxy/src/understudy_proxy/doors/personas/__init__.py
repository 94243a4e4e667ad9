"""The doors `/api/v1`: roles by name, and who could play them."""
