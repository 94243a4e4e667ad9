"""The one form in which all dialects meet: a request, an answer, the events of a stream, and nobody's wire format."""
