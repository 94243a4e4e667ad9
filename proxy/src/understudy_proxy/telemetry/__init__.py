"""What the gateway says about itself: metrics, and log lines without secrets or prompts."""
