"""OpenAI's Responses API: another way to ask for what chat completions answer.

A request is put into the words of a chat completion, and goes on from there like one; the answer is told in items.
There is no provider side: whoever answers is asked in its own dialect.
"""
