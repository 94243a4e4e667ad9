"""Amazon Bedrock's Converse API, as we speak it to providers."""
