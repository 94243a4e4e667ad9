"""Gemini's wire format: as clients speak it to us, and as we speak it to Google, on the Developer API and Vertex AI."""
