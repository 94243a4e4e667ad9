"""What Claude models take and how they call tools, on whichever cloud: shared by the dialects they are spoken to in."""
