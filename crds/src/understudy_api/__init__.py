"""Understudy's API: what a user writes (`v1alpha1`) and what a proxy runs (`config`)."""
