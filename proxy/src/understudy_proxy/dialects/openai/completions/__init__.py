"""OpenAI's older completions: a text goes on, where chats answer. Newer models are asked in a chat."""
