"""The doors to tools by themselves: which ones there are, and the running of one."""
