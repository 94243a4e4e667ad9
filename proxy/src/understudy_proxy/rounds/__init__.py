"""Conversations in which the gateway runs the tools itself: pure decisions, round by round.

In a round the model calls tools, they are run, and it is asked again with their results. What is asked and run, and
how, is not here: see `doors/executing.py`.
"""
