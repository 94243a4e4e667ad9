"""Configuration: where it comes from, and the immutable `Runtime` that a request looks things up in."""
