"""Lessons: schema, loader, checks, views and progress."""
