"""What Claude models take, on whichever cloud: shared by the dialects in which they are spoken to."""
