"""What a provider means by an error, in whatever dialect: words and shapes are much the same everywhere."""
